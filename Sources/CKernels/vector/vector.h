// Vectors of LANES floats, the type in which every file of this folder is written.
//
// A table's file defines LANES, turns its instructions on for all functions that follow, and includes what it needs:
// clang's vector extension then gives each table its own registers from one source.
#ifndef AUDIOLDM2_VECTOR_VECTOR_H
#define AUDIOLDM2_VECTOR_VECTOR_H

#ifndef LANES
#error "define LANES before including the kernels of this folder"
#endif

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define VECTOR(type) type __attribute__((ext_vector_type(LANES)))

typedef VECTOR(float) vfloat;
typedef VECTOR(double) vdouble;
typedef VECTOR(int32_t) vint;
typedef VECTOR(int8_t) vbyte;
typedef VECTOR(uint8_t) vubyte;
typedef VECTOR(_Float16) vhalf;

INLINE vfloat load(const float *x) {
    vfloat v;
    memcpy(&v, x, sizeof v);
    return v;
}

INLINE void store(float *y, vfloat v) { memcpy(y, &v, sizeof v); }

// The first `count` < LANES elements; the others are zero.
INLINE vfloat load_part(const float *x, size_t count) {
    vfloat v = 0;
    memcpy(&v, x, count * sizeof *x);
    return v;
}

INLINE void store_part(float *y, vfloat v, size_t count) { memcpy(y, &v, count * sizeof *y); }

// Lane by lane `mask ? a : b`, for a mask that a comparison made.
INLINE vfloat select(vint mask, vfloat a, vfloat b) { return (vfloat)((mask & (vint)a) | (~mask & (vint)b)); }

// The larger and the smaller; b where a is NaN.
INLINE vfloat larger(vfloat a, vfloat b) { return select(a > b, a, b); }
INLINE vfloat smaller(vfloat a, vfloat b) { return select(a < b, a, b); }

INLINE vfloat magnitude(vfloat x) { return (vfloat)((vint)x & 0x7FFFFFFF); }

// By pointer: a vector of doubles can be too wide to be an argument.
INLINE void add_widened(vdouble *sums, vfloat x) { *sums += __builtin_convertvector(x, vdouble); }

#endif
