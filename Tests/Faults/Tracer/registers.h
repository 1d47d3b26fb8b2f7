// Arguments and results of a system call, in the registers of a process that waits before it or after it.
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdbool.h>
#include <sys/types.h>

struct registers {
    long number;
    unsigned long arguments[6];
};

bool registers_read(pid_t thread, struct registers *registers);

/// Before a call: it is not made, and returns a value.
bool registers_skip(pid_t thread, long result);

/// After a call: it has returned another value.
bool registers_return(pid_t thread, long result);

/// Before a call: it gets another argument.
bool registers_replace(pid_t thread, int argument, unsigned long value);

#endif
