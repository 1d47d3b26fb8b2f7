#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum contents { RANDOM, SATURATING, SMALL, CONSTANT, NONFINITE, CONTENTS } contents;
typedef enum masking { NO_MASK, SOME_MASKED, ALL_MASKED, INFINITE, MASKINGS } masking;

typedef struct attention_case {
    size_t queries, keys, width;
    contents contents;
    masking masking;
} attention_case;

typedef struct operands {
    size_t stride;
    float *q, *k, *v, *mask;
} operands;

static size_t rounded_up(size_t n) { return (n + 3) / 4 * 4; }

static void fill(random_source *random, float *x, size_t n, contents contents) {
    const float limit = contents == SMALL ? 1e-30f : 3;
    for (size_t i = 0; i < n; i++) {
        x[i] = contents == CONSTANT ? 0.25f : random_float(random, limit);
        if (contents == SATURATING) x[i] = random_below(random, 2) ? 4 : -4;
    }
    const float values[] = {NAN, INFINITY, -INFINITY, 3e38f};
    for (int i = 0; contents == NONFINITE && i < 4; i++) x[random_below(random, n)] = values[i];
}

static operands make_operands(random_source *random, const attention_case *c) {
    // Heads lie side by side in rows.
    operands o = {.stride = c->width + random_below(random, 5)};
    const size_t queries = (c->queries - 1) * o.stride + c->width, keys = (c->keys - 1) * o.stride + c->width;
    o.q = allocate_floats(queries);
    o.k = allocate_floats(keys);
    o.v = allocate_floats(keys);
    o.mask = allocate_floats(c->keys);
    fill(random, o.q, queries, c->contents);
    fill(random, o.k, keys, c->contents);
    fill(random, o.v, keys, c->contents);
    for (size_t j = 0; j < c->keys; j++) {
        const bool masked = c->masking == ALL_MASKED || (c->masking != NO_MASK && random_below(random, 2));
        o.mask[j] = !masked ? random_float(random, 1) : c->masking == INFINITE ? -INFINITY : -10000;
    }
    return o;
}

static void free_operands(operands *o) {
    float *const buffers[] = {o->q, o->k, o->v, o->mask};
    for (int i = 0; i < 4; i++) free(buffers[i]);
}

static kernels_context make_context(size_t keys, size_t width) {
    const size_t k = rounded_up(keys), w = rounded_up(width), blocks = (keys + KERNELS_KEY_BLOCK - 1) / KERNELS_KEY_BLOCK;
    return (kernels_context){
        .keys = keys,
        .width = width,
        .key_bytes = allocate(k * w),
        .key_scales = allocate_floats(k),
        .key_offsets = allocate_floats(k),
        .key_sums = allocate(k * sizeof(int32_t)),
        .value_bytes = allocate(k * w),
        .value_scales = allocate_floats(w),
        .value_means = allocate_floats(w),
        .value_sums = allocate(blocks * w * sizeof(int32_t)),
        .key_means = allocate_floats(w),
    };
}

static void free_context(kernels_context *c) {
    void *const buffers[] = {c->key_bytes,    c->key_scales,  c->key_offsets, c->key_sums, c->value_bytes,
                             c->value_scales, c->value_means, c->value_sums,  c->key_means};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) free(buffers[i]);
}

static void expect_same(kernel_report *report, const void *found, const void *expected, size_t bytes, const char *what,
                        const char *part) {
    expect(report, memcmp(found, expected, bytes) == 0, "%s: %s", what, part);
}

static void expect_same_context(kernel_report *report, const kernels_context *f, const kernels_context *e,
                                const char *what) {
    const size_t k = rounded_up(e->keys), w = rounded_up(e->width);
    const size_t blocks = (e->keys + KERNELS_KEY_BLOCK - 1) / KERNELS_KEY_BLOCK;
    expect_same(report, f->key_bytes, e->key_bytes, k * w, what, "keys");
    expect_same(report, f->key_scales, e->key_scales, k * sizeof(float), what, "scales of keys");
    expect_same(report, f->key_offsets, e->key_offsets, k * sizeof(float), what, "offsets of keys");
    expect_same(report, f->key_sums, e->key_sums, k * sizeof(int32_t), what, "sums of keys");
    expect_same(report, f->value_bytes, e->value_bytes, k * w, what, "values");
    expect_same(report, f->value_scales, e->value_scales, w * sizeof(float), what, "scales of values");
    expect_same(report, f->value_sums, e->value_sums, blocks * w * sizeof(int32_t), what, "sums of values");
    for (size_t i = 0; i < w; i++) {
        expect_close(report, f->value_means[i], (double)e->value_means[i], 0, 0, what, i);
    }
}

