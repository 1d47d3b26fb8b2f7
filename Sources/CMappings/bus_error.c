// A page of a mapped file that is not there any more is no error of a call, but a signal (SIGBUS) in the middle of any
// computation. A handler may only call what POSIX lists as safe, and read what is always whole: so this is C.

#define _POSIX_C_SOURCE 200809L

#include "cmappings.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { SLOTS = 64, NAME_LENGTH = 1024 };

static struct {
    atomic_int taken;
    // 0 until the rest is there.
    _Atomic(uintptr_t) start;
    size_t length;
    char name[NAME_LENGTH];
} mappings[SLOTS];

int cmappings_enter(const void *start, size_t length, const char *name) {
    for (int slot = 0; slot < SLOTS; slot++) {
        if (atomic_exchange(&mappings[slot].taken, 1)) continue;
        mappings[slot].length = length;
        strncpy(mappings[slot].name, name, NAME_LENGTH - 1);
        mappings[slot].name[NAME_LENGTH - 1] = 0;
        atomic_store(&mappings[slot].start, (uintptr_t)start);
        return slot;
    }
    return -1;
}

void cmappings_leave(int slot) {
    if (slot < 0 || slot >= SLOTS) return;
    atomic_store(&mappings[slot].start, 0);
    atomic_store(&mappings[slot].taken, 0);
}

void cmappings_end(const char *line, size_t length) {
    static atomic_flag said = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&said)) {
        for (;;) pause();
    }
    while (length > 0) {
        ssize_t count = write(STDERR_FILENO, line, length);
        if (count <= 0) break;
        line += count;
        length -= (size_t)count;
    }
    _exit(1);
}

_Noreturn static void end(const char *name) {
    static const char beginning[] = "Error: ";
    static const char rest[] = ": was cut short while it was used, or its disk fails; copy it again, and put models in their "
                               "place by renaming them (mv)\n";
    char line[sizeof beginning + NAME_LENGTH + sizeof rest] = "";
    strcpy(line, beginning);
    strcat(line, name);
    strcat(line, rest);
    cmappings_end(line, strlen(line));
}

static void handle(int number, siginfo_t *info, void *context) {
    (void)context;
    uintptr_t place = (uintptr_t)info->si_addr;
    for (int slot = 0; slot < SLOTS; slot++) {
        uintptr_t start = atomic_load(&mappings[slot].start);
        if (start == 0 || place < start || place - start >= mappings[slot].length) continue;
        end(mappings[slot].name);
    }
    // The instruction runs again, and has the usual effect.
    signal(number, SIG_DFL);
}

void cmappings_end_with_message(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}
