// Vectors of LANES floats, the type in which every file of this folder is written.
//
// A table's file includes its intrinsics, defines LANES, turns its instructions on for all functions that follow, and
// includes what it needs: clang's vector extension then gives each table its own registers from one source.
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

// True in the first `count` lanes.
INLINE vint lanes_below(size_t count) {
    static const int32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    vint lanes;
    memcpy(&lanes, numbers, sizeof lanes);
    return lanes < (vint)(int32_t)count;
}

// The first `count` < LANES elements; the others are zero, and their memory is not touched. Sixteen lanes go by halves:
// a masked store of a row of eight would hold up the load of the next row as if it had written that too.
INLINE vfloat load_part(const float *x, size_t count) {
#if LANES == 16
    const __mmask16 mask = (__mmask16)((1u << count) - 1);
    const __m512 low = _mm512_zextps256_ps512(_mm256_maskz_loadu_ps((__mmask8)mask, x));
    if (count <= 8) return (vfloat)low;
    return (vfloat)_mm512_insertf32x8(low, _mm256_maskz_loadu_ps((__mmask8)(mask >> 8), x + 8), 1);
#elif LANES == 8
    return (vfloat)_mm256_maskload_ps(x, (__m256i)lanes_below(count));
#else
    vfloat v = 0;
    for (size_t i = 0; i < count; i++) v[i] = x[i];
    return v;
#endif
}

// The first `count` elements, or as many as there are lanes.
INLINE vfloat load_up_to(const float *x, size_t count) { return count >= LANES ? load(x) : load_part(x, count); }

INLINE void store_part(float *y, vfloat v, size_t count) {
#if LANES == 16
    const __mmask16 mask = (__mmask16)((1u << count) - 1);
    _mm256_mask_storeu_ps(y, (__mmask8)mask, _mm512_castps512_ps256((__m512)v));
    if (count > 8) _mm256_mask_storeu_ps(y + 8, (__mmask8)(mask >> 8), _mm512_extractf32x8_ps((__m512)v, 1));
#elif LANES == 8
    _mm256_maskstore_ps(y, (__m256i)lanes_below(count), (__m256)v);
#else
    for (size_t i = 0; i < count; i++) y[i] = v[i];
#endif
}

// Lane by lane `mask ? a : b`, for a mask that a comparison made.
INLINE vfloat select(vint mask, vfloat a, vfloat b) { return (vfloat)((mask & (vint)a) | (~mask & (vint)b)); }

// The larger and the smaller; b where a is NaN.
INLINE vfloat larger(vfloat a, vfloat b) { return select(a > b, a, b); }
INLINE vfloat smaller(vfloat a, vfloat b) { return select(a < b, a, b); }

// The largest lane, by halves: a chain of LANES comparisons would take longer than all else does for a short row.
INLINE float largest(vfloat x) {
    float parts[LANES];
    memcpy(parts, &x, sizeof parts);
#pragma clang loop unroll(full)
    for (size_t count = LANES / 2; count > 0; count /= 2) {
#pragma clang loop unroll(full)
        for (size_t i = 0; i < count; i++) parts[i] = parts[i] > parts[i + count] ? parts[i] : parts[i + count];
    }
    return parts[0];
}

INLINE vfloat magnitude(vfloat x) { return (vfloat)((vint)x & 0x7FFFFFFF); }

// By pointer: a vector of doubles can be too wide to be an argument.
INLINE void add_widened(vdouble *sums, vfloat x) { *sums += __builtin_convertvector(x, vdouble); }

INLINE double total(const vdouble *sums) {
    double parts[LANES];
    memcpy(parts, sums, sizeof parts);
#pragma clang loop unroll(full)
    for (size_t count = LANES / 2; count > 0; count /= 2) {
#pragma clang loop unroll(full)
        for (size_t i = 0; i < count; i++) parts[i] += parts[i + count];
    }
    return parts[0];
}

#endif
