// Four channels of LANES rows as four vectors, and back.
#ifndef AUDIOLDM2_VECTOR_TRANSPOSE_H
#define AUDIOLDM2_VECTOR_TRANSPOSE_H

#include "vector.h"

// A shuffle of four lanes, done alike in every quarter of LANES; lanes from LANES on are those of b.
#if LANES == 16
#define IN_QUARTERS(a, b, i, j, k, l)                                                                                  \
    __builtin_shufflevector(a, b, i, j, k, l, i + 4, j + 4, k + 4, l + 4, i + 8, j + 8, k + 8, l + 8, i + 12, j + 12,  \
                            k + 12, l + 12)
#elif LANES == 8
#define IN_QUARTERS(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l, i + 4, j + 4, k + 4, l + 4)
#else
#define IN_QUARTERS(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#endif

// Transposes every quarter of four vectors.
INLINE void transpose_quarters(vfloat x[4]) {
    const vfloat low_01 = IN_QUARTERS(x[0], x[1], 0, LANES, 1, LANES + 1);
    const vfloat low_23 = IN_QUARTERS(x[2], x[3], 0, LANES, 1, LANES + 1);
    const vfloat high_01 = IN_QUARTERS(x[0], x[1], 2, LANES + 2, 3, LANES + 3);
    const vfloat high_23 = IN_QUARTERS(x[2], x[3], 2, LANES + 2, 3, LANES + 3);
    x[0] = IN_QUARTERS(low_01, low_23, 0, 1, LANES, LANES + 1);
    x[1] = IN_QUARTERS(low_01, low_23, 2, 3, LANES + 2, LANES + 3);
    x[2] = IN_QUARTERS(high_01, high_23, 0, 1, LANES, LANES + 1);
    x[3] = IN_QUARTERS(high_01, high_23, 2, 3, LANES + 2, LANES + 3);
}

// Four floats of each of LANES / 4 rows.
INLINE vfloat load_quarters(const float *x, size_t stride) {
#if LANES == 16
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(x));
    v = _mm512_insertf32x4(v, _mm_loadu_ps(x + stride), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps(x + 2 * stride), 2);
    return (vfloat)_mm512_insertf32x4(v, _mm_loadu_ps(x + 3 * stride), 3);
#elif LANES == 8
    return (vfloat)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(x)), _mm_loadu_ps(x + stride), 1);
#else
    (void)stride;
    return load(x);
#endif
}

INLINE void store_quarters(float *y, size_t stride, vfloat v) {
#if LANES == 16
    _mm_storeu_ps(y, _mm512_castps512_ps128((__m512)v));
    _mm_storeu_ps(y + stride, _mm512_extractf32x4_ps((__m512)v, 1));
    _mm_storeu_ps(y + 2 * stride, _mm512_extractf32x4_ps((__m512)v, 2));
    _mm_storeu_ps(y + 3 * stride, _mm512_extractf32x4_ps((__m512)v, 3));
#elif LANES == 8
    _mm_storeu_ps(y, _mm256_castps256_ps128((__m256)v));
    _mm_storeu_ps(y + stride, _mm256_extractf128_ps((__m256)v, 1));
#else
    (void)stride;
    store(y, v);
#endif
}

// columns[i] = channel i of all rows, for i < 4.
INLINE void load_columns(const float *x, size_t stride, vfloat columns[4]) {
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 4; i++) columns[i] = load_quarters(x + i * stride, 4 * stride);
    transpose_quarters(columns);
}

INLINE void store_columns(float *y, size_t stride, const vfloat columns[4]) {
    vfloat rows[4] = {columns[0], columns[1], columns[2], columns[3]};
    transpose_quarters(rows);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 4; i++) store_quarters(y + i * stride, 4 * stride, rows[i]);
}

// The same for `rows` ≤ LANES rows and any number of channels; what is not there reads as zero.
INLINE void load_some_columns(const float *x, size_t stride, size_t rows, size_t channels, vfloat columns[4]) {
    float values[4][LANES] = {0};
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < channels && i < 4; i++) values[i][r] = x[r * stride + i];
    }
    memcpy(columns, values, sizeof values);
}

INLINE void store_some_columns(float *y, size_t stride, size_t rows, size_t channels, const vfloat columns[4]) {
    float values[4][LANES];
    memcpy(values, columns, sizeof values);
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < channels && i < 4; i++) y[r * stride + i] = values[i][r];
    }
}

#endif
