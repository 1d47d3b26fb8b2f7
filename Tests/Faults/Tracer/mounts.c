#define _GNU_SOURCE

#include "faults.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>

int faults_own_mounts(void) {
    if (unshare(CLONE_NEWNS) != 0) return errno;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ? 0 : errno;
}

int faults_mount_small(const char *folder, size_t bytes) {
    char options[64];
    snprintf(options, sizeof options, "size=%zu", bytes);
    return mount("tmpfs", folder, "tmpfs", 0, options) == 0 ? 0 : errno;
}

int faults_unmount(const char *folder) { return umount2(folder, MNT_DETACH) == 0 ? 0 : errno; }
