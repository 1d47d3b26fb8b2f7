#ifndef KERNEL_BENCH_H
#define KERNEL_BENCH_H

#include "kernels.h"

// Touched memory on a cache line; ends the program if there is none.
void *allocate(size_t count, size_t size);
void release(void *memory);

// The best of `repetitions` counts. Products and attention print GMAC/s, the peak and their ratio; float kernels 10⁹ elements/s.
void time_products(const kernels *table, int repetitions);
void time_attention(const kernels *table, int repetitions);
void time_floats(const kernels *table, int repetitions);

#endif
