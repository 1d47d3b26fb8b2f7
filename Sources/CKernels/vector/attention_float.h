// Attention in floats, tiled like the one with 8-bit products; keys and values are read where they are.
#ifndef AUDIOLDM2_VECTOR_ATTENTION_FLOAT_H
#define AUDIOLDM2_VECTOR_ATTENTION_FLOAT_H

#include "attention_single.h"
#include "norms.h"
#include "transpose.h"

enum { FLOAT_TILE = QUERY_VECTORS * LANES };
_Static_assert(FLOAT_TILE <= KERNELS_QUERY_TILE, "the scratch memory would be too small");

// One tile of queries on its way over the keys.
struct float_tile {
    const kernels_float_attention *a;
    size_t first;    // query
    vfloat *queries; // [width][QUERY_VECTORS]
    vfloat *sums;    // [width][QUERY_VECTORS], in units of e^maxima
    vfloat maxima[QUERY_VECTORS], totals[QUERY_VECTORS];
    vfloat scores[KERNELS_KEY_BLOCK][QUERY_VECTORS]; // then their powers
};

// sums[r][v] += Σ_step x[step][v] · w[r · row_stride + step · step_stride]
INLINE void add_float_steps(const vfloat *x, size_t steps, size_t vectors, const float *w, size_t rows,
                            size_t row_stride, size_t step_stride, vfloat sums[DOT_ROWS][QUERY_VECTORS]) {
#pragma clang loop unroll(disable)
    for (size_t step = 0; step < steps; step++, x += QUERY_VECTORS, w += step_stride) {
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) {
            const vfloat factor = w[r * row_stride];
#pragma clang loop unroll(full)
            for (size_t v = 0; v < vectors; v++) sums[r][v] = multiply_add(x[v], factor, sums[r][v]);
        }
    }
}

// What is added to the scores of one key: mask and bias; −∞ for queries that do not see it.
INLINE vfloat score_offset(const struct float_tile *t, size_t key, size_t v) {
    const kernels_float_attention *a = t->a;
    const size_t first = t->first + v * LANES;
    vfloat offset = a->mask ? a->mask[key] : 0;
    for (size_t lane = 0; (a->bias || key >= a->visible + first) && lane < LANES; lane++) {
        const size_t query = first + lane < a->queries ? first + lane : a->queries - 1;
        if (a->bias) offset[lane] += a->bias[query * a->bias_stride + key];
        if (key >= a->visible + query) offset[lane] = -INFINITY;
    }
    return offset;
}

// `rows` keys from `key` on, which are the block's from `place` on.
INLINE void score_floats(struct float_tile *t, size_t key, size_t place, size_t rows, size_t vectors) {
    const kernels_float_attention *a = t->a;
    vfloat sums[DOT_ROWS][QUERY_VECTORS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) sums[r][v] = 0;
    }
    add_float_steps(t->queries, a->width, vectors, a->k + key * a->k_stride, rows, a->k_stride, 1, sums);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) {
            const vfloat offset = score_offset(t, key + r, v);
            t->scores[place + r][v] = finite_scores(sums[r][v], a->scale, offset, (vfloat)0);
        }
    }
}

// Adds the block's powers · values for channels [first, first + rows).
INLINE void add_float_values(struct float_tile *t, size_t key, size_t keys, size_t first, size_t rows, size_t vectors,
                             const vfloat *before) {
    const kernels_float_attention *a = t->a;
    vfloat sums[DOT_ROWS][QUERY_VECTORS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) sums[r][v] = t->sums[(first + r) * QUERY_VECTORS + v] * before[v];
    }
    add_float_steps(&t->scores[0][0], keys, vectors, a->v + key * a->v_stride + first, rows, 1, a->v_stride, sums);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) t->sums[(first + r) * QUERY_VECTORS + v] = sums[r][v];
    }
}

// Replaces one vector's scores by their powers; returns what earlier sums are worth now.
INLINE vfloat find_powers(struct float_tile *t, size_t keys, size_t v) {
    vfloat maximum = t->maxima[v], total = 0;
    for (size_t j = 0; j < keys; j++) maximum = larger(t->scores[j][v], maximum);
    for (size_t j = 0; j < keys; j++) {
        const vfloat power = exponential(t->scores[j][v] - maximum);
        t->scores[j][v] = power;
        total += power;
    }
    const vfloat before = exponential(t->maxima[v] - maximum);
    t->maxima[v] = maximum;
    t->totals[v] = t->totals[v] * before + total;
    return before;
}

