#ifndef CMAPPINGS_H
#define CMAPPINGS_H

#include <stddef.h>

/// Notes that a file is mapped, for as long as its slot is not given back.
/// - Returns: a slot, or -1 if there is none left.
int cmappings_enter(const void *start, size_t length, const char *name);

void cmappings_leave(int slot);

/// From now on, reading a mapped file where its pages cannot be had (it was cut short, its disk fails) ends the process with
/// a line on standard error that names the file, and status 1. Other bus errors end it as ever.
void cmappings_end_with_message(void);

/// Ends the process with a line on standard error, in one write, and status 1. If several threads want to at the same time, the
/// first says its line, and the others wait for the end. Safe within handlers of signals, and without memory.
_Noreturn void cmappings_end(const char *line, size_t length);

/// Opens a file that is nowhere but in memory, for reading and writing; its name is for debuggers.
/// - Returns: a descriptor, or -1 with errno set.
int cmappings_memory_file(const char *name);

/// The name of the file that this code was loaded from: a program's, or a library's.
/// - Returns: NULL if the system does not know.
const char *cmappings_library(void);

/// How many arguments the program was given, with its name. Swift looks for them in /proc, and takes them for none where it
/// cannot read that.
int cmappings_argument_count(void);

/// One of them, as the system has it; NULL for none.
const char *cmappings_argument(int index);

#endif
