#include "../tables.h"

#if defined(__x86_64__)

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)

#define LANES 8
#include "../vector/kernels.h"

// 12 sums, two vectors of weights and one of inputs fill 15 of 16 registers.
enum { TILE_ROWS = 6, BLOCK_OUTPUTS = 16, PRODUCT_CENTER = 0 };
#include "../vector/product.h"

INLINE void add_dot_products(vint *sums, vint a, vint w) {
    *sums = (vint)_mm256_dpbusd_avx_epi32((__m256i)*sums, (__m256i)a, (__m256i)w);
}
#include "product_dot.h"

enum { DOT_CENTER = 0, QUERY_VECTORS = 2, DOT_ROWS = 4 };
#include "../vector/attention.h"

TILES_1_TO_6(tiles, TILE_VECTORS)
static const tile_function tiles[TILE_ROWS] = {TILE_NAMES_1_TO_6(tiles)};

static void product_u8s8(const kernels_product *p) { for_each_block(p, tiles, tiles); }

#pragma clang attribute pop

const kernels kernels_avx_vnni = {
    .tier = KERNELS_AVX_VNNI,
    .name = "avxvnni",
    .product_u8s8 = product_u8s8,
    VECTOR_KERNELS,
    ATTENTION_KERNELS,
};

#endif
