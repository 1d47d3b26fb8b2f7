#include "../tables.h"

#if defined(__x86_64__)

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define LANES 8
#include "../vector/kernels.h"

// 8 sums, two vectors of weights, two of inputs, the ones and an intermediate fill 14 of 16 registers.
enum { TILE_ROWS = 4, BLOCK_OUTPUTS = 16, CENTER = 128 };
#include "../vector/product.h"

// The byte product saturates at 2¹⁵, so its operands are |a − 128| ≤ 128 and ±w: a pair adds up to 2 · 128 · 127 at
// most.
INLINE void add_dot_products(vint *sums, vint a, vint w) {
    const __m256i centered = _mm256_xor_si256((__m256i)a, _mm256_set1_epi8(-128));
    const __m256i signed_weights = _mm256_sign_epi8((__m256i)w, centered);
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(centered), signed_weights);
    *sums += (vint)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}
#include "product_dot.h"

enum { QUERY_VECTORS = 2, DOT_ROWS = 4 };
#include "../vector/attention.h"

TILES_1_TO_4(tiles, TILE_VECTORS)
static const tile_function tiles[TILE_ROWS] = {TILE_NAMES_1_TO_4(tiles)};

static void product_u8s8(const kernels_product *p) { for_each_block(p, tiles, tiles); }

#pragma clang attribute pop

const kernels kernels_avx2 = {
    .tier = KERNELS_AVX2,
    .name = "avx2",
    .product_u8s8 = product_u8s8,
    VECTOR_KERNELS,
    ATTENTION_KERNELS,
};

#endif
