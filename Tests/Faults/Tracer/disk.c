#define _GNU_SOURCE

#include "disk.h"
#include "faults.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

typedef __typeof__(((struct disk *)0)->files[0]) entry;

static void add(entry *entries, int *count, const struct stat *status) {
    for (int index = 0; index < *count; index++) {
        if (entries[index].device == status->st_dev && entries[index].number == status->st_ino) return;
    }
    if (*count == DISK_FILES) return;
    entries[*count].device = status->st_dev;
    entries[*count].number = status->st_ino;
    *count += 1;
}

static bool take(entry *entries, int *count, const struct stat *status) {
    for (int index = 0; index < *count; index++) {
        if (entries[index].device != status->st_dev || entries[index].number != status->st_ino) continue;
        entries[index] = entries[*count - 1];
        *count -= 1;
        return true;
    }
    return false;
}

bool disk_text(pid_t thread, unsigned long place, char *text, size_t length) {
    // Page by page: a text may end before memory does that is not there.
    size_t done = 0;
    while (done < length - 1) {
        size_t part = 4096 - (place + done) % 4096;
        if (part > length - 1 - done) part = length - 1 - done;
        struct iovec own = {text + done, part};
        struct iovec other = {(void *)(place + done), part};
        ssize_t count = process_vm_readv(thread, &own, 1, &other, 1, 0);
        if (count <= 0) return false;
        if (memchr(text + done, 0, (size_t)count)) return true;
        done += (size_t)count;
    }
    text[done] = 0;
    return true;
}

bool disk_target(pid_t thread, int descriptor, char *text, size_t length) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/fd/%d", thread, descriptor);
    ssize_t count = readlink(name, text, length - 1);
    if (count < 0) return false;
    text[count] = 0;
    return true;
}

/// The name as this process can use it.
static void name_here(pid_t thread, const char *name, char *result, size_t length) {
    static const char own[] = "/proc/self/";
    if (strncmp(name, own, sizeof own - 1) == 0) {
        snprintf(result, length, "/proc/%d/%s", thread, name + sizeof own - 1);
    } else if (name[0] == '/') {
        snprintf(result, length, "%s", name);
    } else {
        snprintf(result, length, "/proc/%d/cwd/%s", thread, name);
    }
}

static bool status_of(pid_t thread, int descriptor, struct stat *status) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/fd/%d", thread, descriptor);
    return stat(name, status) == 0;
}

static void note_place(struct disk *disk, pid_t thread, const struct call *call, const struct registers *registers,
                       char *unsynced, size_t length) {
    // The old name stands two arguments before the new one where each has a folder's descriptor, else one.
    int distance = call->path == 3 ? 2 : 1;
    char old[1024], new[1024], name[1200];
    if (!disk_text(thread, registers->arguments[call->path - distance], old, sizeof old)) return;
    if (!disk_text(thread, registers->arguments[call->path], new, sizeof new)) return;
    struct stat status;
    name_here(thread, old, name, sizeof name);
    if (stat(name, &status) != 0) return;
    for (int index = 0; index < disk->file_count; index++) {
        if (disk->files[index].device == status.st_dev && disk->files[index].number == status.st_ino) {
            snprintf(unsynced, length, "%.250s", new);
        }
    }
    name_here(thread, new, name, sizeof name);
    char *slash = strrchr(name, '/');
    if (!slash) return;
    *slash = 0;
    if (stat(name, &status) == 0) add(disk->folders, &disk->folder_count, &status);
}

void disk_note(struct disk *disk, pid_t thread, const struct call *call, const struct registers *registers,
               char *unsynced, size_t length) {
    struct stat status;
    int descriptor = call->descriptor < 0 ? -1 : (int)registers->arguments[call->descriptor];
    switch (call->kind) {
    case FAULTS_WRITE:
    case FAULTS_SIZE:
        if (status_of(thread, descriptor, &status) && S_ISREG(status.st_mode)) {
            add(disk->files, &disk->file_count, &status);
        }
        break;
    case FAULTS_SYNC:
        if (!status_of(thread, descriptor, &status)) break;
        if (S_ISDIR(status.st_mode)) {
            take(disk->folders, &disk->folder_count, &status);
        } else {
            take(disk->files, &disk->file_count, &status);
        }
        break;
    case FAULTS_PLACE: note_place(disk, thread, call, registers, unsynced, length); break;
    default: break;
    }
}
