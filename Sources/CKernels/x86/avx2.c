#include "../tables.h"

#if defined(__x86_64__)

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define LANES 8
#include "../vector/kernels.h"

// 8 sums, four vectors of weights, two of inputs and two intermediates fill the 16 registers.
enum { TILE_ROWS = 4, BLOCK_OUTPUTS = 16, PRODUCT_CENTER = 0 };
#include "../vector/product.h"

// Inputs that are widened at a time, which stay in the first-level cache.
enum { WIDE_INPUTS = 512 };

// Every four inputs in 16 bits each: the first and third in one number, the second and fourth in the other.
struct wide_row {
    int32_t even[WIDE_INPUTS / 4], odd[WIDE_INPUTS / 4];
};

INLINE void widen_inputs(const uint8_t *a, size_t count, struct wide_row *row) {
    for (size_t i = 0; i < count; i += 32) {
        __m256i bytes = _mm256_setzero_si256();
        if (count - i >= 32) {
            bytes = _mm256_loadu_si256((const __m256i *)(a + i));
        } else {
            memcpy(&bytes, a + i, count - i);
        }
        _mm256_storeu_si256((__m256i *)(row->even + i / 4), _mm256_and_si256(bytes, _mm256_set1_epi16(255)));
        _mm256_storeu_si256((__m256i *)(row->odd + i / 4), _mm256_srli_epi16(bytes, 8));
    }
}

// The products of inputs of one row with the weights of LANES outputs.
INLINE vint paired_products(const struct wide_row *row, size_t i, __m256i even, __m256i odd) {
    return (vint)_mm256_madd_epi16(_mm256_set1_epi32(row->even[i]), even) +
           (vint)_mm256_madd_epi16(_mm256_set1_epi32(row->odd[i]), odd);
}

// The byte product saturates at 2¹⁵, so bytes are products of 16 bits: weights are widened as they are read.
INLINE void accumulate(const struct block *block, size_t row, size_t rows, size_t vectors,
                       vint sums[TILE_ROWS][BLOCK_VECTORS]) {
    const kernels_product *p = block->p;
    const int8_t *tile = block->tiles;
    const size_t ahead = block->ahead;
    struct wide_row wide[TILE_ROWS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) sums[r][v] = 0;
    }
    for (size_t tap = 0; tap < p->taps; tap++) {
        for (size_t first = 0; first < p->inputs; first += WIDE_INPUTS) {
            const size_t count = p->inputs - first < WIDE_INPUTS ? p->inputs - first : WIDE_INPUTS;
            for (size_t r = 0; r < rows; r++) widen_inputs(p->a[tap * p->rows + row + r] + first, count, &wide[r]);
            // Unrolling would need more registers than there are.
#pragma clang loop unroll(disable)
            for (size_t i = 0; i < count / 4; i++, tile += TILE_OUTPUTS * 4) {
                __builtin_prefetch(tile + ahead, 0, 2);
                __m256i even[BLOCK_VECTORS], odd[BLOCK_VECTORS];
#pragma clang loop unroll(full)
                for (size_t v = 0; v < vectors; v++) {
                    const __m256i weights = _mm256_loadu_si256((const __m256i *)(tile + v * sizeof(vint)));
                    even[v] = _mm256_srai_epi16(_mm256_slli_epi16(weights, 8), 8);
                    odd[v] = _mm256_srai_epi16(weights, 8);
                }
#pragma clang loop unroll(full)
                for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
                    for (size_t v = 0; v < vectors; v++) sums[r][v] += paired_products(&wide[r], i, even[v], odd[v]);
                }
            }
        }
    }
}

// The byte product saturates at 2¹⁵, so its operands are |a − 128| ≤ 128 and ±w: a pair adds up to 2 · 128 · 127 at
// most.
INLINE void add_dot_products(vint *sums, vint a, vint w) {
    const __m256i centered = _mm256_xor_si256((__m256i)a, _mm256_set1_epi8(-128));
    const __m256i signed_weights = _mm256_sign_epi8((__m256i)w, centered);
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(centered), signed_weights);
    *sums += (vint)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

enum { DOT_CENTER = 128, QUERY_VECTORS = 2, DOT_ROWS = 4 };
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