static float *attend(const kernels *table, const attention_case *c, const operands *o, const kernels_context *context) {
    const size_t count = (c->queries - 1) * o->stride + c->width;
    float *y = allocate_floats(count);
    fill_untouched(y, count);
    void *scratch = aligned_alloc(64, (9 * KERNELS_QUERY_TILE * rounded_up(c->width) + 63) / 64 * 64);
    if (!scratch) abort();
    const kernels_attention attention = {
        .queries = c->queries,
        .q = o->q,
        .q_stride = o->stride,
        .context = context,
        .scale = 0.7f,
        .y = y,
        .y_stride = o->stride,
        .scratch = scratch,
    };
    table->attend_u8s8(&attention);
    free(scratch);
    return y;
}

static void check_case(const kernels *table, kernel_report *report, random_source *random, attention_case c) {
    const kernels *scalar = kernels_for_tier(KERNELS_SCALAR);
    operands o = make_operands(random, &c);
    kernels_context found_context = make_context(c.keys, c.width), context = make_context(c.keys, c.width);
    const float *mask = c.masking == NO_MASK ? NULL : o.mask;
    table->pack_context(o.k, o.stride, o.v, o.stride, mask, &found_context);
    scalar->pack_context(o.k, o.stride, o.v, o.stride, mask, &context);
    char what[120];
    snprintf(what, sizeof what, "attention: queries %zu, keys %zu, width %zu, contents %d, masking %d", c.queries, c.keys,
             c.width, c.contents, c.masking);
    expect_same_context(report, &found_context, &context, what);
    float *found = attend(table, &c, &o, &context), *expected = attend(scalar, &c, &o, &context);
    // Integers are the same; only a few sums of floats are not. What comes of NaN is not said.
    const double magnitude = c.contents == SMALL ? 1e-30 : 4;
    const size_t count = c.contents == NONFINITE ? 0 : (c.queries - 1) * o.stride + c.width;
    for (size_t i = 0; i < count; i++) {
        expect_close(report, found[i], (double)expected[i], 2e-6, 5e-7 * magnitude, what, i);
    }
    free(found);
    free(expected);
    free_context(&found_context);
    free_context(&context);
    free_operands(&o);
}

void check_attention(const kernels *table, kernel_report *report) {
    random_source random = {9};
    for (contents contents = RANDOM; contents < CONTENTS; contents++) {
        for (masking masking = NO_MASK; masking < MASKINGS; masking++) {
            for (int i = 0; i < 12; i++) {
                const attention_case c = {1 + random_below(&random, 70), 1 + random_below(&random, 220),
                                          1 + random_below(&random, 90), contents, masking};
                check_case(table, report, &random, c);
            }
        }
    }
    for (size_t keys = 1; keys < 30; keys++) {
        check_case(table, report, &random, (attention_case){keys + 3, keys, 32, RANDOM, NO_MASK});
    }
    check_case(table, report, &random, (attention_case){33, 1024, 32, RANDOM, NO_MASK});
    check_case(table, report, &random, (attention_case){40, 300, 512, SATURATING, NO_MASK});
}

// How far 8 bits are from the attention that they stand for.
static double relative_error(const kernels *table, random_source *random, attention_case c, double spread) {
    operands o = make_operands(random, &c);
    for (size_t i = 0; i < (c.queries - 1) * o.stride + c.width; i++) o.q[i] *= (float)spread;
    kernels_context context = make_context(c.keys, c.width);
    table->pack_context(o.k, o.stride, o.v, o.stride, o.mask, &context);
    float *y = attend(table, &c, &o, &context);
    double *weights = allocate(c.keys * sizeof *weights), errors = 0, squares = 0;
    for (size_t i = 0; i < c.queries; i++) {
        double maximum = (double)-INFINITY, total = 0;
        for (size_t j = 0; j < c.keys; j++) {
            double dot = 0;
            for (size_t k = 0; k < c.width; k++) dot += (double)o.q[i * o.stride + k] * (double)o.k[j * o.stride + k];
            weights[j] = (double)0.7f * dot + (double)o.mask[j];
            maximum = fmax(maximum, weights[j]);
        }
        for (size_t j = 0; j < c.keys; j++) total += weights[j] = exp(weights[j] - maximum);
        for (size_t k = 0; k < c.width; k++) {
            double expected = 0;
            for (size_t j = 0; j < c.keys; j++) expected += weights[j] / total * (double)o.v[j * o.stride + k];
            const double error = (double)y[i * o.stride + k] - expected;
            errors += error * error;
            squares += expected * expected;
        }
    }
    free(weights);
    free(y);
    free_context(&context);
    free_operands(&o);
    return sqrt(errors / squares);
}

