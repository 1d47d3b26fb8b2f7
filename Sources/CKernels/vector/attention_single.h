// Attention of a single query in floats, as of a model that makes one token after another: with nothing to fill the lanes
// but channels, and keys where scores become powers.
#ifndef AUDIOLDM2_VECTOR_ATTENTION_SINGLE_H
#define AUDIOLDM2_VECTOR_ATTENTION_SINGLE_H

#include "norms.h"
#include "product_float.h"

_Static_assert(KERNELS_KEY_BLOCK % LANES == 0, "a block's scores would not fill vectors");

enum { SINGLE_KEYS = 4, SINGLE_VECTORS = 4 };

struct single_query {
    const kernels_float_attention *a;
    size_t keys;  // that it sees
    vfloat *sums; // [width / LANES, rounded up], in units of e^maximum
    float maximum, total;
    float scores[KERNELS_KEY_BLOCK]; // then their powers
};

// Products of the query with keys `key` … `key` + rows.
INLINE void score_keys(struct single_query *s, size_t key, size_t place, size_t rows) {
    const kernels_float_attention *a = s->a;
    const float *k = a->k + key * a->k_stride;
    vfloat sums[SINGLE_KEYS] = {0, 0, 0, 0};
    for (size_t i = 0; i < a->width; i += LANES) {
        const vfloat q = load_up_to(a->q + i, a->width - i);
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) {
            sums[r] = multiply_add(q, load_up_to(k + r * a->k_stride + i, a->width - i), sums[r]);
        }
    }
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) s->scores[place + r] = lane_total(sums[r]);
}

// Replaces a block's scores by their powers; returns what earlier sums are worth now.
INLINE float single_powers(struct single_query *s, size_t key, size_t keys) {
    const kernels_float_attention *a = s->a;
    vfloat maxima = s->maximum, total = 0;
    for (size_t j = 0; j < keys; j += LANES) {
        const size_t count = keys - j;
        const vfloat bias = a->bias ? load_up_to(a->bias + key + j, count) : 0;
        const vfloat mask = a->mask ? load_up_to(a->mask + key + j, count) : 0;
        const vfloat scores = finite_scores(load(s->scores + j), a->scale, mask + bias, (vfloat)0);
        const vfloat present = count >= LANES ? scores : select(lanes_below(count), scores, (vfloat)-INFINITY);
        store(s->scores + j, present);
        maxima = larger(present, maxima);
    }
    const float maximum = largest(maxima);
    for (size_t j = 0; j < keys; j += LANES) {
        const vfloat powers = exponential(load(s->scores + j) - maximum);
        store(s->scores + j, powers);
        total += powers;
    }
    const float before = exponential((vfloat)(s->maximum - maximum))[0];
    s->maximum = maximum;
    s->total = s->total * before + lane_total(total);
    return before;
}

// Adds powers · values to `vectors` vectors of channels from `first` on.
INLINE void add_single_values(struct single_query *s, size_t key, size_t keys, size_t first, size_t vectors,
                              float before) {
    const kernels_float_attention *a = s->a;
    const float *v = a->v + key * a->v_stride + first;
    vfloat *const kept = s->sums + first / LANES, sums[SINGLE_VECTORS];
#pragma clang loop unroll(full)
    for (size_t c = 0; c < vectors; c++) sums[c] = kept[c] * before;
    for (size_t j = 0; j < keys; j++, v += a->v_stride) {
#pragma clang loop unroll(full)
        for (size_t c = 0; c < vectors; c++) {
            const vfloat value = vectors > 1 ? load(v + c * LANES) : load_up_to(v, a->width - first);
            sums[c] = multiply_add((vfloat)s->scores[j], value, sums[c]);
        }
    }
#pragma clang loop unroll(full)
    for (size_t c = 0; c < vectors; c++) kept[c] = sums[c];
}

static void attend_single(const kernels_float_attention *a) {
    struct single_query s = {.a = a, .sums = a->scratch, .maximum = -FLT_MAX};
    s.keys = a->visible < a->keys ? a->visible : a->keys;
    memset(s.sums, 0, (a->width + LANES - 1) / LANES * sizeof(vfloat));
    for (size_t key = 0; key < s.keys; key += KERNELS_KEY_BLOCK) {
        const size_t keys = s.keys - key < KERNELS_KEY_BLOCK ? s.keys - key : KERNELS_KEY_BLOCK;
        size_t place = 0;
        for (; place + SINGLE_KEYS <= keys; place += SINGLE_KEYS) score_keys(&s, key + place, place, SINGLE_KEYS);
        for (; place < keys; place++) score_keys(&s, key + place, place, 1);
        const size_t filled = (keys + LANES - 1) / LANES * LANES;
        memset(s.scores + keys, 0, (filled - keys) * sizeof(float));
        const float before = single_powers(&s, key, keys);
        size_t first = 0;
        for (; first + SINGLE_VECTORS * LANES <= a->width; first += SINGLE_VECTORS * LANES) {
            add_single_values(&s, key, keys, first, SINGLE_VECTORS, before);
        }
        for (; first < a->width; first += LANES) add_single_values(&s, key, keys, first, 1, before);
    }
    const float factor = s.total > 0 ? 1 / s.total : 0;
    for (size_t i = 0; i < a->width; i += LANES) {
        const vfloat y = s.sums[i / LANES] * factor;
        if (a->width - i >= LANES) {
            store(a->y + i, y);
        } else {
            store_part(a->y + i, y, a->width - i);
        }
    }
}

#endif
