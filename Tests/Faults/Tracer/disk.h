// What of a process' files would be on the disk if the power failed now.
#ifndef DISK_H
#define DISK_H

#include "calls.h"
#include "registers.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { DISK_FILES = 512 };

struct disk {
    /// Files, and folders, of which something is not on the disk yet.
    struct {
        dev_t device;
        ino_t number;
    } files[DISK_FILES], folders[DISK_FILES];
    int file_count, folder_count;
};

/// Takes note of a call that is going to be made.
/// - Parameter unsynced: gets the name that is given to a file which is not on the disk; else stays as it is.
void disk_note(struct disk *disk, pid_t thread, const struct call *call, const struct registers *registers,
               char *unsynced, size_t length);

/// A text of the process' memory.
bool disk_text(pid_t thread, unsigned long place, char *text, size_t length);

/// What a descriptor of the process stands for.
bool disk_target(pid_t thread, int descriptor, char *text, size_t length);

#endif
