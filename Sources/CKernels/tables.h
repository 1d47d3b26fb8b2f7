// The table of each instruction set that this build has.
#ifndef AUDIOLDM2_TABLES_H
#define AUDIOLDM2_TABLES_H

#include "include/kernels.h"

extern const kernels kernels_scalar;

#if defined(__x86_64__)
extern const kernels kernels_avx2;
extern const kernels kernels_avx_vnni;
extern const kernels kernels_avx512_vnni;
#elif defined(__aarch64__)
extern const kernels kernels_neon_dotprod;
extern const kernels kernels_neon_i8mm;
#endif

#endif
