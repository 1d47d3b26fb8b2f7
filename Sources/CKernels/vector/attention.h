// Attention with 8-bit products: LANES queries are the lanes of a vector, so that maxima, powers and sums need no
// arithmetic across lanes, probabilities are born in the order in which the next product reads them, and keys and values
// are broadcast from memory.
//
// A tile of QUERY_VECTORS vectors goes over all keys, a block at a time. Only one block's scores exist, in the first-level
// cache.
//
// The including file defines `add_dot_products(sums, a, w)`, which adds (a − DOT_CENTER) · w, DOT_CENTER,
// QUERY_VECTORS, and DOT_ROWS: how many vectors of sums, a multiple of 4, the registers hold for each vector of queries.
#ifndef AUDIOLDM2_VECTOR_ATTENTION_H
#define AUDIOLDM2_VECTOR_ATTENTION_H

#include "../attention_constants.h"
#include "elementwise.h"
#include "transpose.h"

#include <float.h>

typedef VECTOR(uint32_t) vuint;

enum { QUERY_TILE = QUERY_VECTORS * LANES };
_Static_assert(QUERY_TILE <= KERNELS_QUERY_TILE, "the scratch memory would be too small");

INLINE vfloat multiply_add(vfloat a, vfloat b, vfloat c) { return __builtin_elementwise_fma(a, b, c); }

// One tile on its way over the keys.
struct attention_tile {
    const kernels_context *context;
    size_t width;  // rounded up to 4
    vint *queries; // [width / 4][QUERY_VECTORS]: four bytes of every query
    vfloat *sums;  // [width][QUERY_VECTORS], in units of 2^maxima
    vfloat factors[QUERY_VECTORS], maxima[QUERY_VECTORS], totals[QUERY_VECTORS];
    vfloat scores[KERNELS_KEY_BLOCK][QUERY_VECTORS];
    vint probabilities[KERNELS_KEY_BLOCK / 4][QUERY_VECTORS]; // four bytes of every query
};

// Adds to sums[r][v] the products of vectors a[step][v] with the four bytes at w + r · row_stride + step · step_stride.
INLINE void add_steps(const vint *a, size_t steps, size_t vectors, const int8_t *w, size_t rows, size_t row_stride,
                      size_t step_stride, vint sums[DOT_ROWS][QUERY_VECTORS]) {
    // Unrolling would need more registers than there are.
#pragma clang loop unroll(disable)
    for (size_t step = 0; step < steps; step++, a += QUERY_VECTORS, w += step_stride) {
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) {
            int32_t four;
            memcpy(&four, w + r * row_stride, sizeof four);
#pragma clang loop unroll(full)
            for (size_t v = 0; v < vectors; v++) add_dot_products(&sums[r][v], a[v], (vint)four);
        }
    }
}

// `rows` keys from `key` on, which are the block's from `place` on.
INLINE void score_some(struct attention_tile *t, size_t key, size_t place, size_t rows, size_t vectors) {
    const kernels_context *c = t->context;
    vint sums[DOT_ROWS][QUERY_VECTORS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) sums[r][v] = (vint)((DOT_CENTER - 128) * c->key_sums[key + r]);
    }
    add_steps(t->queries, t->width / 4, vectors, c->key_bytes + key * t->width, rows, t->width, 4, sums);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) {
            const vfloat scaled = __builtin_convertvector(sums[r][v], vfloat) * c->key_scales[key + r];
            t->scores[place + r][v] = multiply_add(scaled, t->factors[v], (vfloat)c->key_offsets[key + r]);
        }
    }
}

// p · 2ⁿ for a whole n.
INLINE vfloat scaled_power(vfloat p, vfloat n) {
#if LANES == 16
    return (vfloat)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    return (vfloat)((vuint)p + ((vuint)(n + ROUNDING_SHIFT) << 23));
#endif
}

// round(2ᵗ) for t ≤ 8, plus the bits of ROUNDING_SHIFT.
INLINE vuint shifted_probability(vfloat t) {
    // AVX-512 scales by any power; elsewhere the exponent must not pass below a float's least.
    const vfloat bounded = LANES == 16 ? t : larger(t, (vfloat)LEAST_POWER);
    const vfloat whole = __builtin_elementwise_roundeven(bounded);
    const vfloat r = bounded - whole;
    vfloat p = multiply_add(r, (vfloat)POWER_3, (vfloat)POWER_2);
    p = multiply_add(p, r, (vfloat)POWER_1);
    p = multiply_add(p, r, (vfloat)POWER_0);
    return (vuint)(scaled_power(p, whole) + ROUNDING_SHIFT);
}

