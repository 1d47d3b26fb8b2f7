// What the CPU and the operating system together support.
#ifndef AUDIOLDM2_CPU_H
#define AUDIOLDM2_CPU_H

#include "include/kernels.h"

// Whether the instructions of a tier's table can be executed here.
bool kernels_cpu_supports(kernels_tier tier);

#endif
