// The table of each instruction set that this build has.
#ifndef AUDIOLDM2_TABLES_H
#define AUDIOLDM2_TABLES_H

#include "include/kernels.h"

extern const kernels kernels_scalar;

#endif