// Turns the block's scores into bytes; returns their sums and, in `maxima`, the scores' maxima.
INLINE void find_probabilities(struct attention_tile *t, size_t keys, size_t v, vfloat *maximum, vfloat *total) {
    const uint32_t shift = 0x4B400000;
    vfloat maxima[4];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 4; i++) maxima[i] = t->scores[i][v];
    for (size_t j = 4; j < keys; j += 4) {
#pragma clang loop unroll(full)
        for (size_t i = 0; i < 4; i++) maxima[i] = larger(t->scores[j + i][v], maxima[i]);
    }
    *maximum = larger(larger(maxima[0], maxima[1]), larger(maxima[2], maxima[3]));
    const vfloat offset = *maximum - LOG2_255;
    vuint sum = 0;
    for (size_t j = 0; j < keys; j += 4) {
        vuint p[4];
#pragma clang loop unroll(full)
        for (size_t i = 0; i < 4; i++) p[i] = shifted_probability(t->scores[j + i][v] - offset);
        sum += (p[0] + p[1]) + (p[2] + p[3]) - 4 * shift;
        const vuint word = (p[0] + (p[1] << 8)) + ((p[2] << 16) + (p[3] << 24));
        t->probabilities[j / 4][v] = (vint)(word - (shift + (shift << 8)));
    }
    *total = __builtin_convertvector((vint)sum, vfloat);
}

// Adds the block's probabilities · values for channels [first, first + rows).
INLINE void add_values(struct attention_tile *t, size_t key, size_t keys, size_t first, size_t rows, size_t vectors,
                       const vfloat *before, const vfloat *now) {
    const kernels_context *c = t->context;
    const int32_t *value_sums = c->value_sums + key / KERNELS_KEY_BLOCK * t->width + first;
    vint sums[DOT_ROWS][QUERY_VECTORS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) sums[r][v] = DOT_CENTER ? (vint)(DOT_CENTER * value_sums[r]) : 0;
    }
    add_steps(&t->probabilities[0][0], keys / 4, vectors, c->value_bytes + key * t->width + first * 4, rows, 4,
              t->width * 4, sums);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) {
            vfloat *const sum = &t->sums[(first + r) * QUERY_VECTORS + v];
            const vfloat product = __builtin_convertvector(sums[r][v], vfloat) * now[v];
            *sum = key > 0 ? multiply_add(*sum, before[v], product) : product;
        }
    }
}

INLINE void attend_block(struct attention_tile *t, size_t key, size_t keys, size_t vectors) {
    size_t place = 0;
    for (; place + DOT_ROWS <= keys; place += DOT_ROWS) score_some(t, key + place, place, DOT_ROWS, vectors);
    for (; place < keys; place += 4) score_some(t, key + place, place, 4, vectors);
    vfloat before[QUERY_VECTORS], now[QUERY_VECTORS];
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
        vfloat maximum, total;
        find_probabilities(t, keys, v, &maximum, &total);
        const vfloat largest = larger(maximum, t->maxima[v]);
        before[v] = exponential((t->maxima[v] - largest) * 0.693147181f);
        now[v] = exponential((maximum - largest) * 0.693147181f);
        t->maxima[v] = largest;
        t->totals[v] = t->totals[v] * before[v] + total * now[v];
    }
    size_t i = 0;
    for (; i + DOT_ROWS <= t->width; i += DOT_ROWS) add_values(t, key, keys, i, DOT_ROWS, vectors, before, now);
    for (; i < t->width; i += 4) add_values(t, key, keys, i, 4, vectors, before, now);
}

// −127…127 as integers; NaN gives 0.
INLINE vint rounded_bytes(vfloat x, vfloat inverse_scale) {
    const vfloat scaled = x * inverse_scale;
    const vfloat bounded = smaller(larger(select(scaled == scaled, scaled, (vfloat)0), (vfloat)-127.0f), (vfloat)127.0f);
    return __builtin_convertvector(__builtin_elementwise_roundeven(bounded), vint);
}

// Four vectors of integers as the bytes of one.
INLINE vint joined_bytes(const vint x[4]) {
    return (x[0] & 255) | (x[1] & 255) << 8 | (x[2] & 255) << 16 | (vint)((vuint)x[3] << 24);
}

