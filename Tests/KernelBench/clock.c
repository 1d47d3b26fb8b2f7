// Standard C has no clock of a thread.
#define _POSIX_C_SOURCE 200809L

#include "clock.h"

#include <time.h>

double thread_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}
