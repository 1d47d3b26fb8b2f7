// Which system calls are of which kind, and where their arguments are.
#ifndef CALLS_H
#define CALLS_H

#include <stddef.h>

struct call {
    long number;
    const char *name;
    unsigned kind;
    /// Argument that is a descriptor, or a name; −1 for none.
    int descriptor, path;
};

/// NULL for a call of no kind.
const struct call *call_of(long number);

/// All of the table.
const struct call *calls_begin(void);
const struct call *calls_end(void);

#endif
