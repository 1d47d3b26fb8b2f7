#ifndef KERNEL_BENCH_PEAK_H
#define KERNEL_BENCH_PEAK_H

#include "kernels.h"

// Multiply-accumulates per second that a tier's dot-product instruction does on registers alone; 0 where not measured.
double peak_products_per_second(kernels_tier tier);

#endif
