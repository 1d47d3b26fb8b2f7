#include "audioldm2.h"
#include "audioldm2_errors.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

// A place for each thread that needs no freeing when the thread ends.
static _Thread_local char last_error[2048];

const char *audioldm2_last_error(void) { return last_error; }

static atomic_bool has_worked, is_forked;

/// A child has none of the threads that worked for its parent, and would wait for them for ever.
static void note_fork(void) {
    if (atomic_load(&has_worked)) atomic_store(&is_forked, true);
}

__attribute__((constructor)) static void hear_of_forks(void) { pthread_atfork(NULL, NULL, note_fork); }

bool begin_audioldm2_work(void) {
    if (atomic_load(&is_forked)) return false;
    atomic_store(&has_worked, true);
    return true;
}

void keep_audioldm2_error(const char *text) {
    size_t length = strlen(text);
    if (length >= sizeof last_error) {
        length = sizeof last_error - 1;
        // Bytes that continue a character begin with the bits 10.
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
    }
    memcpy(last_error, text, length);
    last_error[length] = 0;
}
