// The frame of an integer product: how rows and outputs are cut into register tiles, and what happens to the sums.
//
// A block of BLOCK_OUTPUTS outputs is the outer loop and tiles of up to TILE_ROWS rows the inner one: the weights of a
// block (at most a few hundred kilobytes) stay in the L2 cache for all rows of the call, while the rows stream past at
// only TILE_ROWS bytes per BLOCK_OUTPUTS · TILE_ROWS products. A caller that gives a thread a range of outputs and all
// rows reads each weight once.
//
// The including file defines TILE_ROWS, BLOCK_OUTPUTS, PRODUCT_CENTER and
//
//     accumulate(block, row, rows, vectors, sums)
//
// which sets sums[r][v] to Σ (a − PRODUCT_CENTER) · w of `rows` rows and `vectors` vectors of outputs.
#ifndef AUDIOLDM2_VECTOR_PRODUCT_H
#define AUDIOLDM2_VECTOR_PRODUCT_H

#include "elementwise.h"

enum {
    TILE_OUTPUTS = 16,
    TILE_VECTORS = TILE_OUTPUTS / LANES,
    BLOCK_VECTORS = BLOCK_OUTPUTS / LANES,
    BLOCK_TILES = BLOCK_OUTPUTS / TILE_OUTPUTS,
};

// What all rows have in common for one block of outputs; zero past the last output.
struct block {
    const kernels_product *p;
    const int8_t *tiles;
    // How far behind the weights in use those lie that should be on their way from memory.
    size_t ahead;
    size_t first, width;
    vint weight_sums[BLOCK_VECTORS];
    vfloat scales[BLOCK_VECTORS], bias[BLOCK_VECTORS];
};

INLINE void accumulate(const struct block *block, size_t row, size_t rows, size_t vectors,
                       vint sums[TILE_ROWS][BLOCK_VECTORS]);

INLINE struct block prepared_block(const kernels_product *p, size_t first) {
    const size_t left = p->last_output - first;
    struct block block = {
        .p = p,
        .tiles = p->tiles + first * p->taps * p->inputs,
        .first = first,
        .width = left < BLOCK_OUTPUTS ? left : BLOCK_OUTPUTS,
    };
    int32_t sums[BLOCK_OUTPUTS] = {0};
    float scales[BLOCK_OUTPUTS] = {0}, bias[BLOCK_OUTPUTS] = {0};
    for (size_t i = 0; i < block.width; i++) {
        const size_t n = first + i;
        sums[i] = p->sums[n];
        scales[i] = p->scales[n];
        bias[i] = (p->bias ? p->bias[n] : 0) + (p->sample_bias ? p->sample_bias[n] : 0);
    }
    memcpy(block.weight_sums, sums, sizeof sums);
    memcpy(block.scales, scales, sizeof scales);
    memcpy(block.bias, bias, sizeof bias);
    return block;
}

// What `prepared_block` will read of the block from `first` on. It is used once a call, so nothing else brings it near.
INLINE void prefetch_block(const kernels_product *p, size_t first) {
    for (size_t line = 0; line < BLOCK_OUTPUTS; line += 64 / sizeof(float)) {
        __builtin_prefetch(p->sums + first + line);
        __builtin_prefetch(p->scales + first + line);
        if (p->bias) __builtin_prefetch(p->bias + first + line);
        if (p->sample_bias) __builtin_prefetch(p->sample_bias + first + line);
    }
}

INLINE kernels_range range_of(const kernels_product *p, size_t row) { return p->ranges[row * p->range_stride]; }

// (sum with the row's zero point instead of PRODUCT_CENTER) · scale · scales + bias
INLINE vfloat dequantized(const struct block *block, size_t v, vint sum, kernels_range range) {
    const vfloat exact = __builtin_convertvector(sum + (PRODUCT_CENTER - range.zero) * block->weight_sums[v], vfloat);
    return exact * (range.scale * block->scales[v]) + block->bias[v];
}

// Sums of a whole block without activation go from registers to the result.
INLINE void write_whole(const struct block *block, size_t row, size_t rows, size_t vectors,
                        vint sums[TILE_ROWS][BLOCK_VECTORS]) {
    const kernels_product *p = block->p;
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
        const kernels_range range = range_of(p, row + r);
        float *y = p->y + (row + r) * p->y_stride + block->first;
        const float *residual = p->residual ? p->residual + (row + r) * p->residual_stride + block->first : NULL;
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) {
            vfloat value = dequantized(block, v, sums[r][v], range);
            if (residual) value += load(residual + v * LANES);
            store(y + v * LANES, value);
        }
    }
}