void check_attention_error(const kernels *table, kernel_report *report) {
    random_source random = {10};
    const struct {
        double spread, bound;
    } cases[] = {{0.001, 0.02}, {0.05, 0.02}, {0.3, 0.03}};
    for (int i = 0; i < 600; i++) {
        const attention_case c = {3, 1 + random_below(&random, 300), 32, RANDOM, i % 2 ? SOME_MASKED : NO_MASK};
        const double error = relative_error(table, &random, c, cases[i % 3].spread);
        expect(report, error < cases[i % 3].bound, "attention: a relative error of %g for %zu keys, spread %g", error,
               c.keys, cases[i % 3].spread);
    }
    // Every other result is compared elsewhere; here they count once per query.
    report->comparisons += 600 * 2;
}

typedef struct float_case {
    size_t queries, keys, width, visible;
    contents contents;
    masking masking;
    bool bias;
} float_case;

static float *attend_floats(const kernels *table, const float_case *c, const operands *o, const float *bias) {
    const size_t count = (c->queries - 1) * o->stride + c->width;
    float *y = allocate_floats(count);
    fill_untouched(y, count);
    void *scratch = aligned_alloc(64, (9 * KERNELS_QUERY_TILE * rounded_up(c->width) + 63) / 64 * 64);
    if (!scratch) abort();
    const kernels_float_attention attention = {
        .queries = c->queries,
        .keys = c->keys,
        .width = c->width,
        .q = o->q,
        .q_stride = o->stride,
        .k = o->k,
        .k_stride = o->stride,
        .v = o->v,
        .v_stride = o->stride,
        .scale = 0.7f,
        .mask = c->masking == NO_MASK ? NULL : o->mask,
        .bias = c->bias ? bias : NULL,
        .bias_stride = c->keys,
        .visible = c->visible,
        .y = y,
        .y_stride = o->stride,
        .scratch = scratch,
    };
    table->attend_f32(&attention);
    free(scratch);
    return y;
}

static void check_float_case(const kernels *table, kernel_report *report, random_source *random, float_case c) {
    operands o = make_operands(random, &(attention_case){c.queries, c.keys, c.width, c.contents, c.masking});
    float *bias = allocate_floats(c.queries * c.keys);
    fill_floats(random, bias, c.queries * c.keys, 4);
    // Scores small enough for their rounding to be: a score's error is a relative error of its power.
    for (size_t i = 0; i < (c.queries - 1) * o.stride + c.width; i++) o.q[i] *= 0.05f;
    float *found = attend_floats(table, &c, &o, bias);
    float *expected = attend_floats(kernels_for_tier(KERNELS_SCALAR), &c, &o, bias);
    char what[140];
    snprintf(what, sizeof what, "float attention: queries %zu, keys %zu of which %zu, width %zu, masking %d%s", c.queries,
             c.keys, c.visible, c.width, c.masking, c.bias ? ", bias" : "");
    for (size_t i = 0; i < (c.queries - 1) * o.stride + c.width; i++) {
        // A score near −10000 is rounded to a thousandth.
        const double tolerance = c.masking == ALL_MASKED ? 1e-3 : 1e-5;
        expect_close(report, found[i], (double)expected[i], tolerance, tolerance, what, i);
    }
    free(bias);
    free(found);
    free(expected);
    free_operands(&o);
}

void check_float_attention(const kernels *table, kernel_report *report) {
    random_source random = {11};
    for (masking masking = NO_MASK; masking < MASKINGS; masking++) {
        for (int options = 0; options < 16; options++) {
            for (int i = 0; i < 4; i++) {
                const size_t queries = i == 0 ? 1 : 1 + random_below(&random, 70);
                const size_t keys = queries + random_below(&random, 200);
                const bool causal = options & 1;
                check_float_case(table, report, &random,
                                 (float_case){queries, keys, 1 + random_below(&random, 90),
                                              causal ? keys - queries + 1 : keys, options & 2 ? SATURATING : RANDOM,
                                              masking, options & 4});
            }
        }
    }
    for (size_t n = 1; n < 40; n++) {
        check_float_case(table, report, &random, (float_case){n, n, 64, 1, RANDOM, NO_MASK, false});
        check_float_case(table, report, &random, (float_case){1, n, 64, n, RANDOM, SOME_MASKED, false});
    }
    check_float_case(table, report, &random, (float_case){33, 1024, 512, 1024, RANDOM, NO_MASK, false});
}
