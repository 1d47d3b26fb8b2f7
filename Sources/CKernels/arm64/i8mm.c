#include "../tables.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#pragma clang attribute push(__attribute__((target("i8mm,dotprod"))), apply_to = function)

#define LANES 4
#include "../vector/kernels.h"

// The instruction multiplies two rows of eight inputs with two outputs. A tile is made in two halves of four pairs of
// rows by four of outputs: 16 sums, which leave registers for the weights on their way into pairs.
enum { TILE_ROWS = 8, BLOCK_OUTPUTS = 16, PRODUCT_CENTER = 0, ROW_PAIRS = TILE_ROWS / 2, HALF_VECTORS = 2 };
#include "../vector/product.h"

// Row 0 × output 0, 0 × 1, 1 × 0, 1 × 1; then outputs 2 and 3.
typedef int32x4_t square_pair[2];

INLINE uint8x16_t load_pair(const uint8_t *upper, const uint8_t *lower) {
    return vcombine_u8(vld1_u8(upper), vld1_u8(lower));
}

// The last four inputs, when there are no eight more, beside zeros.
INLINE uint8x16_t load_last_pair(const uint8_t *upper, const uint8_t *lower) {
    uint32_t words[4] = {0};
    memcpy(&words[0], upper, sizeof words[0]);
    memcpy(&words[2], lower, sizeof words[2]);
    return vreinterpretq_u8_u32(vld1q_u32(words));
}

INLINE int32x4_t load_weights(const int8_t *tile) { return vreinterpretq_s32_s8(vld1q_s8(tile)); }

// Adds products with the weights of four outputs: one vector of inputs 0…3 and one of inputs 4…7.
INLINE void add_products(square_pair *squares, size_t pairs, const uint8x16_t *inputs, int32x4_t low, int32x4_t high) {
    const int8x16_t outputs_01 = vreinterpretq_s8_s32(vzip1q_s32(low, high));
    const int8x16_t outputs_23 = vreinterpretq_s8_s32(vzip2q_s32(low, high));
#pragma clang loop unroll(full)
    for (size_t pair = 0; pair < pairs; pair++) {
        squares[pair][0] = vusmmlaq_s32(squares[pair][0], inputs[pair], outputs_01);
        squares[pair][1] = vusmmlaq_s32(squares[pair][1], inputs[pair], outputs_23);
    }
}

INLINE void accumulate_half(const kernels_product *p, const int8_t *tile, size_t row, size_t pairs, size_t rows,
                            square_pair squares[HALF_VECTORS][ROW_PAIRS]) {
    for (size_t tap = 0; tap < p->taps; tap++) {
        // An odd row is its own partner.
        const uint8_t *a[TILE_ROWS];
#pragma clang loop unroll(full)
        for (size_t r = 0; r < 2 * pairs; r++) a[r] = p->a[tap * p->rows + row + (r < rows ? r : rows - 1)];
        uint8x16_t inputs[ROW_PAIRS];
        size_t i = 0;
#pragma clang loop unroll(disable)
        for (; i + 8 <= p->inputs; i += 8, tile += 2 * 64) {
#pragma clang loop unroll(full)
            for (size_t k = 0; k < pairs; k++) inputs[k] = load_pair(a[2 * k] + i, a[2 * k + 1] + i);
#pragma clang loop unroll(full)
            for (size_t v = 0; v < HALF_VECTORS; v++) {
                add_products(squares[v], pairs, inputs, load_weights(tile + v * 16), load_weights(tile + 64 + v * 16));
            }
        }
        if (i == p->inputs) continue;
#pragma clang loop unroll(full)
        for (size_t k = 0; k < pairs; k++) inputs[k] = load_last_pair(a[2 * k] + i, a[2 * k + 1] + i);
#pragma clang loop unroll(full)
        for (size_t v = 0; v < HALF_VECTORS; v++) {
            add_products(squares[v], pairs, inputs, load_weights(tile + v * 16), vdupq_n_s32(0));
        }
        tile += 64;
    }
}

INLINE void accumulate(const struct block *block, size_t row, size_t rows, size_t vectors,
                       vint sums[TILE_ROWS][BLOCK_VECTORS]) {
#pragma clang loop unroll(full)
    for (size_t first = 0; first < vectors; first += HALF_VECTORS) {
        square_pair squares[HALF_VECTORS][ROW_PAIRS];
        memset(squares, 0, sizeof squares);
        accumulate_half(block->p, block->tiles + first * 16, row, (rows + 1) / 2, rows, squares);
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
            for (size_t v = 0; v < HALF_VECTORS; v++) {
                const int64x2_t left = vreinterpretq_s64_s32(squares[v][r / 2][0]);
                const int64x2_t right = vreinterpretq_s64_s32(squares[v][r / 2][1]);
                sums[r][first + v] = (vint)(r % 2 ? vtrn2q_s64(left, right) : vtrn1q_s64(left, right));
            }
        }
    }
}

INLINE void add_dot_products(vint *sums, vint a, vint w) {
    *sums = (vint)vusdotq_s32((int32x4_t)*sums, (uint8x16_t)a, (int8x16_t)w);
}

enum { DOT_CENTER = 0, QUERY_VECTORS = 2, DOT_ROWS = 8 };
#include "../vector/attention.h"

TILES_1_TO_8(tiles, TILE_VECTORS)
static const tile_function tiles[TILE_ROWS] = {TILE_NAMES_1_TO_8(tiles)};

static void product_u8s8(const kernels_product *p) { for_each_block(p, tiles, tiles); }

#pragma clang attribute pop

const kernels kernels_neon_i8mm = {
    .tier = KERNELS_NEON_I8MM,
    .name = "i8mm",
    .product_u8s8 = product_u8s8,
    VECTOR_KERNELS,
    ATTENTION_KERNELS,
};

#endif
