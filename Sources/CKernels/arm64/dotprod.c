#include "../tables.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#define LANES 4
#include "../vector/kernels.h"

// 16 sums hide the latency of the instruction everywhere and leave the compiler room to load weights ahead.
enum { TILE_ROWS = 4, BLOCK_OUTPUTS = 16, PRODUCT_CENTER = 128 };
#include "../vector/product.h"

INLINE int8x16_t load_centered(const uint8_t *a) {
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(a), vdupq_n_u8(128)));
}

INLINE int8x16_t broadcast_centered(const uint8_t *a) {
    uint32_t four;
    memcpy(&four, a, sizeof four);
    return vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(vdupq_n_u32(four)), vdupq_n_u8(128)));
}

// Adds the products with weights of four inputs, which are lane `step` of each row's vector.
#define ADD_STEP(step)                                                                                                 \
    _Pragma("clang loop unroll(full)") for (size_t v = 0; v < vectors; v++) {                                          \
        const int8x16_t weights = vld1q_s8(tile + (step) * 64 + v * 16);                                               \
        _Pragma("clang loop unroll(full)") for (size_t r = 0; r < rows; r++) {                                         \
            sums[r][v] = (vint)vdotq_laneq_s32((int32x4_t)sums[r][v], weights, inputs[r], step);                       \
        }                                                                                                              \
    }

INLINE void accumulate(const struct block *block, size_t row, size_t rows, size_t vectors,
                       vint sums[TILE_ROWS][BLOCK_VECTORS]) {
    const kernels_product *p = block->p;
    const int8_t *tile = block->tiles;
    memset(sums, 0, sizeof(vint[TILE_ROWS][BLOCK_VECTORS]));
    for (size_t tap = 0; tap < p->taps; tap++) {
        const uint8_t *const *a = p->a + tap * p->rows + row;
        int8x16_t inputs[TILE_ROWS];
        size_t i = 0;
#pragma clang loop unroll(disable)
        for (; i + 16 <= p->inputs; i += 16, tile += 4 * 64) {
#pragma clang loop unroll(full)
            for (size_t r = 0; r < rows; r++) inputs[r] = load_centered(a[r] + i);
            ADD_STEP(0)
            ADD_STEP(1)
            ADD_STEP(2)
            ADD_STEP(3)
        }
#pragma clang loop unroll(disable)
        for (; i < p->inputs; i += 4, tile += 64) {
#pragma clang loop unroll(full)
            for (size_t r = 0; r < rows; r++) inputs[r] = broadcast_centered(a[r] + i);
            ADD_STEP(0)
        }
    }
}

INLINE void add_dot_products(vint *sums, vint a, vint w) {
    const int8x16_t centered = vreinterpretq_s8_u8(veorq_u8((uint8x16_t)a, vdupq_n_u8(128)));
    *sums = (vint)vdotq_s32((int32x4_t)*sums, centered, (int8x16_t)w);
}

enum { DOT_CENTER = 128, QUERY_VECTORS = 2, DOT_ROWS = 8 };
#include "../vector/attention.h"

TILES_1_TO_4(tiles, TILE_VECTORS)
static const tile_function tiles[TILE_ROWS] = {TILE_NAMES_1_TO_4(tiles)};

static void product_u8s8(const kernels_product *p) { for_each_block(p, tiles, tiles); }

#pragma clang attribute pop

const kernels kernels_neon_dotprod = {
    .tier = KERNELS_NEON_DOTPROD,
    .name = "dotprod",
    .product_u8s8 = product_u8s8,
    VECTOR_KERNELS,
    ATTENTION_KERNELS,
};

#endif
