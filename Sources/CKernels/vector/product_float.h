// Float products without a library: one sum per lane or per result, in the order of k, so that a result depends on its
// row and its output alone, and not on what is computed beside it.
#ifndef AUDIOLDM2_VECTOR_PRODUCT_FLOAT_H
#define AUDIOLDM2_VECTOR_PRODUCT_FLOAT_H

#include "vector.h"

enum { FLOAT_ROWS = 4, FLOAT_COLUMNS = LANES == 16 ? 4 : 2 };

INLINE float lane_total(vfloat x) {
    float parts[LANES];
    memcpy(parts, &x, sizeof parts);
#pragma clang loop unroll(full)
    for (size_t count = LANES / 2; count > 0; count /= 2) {
#pragma clang loop unroll(full)
        for (size_t i = 0; i < count; i++) parts[i] += parts[i + count];
    }
    return parts[0];
}

// rows × columns results, each a dot product.
INLINE void dot_tile(const kernels_float_product *p, size_t row, size_t column, size_t rows, size_t columns) {
    const float *a = p->a + row * p->a_stride, *b = p->b + column * p->b_stride;
    vfloat sums[FLOAT_ROWS][FLOAT_COLUMNS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t c = 0; c < columns; c++) sums[r][c] = 0;
    }
    size_t k = 0;
#pragma clang loop unroll(disable)
    for (; k + LANES <= p->inputs; k += LANES) {
        vfloat weights[FLOAT_COLUMNS];
#pragma clang loop unroll(full)
        for (size_t c = 0; c < columns; c++) weights[c] = load(b + c * p->b_stride + k);
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) {
            const vfloat x = load(a + r * p->a_stride + k);
#pragma clang loop unroll(full)
            for (size_t c = 0; c < columns; c++) sums[r][c] += x * weights[c];
        }
    }
    const size_t rest = p->inputs - k;
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t c = 0; c < columns; c++) {
            if (rest > 0) {
                sums[r][c] += load_part(a + r * p->a_stride + k, rest) * load_part(b + c * p->b_stride + k, rest);
            }
            p->y[(row + r) * p->y_stride + column + c] = lane_total(sums[r][c]);
        }
    }
}

static void product_f32(const kernels_float_product *p) {
    size_t row = 0;
    for (; row + FLOAT_ROWS <= p->rows; row += FLOAT_ROWS) {
        size_t column = 0;
        for (; column + FLOAT_COLUMNS <= p->outputs; column += FLOAT_COLUMNS) {
            dot_tile(p, row, column, FLOAT_ROWS, FLOAT_COLUMNS);
        }
        for (; column < p->outputs; column++) dot_tile(p, row, column, FLOAT_ROWS, 1);
    }
    for (; row < p->rows; row++) {
        size_t column = 0;
        for (; column + FLOAT_COLUMNS <= p->outputs; column += FLOAT_COLUMNS) {
            dot_tile(p, row, column, 1, FLOAT_COLUMNS);
        }
        for (; column < p->outputs; column++) dot_tile(p, row, column, 1, 1);
    }
}

#endif
