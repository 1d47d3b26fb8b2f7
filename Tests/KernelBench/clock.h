#ifndef KERNEL_BENCH_CLOCK_H
#define KERNEL_BENCH_CLOCK_H

// Time that this thread has run: on a shared machine, the time it waited does not count.
double thread_seconds(void);

#endif