// All else takes a detour through a small buffer.
INLINE void write_finished(const struct block *block, size_t row, size_t rows, size_t vectors,
                           vint sums[TILE_ROWS][BLOCK_VECTORS]) {
    const kernels_product *p = block->p;
    float values[TILE_ROWS][BLOCK_OUTPUTS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
        const kernels_range range = range_of(p, row + r);
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) {
            store(values[r] + v * LANES, dequantized(block, v, sums[r][v], range));
        }
    }
    for (size_t r = 0; r < rows; r++) {
        const float *residual = p->residual ? p->residual + (row + r) * p->residual_stride + block->first : NULL;
        finish(values[r], NULL, NULL, residual, block->width, p->activation, p->slope,
               p->y + (row + r) * p->y_stride + block->first);
    }
}

// Lets the result's lines come from memory while the sums run; else the stores would wait for them.
INLINE void prefetch_results(const struct block *block, size_t row, size_t rows, size_t vectors) {
    const kernels_product *p = block->p;
    for (size_t r = 0; r < rows; r++) {
        const float *y = p->y + (row + r) * p->y_stride + block->first;
        const float *residual = p->residual ? p->residual + (row + r) * p->residual_stride + block->first : y;
        for (size_t line = 0; line < vectors * LANES; line += 64 / sizeof *y) {
            __builtin_prefetch(y + line, 1);
            __builtin_prefetch(residual + line, 0);
        }
    }
}

INLINE void compute_tile(const struct block *block, size_t row, size_t rows, size_t vectors) {
    vint sums[TILE_ROWS][BLOCK_VECTORS];
    prefetch_results(block, row, rows, vectors);
    accumulate(block, row, rows, vectors, sums);
    if (block->p->activation == KERNELS_NONE && block->width == vectors * LANES) {
        write_whole(block, row, rows, vectors, sums);
    } else {
        write_finished(block, row, rows, vectors, sums);
    }
}

typedef void (*tile_function)(const struct block *block, size_t row);

// One function for each number of rows.
#define TILE(name, rows, vectors)                                                                                      \
    static void name##_##rows(const struct block *block, size_t row) { compute_tile(block, row, rows, vectors); }

#define TILES_1_TO_4(name, vectors)                                                                                    \
    TILE(name, 1, vectors)                                                                                             \
    TILE(name, 2, vectors)                                                                                             \
    TILE(name, 3, vectors)                                                                                             \
    TILE(name, 4, vectors)

#define TILES_1_TO_6(name, vectors)                                                                                    \
    TILES_1_TO_4(name, vectors)                                                                                        \
    TILE(name, 5, vectors)                                                                                             \
    TILE(name, 6, vectors)

#define TILES_1_TO_8(name, vectors)                                                                                    \
    TILES_1_TO_6(name, vectors)                                                                                        \
    TILE(name, 7, vectors)                                                                                             \
    TILE(name, 8, vectors)

#define TILES_1_TO_12(name, vectors)                                                                                   \
    TILES_1_TO_8(name, vectors)                                                                                        \
    TILE(name, 9, vectors)                                                                                             \
    TILE(name, 10, vectors)                                                                                            \
    TILE(name, 11, vectors)                                                                                            \
    TILE(name, 12, vectors)

#define TILE_NAMES_1_TO_4(name) name##_1, name##_2, name##_3, name##_4
#define TILE_NAMES_1_TO_6(name) TILE_NAMES_1_TO_4(name), name##_5, name##_6
#define TILE_NAMES_1_TO_8(name) TILE_NAMES_1_TO_6(name), name##_7, name##_8
#define TILE_NAMES_1_TO_12(name) TILE_NAMES_1_TO_8(name), name##_9, name##_10, name##_11, name##_12

// `whole` computes blocks of BLOCK_OUTPUTS, `half` one that has TILE_OUTPUTS or fewer. Rows are spread evenly over as
// few tiles as possible. While the first of them run, the next block's weights come from memory, one tile of outputs with
// each, and what it has for each output; past the last block that is a hint without use.
INLINE void for_each_block(const kernels_product *p, const tile_function *whole, const tile_function *half) {
    const size_t count = (p->rows + TILE_ROWS - 1) / TILE_ROWS;
    for (size_t n = p->first_output; n < p->last_output; n += BLOCK_OUTPUTS) {
        struct block block = prepared_block(p, n);
        const tile_function *tiles = block.width > TILE_OUTPUTS ? whole : half;
        prefetch_block(p, n + BLOCK_OUTPUTS);
        for (size_t i = 0, row = 0; i < count; i++) {
            const size_t last = p->rows * (i + 1) / count;
            block.ahead = (BLOCK_TILES + i % BLOCK_TILES) * p->taps * p->inputs * TILE_OUTPUTS;
            tiles[last - row - 1](&block, row);
            row = last;
        }
    }
}

#endif