INLINE void attend_float_block(struct float_tile *t, size_t key, size_t keys, size_t vectors) {
    size_t place = 0;
    for (; place + DOT_ROWS <= keys; place += DOT_ROWS) score_floats(t, key + place, place, DOT_ROWS, vectors);
    for (; place < keys; place++) score_floats(t, key + place, place, 1, vectors);
    vfloat before[QUERY_VECTORS];
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) before[v] = find_powers(t, keys, v);
    const size_t width = t->a->width;
    size_t i = 0;
    for (; i + DOT_ROWS <= width; i += DOT_ROWS) add_float_values(t, key, keys, i, DOT_ROWS, vectors, before);
    for (; i + 4 <= width; i += 4) add_float_values(t, key, keys, i, 4, vectors, before);
    for (; i < width; i++) add_float_values(t, key, keys, i, 1, vectors, before);
}

// Brings one vector of queries into columns.
INLINE void read_float_queries(struct float_tile *t, size_t v) {
    const kernels_float_attention *a = t->a;
    const size_t first = t->first + v * LANES, rows = a->queries - first < LANES ? a->queries - first : LANES;
    for (size_t i = 0; i < a->width; i += 4) {
        const float *q = a->q + first * a->q_stride + i;
        vfloat columns[4];
        if (rows == LANES && i + 4 <= a->width) {
            load_columns(q, a->q_stride, columns);
        } else {
            load_some_columns(q, a->q_stride, rows, a->width - i, columns);
        }
        for (size_t k = 0; k < 4 && i + k < a->width; k++) {
            t->queries[(i + k) * QUERY_VECTORS + v] = columns[k];
            t->sums[(i + k) * QUERY_VECTORS + v] = 0;
        }
    }
    t->maxima[v] = -FLT_MAX;
    t->totals[v] = 0;
}

INLINE void write_float_results(const struct float_tile *t, size_t v) {
    const kernels_float_attention *a = t->a;
    const size_t first = t->first + v * LANES, rows = a->queries - first < LANES ? a->queries - first : LANES;
    const vfloat factor = select(t->totals[v] > 0, 1 / t->totals[v], (vfloat)0);
    for (size_t i = 0; i < a->width; i += 4) {
        float *y = a->y + first * a->y_stride + i;
        vfloat columns[4] = {0, 0, 0, 0};
        for (size_t k = 0; k < 4 && i + k < a->width; k++) {
            columns[k] = t->sums[(i + k) * QUERY_VECTORS + v] * factor;
        }
        if (rows == LANES && i + 4 <= a->width) {
            store_columns(y, a->y_stride, columns);
        } else {
            store_some_columns(y, a->y_stride, rows, a->width - i, columns);
        }
    }
}

INLINE void attend_float_tile(const kernels_float_attention *a, size_t first, size_t vectors) {
    struct float_tile t;
    t.a = a;
    t.first = first;
    t.queries = a->scratch;
    t.sums = t.queries + a->width * QUERY_VECTORS;
    for (size_t v = 0; v < vectors; v++) read_float_queries(&t, v);
    // Keys that the tile's last query sees.
    const size_t last = first + vectors * LANES < a->queries ? first + vectors * LANES : a->queries;
    const size_t keys = a->visible + last - 1 < a->keys ? a->visible + last - 1 : a->keys;
    for (size_t key = 0; key < keys; key += KERNELS_KEY_BLOCK) {
        attend_float_block(&t, key, keys - key < KERNELS_KEY_BLOCK ? keys - key : KERNELS_KEY_BLOCK, vectors);
    }
    for (size_t v = 0; v < vectors; v++) write_float_results(&t, v);
}

static void attend_float_wide(const kernels_float_attention *a, size_t first) {
    attend_float_tile(a, first, QUERY_VECTORS);
}
static void attend_float_narrow(const kernels_float_attention *a, size_t first) { attend_float_tile(a, first, 1); }

static void attend_f32(const kernels_float_attention *a) {
    if (a->queries == 1) {
        attend_single(a);
        return;
    }
    for (size_t first = 0; first < a->queries; first += FLOAT_TILE) {
        const size_t left = a->queries - first;
        if (left > (QUERY_VECTORS - 1) * LANES) {
            attend_float_wide(a, first);
        } else {
            for (size_t i = 0; i < left; i += LANES) attend_float_narrow(a, first + i);
        }
    }
}

#endif
