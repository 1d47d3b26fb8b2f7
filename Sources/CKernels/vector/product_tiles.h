// Few rows of floats times a packed weight where it lies: a tile of 16 outputs × 4 inputs becomes TILE_PARTS vectors, each
// of LANES / 4 outputs, and meets four inputs that are repeated in every lane group.
#ifndef AUDIOLDM2_VECTOR_PRODUCT_TILES_H
#define AUDIOLDM2_VECTOR_PRODUCT_TILES_H

#include "vector.h"

// As many rows at once as leave their sums in registers.
enum { TILE_PARTS = 64 / LANES, DIRECT_ROWS = LANES == 16 ? 4 : 1 };

typedef float quad __attribute__((ext_vector_type(4)));

INLINE vfloat repeated(quad x) {
#if LANES == 16
    return __builtin_shufflevector(x, x, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
#elif LANES == 8
    return __builtin_shufflevector(x, x, 0, 1, 2, 3, 0, 1, 2, 3);
#else
    return x;
#endif
}

INLINE void add_tile(const int8_t *tile, const quad *x, size_t rows, vfloat sums[DIRECT_ROWS][TILE_PARTS]) {
    vfloat inputs[DIRECT_ROWS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) inputs[r] = repeated(x[r]);
#pragma clang loop unroll(full)
    for (size_t part = 0; part < TILE_PARTS; part++) {
        vbyte bytes;
        memcpy(&bytes, tile + part * LANES, sizeof bytes);
        const vfloat weights = __builtin_convertvector(bytes, vfloat);
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) sums[r][part] += inputs[r] * weights;
    }
}

// Sixteen outputs, of which `outputs` are wanted, of `rows` rows from `row` on.
INLINE void direct_block(const kernels_tile_product *p, size_t row, size_t rows, size_t first, size_t outputs) {
    const float *x = p->x + row * p->x_stride;
    const int8_t *tile = p->tiles + first * p->padded_inputs;
    vfloat sums[DIRECT_ROWS][TILE_PARTS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t part = 0; part < TILE_PARTS; part++) sums[r][part] = 0;
    }
    size_t i = 0;
    quad inputs[DIRECT_ROWS];
#pragma clang loop unroll(disable)
    for (; i + 4 <= p->inputs; i += 4, tile += 64) {
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) memcpy(&inputs[r], x + r * p->x_stride + i, sizeof(quad));
        add_tile(tile, inputs, rows, sums);
    }
    if (i < p->inputs) {
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) {
            inputs[r] = 0;
            memcpy(&inputs[r], x + r * p->x_stride + i, (p->inputs - i) * sizeof(float));
        }
        add_tile(tile, inputs, rows, sums);
    }
    for (size_t r = 0; r < rows; r++) {
        float parts[64];
        memcpy(parts, sums[r], sizeof parts);
        float *y = p->y + (row + r) * p->y_stride + first;
        for (size_t n = 0; n < outputs; n++) {
            const float *lane = parts + 4 * n;
            y[n] = p->scales[first + n] * ((lane[0] + lane[1]) + (lane[2] + lane[3]));
        }
    }
}

static void product_tiles(const kernels_tile_product *p) {
    for (size_t first = 0; first < p->outputs; first += 16) {
        const size_t outputs = p->outputs - first < 16 ? p->outputs - first : 16;
        size_t row = 0;
#if LANES == 16
        for (; row + 4 <= p->rows; row += 4) direct_block(p, row, 4, first, outputs);
        for (; row + 2 <= p->rows; row += 2) direct_block(p, row, 2, first, outputs);
#endif
        for (; row < p->rows; row++) direct_block(p, row, 1, first, outputs);
    }
}

#endif