// Reads one vector of queries and rounds them. `t->sums` serves as memory for their floats.
INLINE void read_queries(struct attention_tile *t, const kernels_attention *a, size_t first, size_t v) {
    const size_t rows = a->queries - first < LANES ? a->queries - first : LANES, width = t->context->width;
    vfloat maximum = 0;
    for (size_t i = 0; i < t->width; i += 4) {
        vfloat columns[4];
        const float *q = a->q + first * a->q_stride + i;
        if (rows == LANES && i + 4 <= width) {
            load_columns(q, a->q_stride, columns);
        } else {
            load_some_columns(q, a->q_stride, rows, width - i, columns);
        }
#pragma clang loop unroll(full)
        for (size_t k = 0; k < 4; k++) {
            t->sums[(i + k) * QUERY_VECTORS + v] = columns[k];
            maximum = larger(magnitude(columns[k]), maximum);
        }
    }
    const vfloat scale = maximum / 127.0f, inverse_scale = select(scale > 0, 1 / scale, (vfloat)0);
    for (size_t i = 0; i < t->width; i += 4) {
        vint bytes[4];
#pragma clang loop unroll(full)
        for (size_t k = 0; k < 4; k++) bytes[k] = rounded_bytes(t->sums[(i + k) * QUERY_VECTORS + v], inverse_scale);
        t->queries[i / 4 * QUERY_VECTORS + v] = joined_bytes(bytes) ^ (int32_t)0x80808080;
    }
    t->factors[v] = scale * (a->scale * INVERSE_LN_2);
    t->maxima[v] = -FLT_MAX;
    t->totals[v] = 0;
}

INLINE void write_results(const struct attention_tile *t, const kernels_attention *a, size_t first, size_t v) {
    const kernels_context *c = t->context;
    const size_t rows = a->queries - first < LANES ? a->queries - first : LANES;
    const vfloat inverse_total = 1 / t->totals[v];
    for (size_t i = 0; i < t->width; i += 4) {
        vfloat columns[4];
#pragma clang loop unroll(full)
        for (size_t k = 0; k < 4; k++) {
            const vfloat mean = t->sums[(i + k) * QUERY_VECTORS + v] * inverse_total;
            columns[k] = multiply_add(mean, (vfloat)c->value_scales[i + k], (vfloat)c->value_means[i + k]);
        }
        float *y = a->y + first * a->y_stride + i;
        if (rows == LANES && i + 4 <= c->width) {
            store_columns(y, a->y_stride, columns);
        } else {
            store_some_columns(y, a->y_stride, rows, c->width - i, columns);
        }
    }
}

INLINE void attend_tile(const kernels_attention *a, size_t first, size_t vectors) {
    struct attention_tile t;
    t.context = a->context;
    t.width = (a->context->width + 3) / 4 * 4;
    t.sums = a->scratch;
    t.queries = (vint *)(t.sums + t.width * QUERY_VECTORS);
    for (size_t v = 0; v < vectors; v++) read_queries(&t, a, first + v * LANES, v);
    const size_t keys = (a->context->keys + 3) / 4 * 4;
    for (size_t key = 0; key < keys; key += KERNELS_KEY_BLOCK) {
        attend_block(&t, key, keys - key < KERNELS_KEY_BLOCK ? keys - key : KERNELS_KEY_BLOCK, vectors);
    }
    for (size_t v = 0; v < vectors; v++) write_results(&t, a, first + v * LANES, v);
}

static void attend_wide(const kernels_attention *a, size_t first) { attend_tile(a, first, QUERY_VECTORS); }
static void attend_narrow(const kernels_attention *a, size_t first) { attend_tile(a, first, 1); }

static void attend_u8s8(const kernels_attention *a) {
    for (size_t first = 0; first < a->queries; first += QUERY_TILE) {
        const size_t left = a->queries - first;
        if (left > (QUERY_VECTORS - 1) * LANES) {
            attend_wide(a, first);
        } else {
            for (size_t i = 0; i < left; i += LANES) attend_narrow(a, first + i);
        }
    }
}

#include "attention_float.h"
#include "attention_pack.h"

#define ATTENTION_KERNELS .pack_context = pack_context, .attend_u8s8 = attend_u8s8, .attend_f32 = attend_f32

#endif
