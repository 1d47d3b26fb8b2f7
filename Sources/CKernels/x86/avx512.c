#include "../tables.h"

#if defined(__x86_64__)

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c"))), \
                             apply_to = function)

#define LANES 16
#include "../vector/kernels.h"

// 24 sums, two vectors of weights and one of inputs fill 27 of 32 registers.
enum { TILE_ROWS = 12, BLOCK_OUTPUTS = 32, PRODUCT_CENTER = 0 };
#include "../vector/product.h"

INLINE void add_dot_products(vint *sums, vint a, vint w) {
    *sums = (vint)_mm512_dpbusd_epi32((__m512i)*sums, (__m512i)a, (__m512i)w);
}
#include "product_dot.h"

enum { DOT_CENTER = 0, QUERY_VECTORS = 2, DOT_ROWS = 12 };
#include "../vector/attention.h"

TILES_1_TO_12(whole, 2)
TILES_1_TO_12(half, 1)
static const tile_function whole[TILE_ROWS] = {TILE_NAMES_1_TO_12(whole)};
static const tile_function half[TILE_ROWS] = {TILE_NAMES_1_TO_12(half)};

static void product_u8s8(const kernels_product *p) { for_each_block(p, whole, half); }

#pragma clang attribute pop

const kernels kernels_avx512_vnni = {
    .tier = KERNELS_AVX512_VNNI,
    .name = "avx512vnni",
    .product_u8s8 = product_u8s8,
    VECTOR_KERNELS,
    ATTENTION_KERNELS,
};

#endif
