#include "scalar.h"

#include "../attention_constants.h"

#include <float.h>
#include <math.h>
#include <string.h>

static size_t rounded_up(size_t n) { return (n + 3) / 4 * 4; }

static int quantized(float x, float inverse_scale) {
    const float value = x * inverse_scale;
    if (isnan(value)) return 0;
    return (int)nearbyintf(value < -127 ? -127 : value > 127 ? 127 : value);
}

static float inverse(float scale) { return scale > 0 ? 1 / scale : 0; }

static void column_means(const float *x, size_t stride, const kernels_context *c, float *means) {
    for (size_t i = 0; i < rounded_up(c->width); i++) {
        float sum = 0;
        for (size_t j = 0; i < c->width && j < c->keys; j++) sum += x[j * stride + i];
        means[i] = sum / (float)c->keys;
    }
}

static float largest_difference(const float *x, size_t stride, const float *means, size_t mean_stride, size_t n) {
    float maximum = 0;
    for (size_t i = 0; i < n; i++) {
        const float magnitude = fabsf(x[i * stride] - means[i * mean_stride]);
        if (magnitude > maximum) maximum = magnitude;
    }
    return maximum;
}

static void pack_keys(const float *k, size_t stride, const float *mask, const kernels_context *c) {
    const size_t padded_width = rounded_up(c->width);
    memset(c->key_bytes, 0, rounded_up(c->keys) * padded_width);
    for (size_t j = 0; j < rounded_up(c->keys); j++) {
        c->key_scales[j] = 0;
        c->key_sums[j] = 0;
        c->key_offsets[j] = NO_KEY;
        if (j >= c->keys) continue;
        const float *key = k + j * stride;
        c->key_scales[j] = largest_difference(key, 1, c->key_means, 1, c->width) / 127;
        c->key_offsets[j] = mask ? fmaxf(mask[j] * INVERSE_LN_2, LEAST_OFFSET) : 0;
        for (size_t i = 0; i < c->width; i++) {
            const int byte = quantized(key[i] - c->key_means[i], inverse(c->key_scales[j]));
            c->key_bytes[j * padded_width + i] = (int8_t)byte;
            c->key_sums[j] += byte;
        }
    }
}

static void pack_values(const float *v, size_t stride, const kernels_context *c) {
    const size_t width = rounded_up(c->width), blocks = (c->keys + KERNELS_KEY_BLOCK - 1) / KERNELS_KEY_BLOCK;
    memset(c->value_bytes, 0, rounded_up(c->keys) * width);
    memset(c->value_sums, 0, blocks * width * sizeof *c->value_sums);
    for (size_t i = 0; i < width; i++) {
        c->value_scales[i] = 0;
        if (i >= c->width) continue;
        c->value_scales[i] = largest_difference(v + i, stride, c->value_means + i, 0, c->keys) / 127;
        for (size_t j = 0; j < c->keys; j++) {
            const int byte = quantized(v[j * stride + i] - c->value_means[i], inverse(c->value_scales[i]));
            c->value_bytes[(j / 4 * width + i) * 4 + j % 4] = (int8_t)byte;
            c->value_sums[j / KERNELS_KEY_BLOCK * width + i] += byte;
        }
    }
}

void scalar_pack_context(const float *k, size_t k_stride, const float *v, size_t v_stride, const float *mask,
                         const kernels_context *c) {
    column_means(k, k_stride, c, c->key_means);
    column_means(v, v_stride, c, c->value_means);
    pack_keys(k, k_stride, mask, c);
    pack_values(v, v_stride, c);
}

// round(2ᵗ) for t ≤ 8, in the very operations of the vector kernels.
static int probability(float t) {
    t = t > LEAST_POWER ? t : LEAST_POWER;
    const float shifted = t + ROUNDING_SHIFT;
    const float whole = shifted - ROUNDING_SHIFT;
    const float r = t - whole;
    const float p = fmaf(fmaf(fmaf(r, POWER_3, POWER_2), r, POWER_1), r, POWER_0);
    return (int)nearbyintf(ldexpf(p, (int)whole));
}

// The sums over the blocks seen so far, in units of 2^maximum.
struct sums {
    float maximum, total;
    float *values; // [width]
};

static void attend_block(const kernels_context *c, size_t first, const int8_t *q, float factor, struct sums *sums) {
    const size_t width = rounded_up(c->width), left = c->keys - first;
    const size_t count = left < KERNELS_KEY_BLOCK ? left : KERNELS_KEY_BLOCK;
    float x[KERNELS_KEY_BLOCK], maximum = -FLT_MAX;
    for (size_t j = 0; j < count; j++) {
        int32_t dot = 0;
        for (size_t i = 0; i < width; i++) dot += q[i] * c->key_bytes[(first + j) * width + i];
        const float scaled = (float)dot * c->key_scales[first + j];
        x[j] = fmaf(scaled, factor, c->key_offsets[first + j]);
        if (x[j] > maximum) maximum = x[j];
    }
    int32_t p[KERNELS_KEY_BLOCK], total = 0;
    const float offset = maximum - LOG2_255;
    for (size_t j = 0; j < count; j++) total += p[j] = probability(x[j] - offset);
    const float largest = maximum > sums->maximum ? maximum : sums->maximum;
    const float before = exp2f(sums->maximum - largest), now = exp2f(maximum - largest);
    sums->maximum = largest;
    sums->total = sums->total * before + (float)total * now;
    for (size_t i = 0; i < width; i++) {
        int32_t sum = 0;
        for (size_t j = 0; j < count; j++) sum += p[j] * c->value_bytes[((first + j) / 4 * width + i) * 4 + j % 4];
        sums->values[i] = sums->values[i] * before + (float)sum * now;
    }
}

void scalar_attend_u8s8(const kernels_attention *a) {
    const kernels_context *c = a->context;
    const size_t width = rounded_up(c->width);
    float *values = a->scratch;
    int8_t *bytes = (int8_t *)(values + width);
    for (size_t row = 0; row < a->queries; row++) {
        const float *q = a->q + row * a->q_stride;
        const float scale = largest_difference(q, 1, &(float){0}, 0, c->width) / 127;
        for (size_t i = 0; i < width; i++) bytes[i] = i < c->width ? (int8_t)quantized(q[i], inverse(scale)) : 0;
        memset(values, 0, width * sizeof *values);
        struct sums sums = {.maximum = -FLT_MAX, .values = values};
        const float factor = scale * (a->scale * INVERSE_LN_2);
        for (size_t first = 0; first < c->keys; first += KERNELS_KEY_BLOCK) {
            attend_block(c, first, bytes, factor, &sums);
        }
        for (size_t i = 0; i < c->width; i++) {
            a->y[row * a->y_stride + i] = c->value_means[i] + c->value_scales[i] * (values[i] / sums.total);
        }
    }
}

static void attend_row(const kernels_float_attention *a, size_t row) {
    double *sums = a->scratch;
    const float *q = a->q + row * a->q_stride;
    const size_t keys = a->visible + row < a->keys ? a->visible + row : a->keys;
    float maximum = -FLT_MAX;
    double total = 0;
    for (size_t i = 0; i < a->width; i++) sums[i] = 0;
    // Once for the largest score, then for the sums.
    for (int pass = 0; pass < 2; pass++) {
        for (size_t j = 0; j < keys; j++) {
            float score = 0;
            for (size_t i = 0; i < a->width; i++) score += q[i] * a->k[j * a->k_stride + i];
            score *= a->scale;
            if (a->mask) score += a->mask[j];
            if (a->bias) score += a->bias[row * a->bias_stride + j];
            if (isnan(score) || score == -INFINITY) continue;
            score = fminf(score, FLT_MAX);
            if (pass == 0) {
                maximum = fmaxf(maximum, score);
                continue;
            }
            const double power = expf(score - maximum);
            total += power;
            for (size_t i = 0; i < a->width; i++) sums[i] += power * a->v[j * a->v_stride + i];
        }
    }
    for (size_t i = 0; i < a->width; i++) a->y[row * a->y_stride + i] = total > 0 ? (float)(sums[i] / total) : 0;
}

void scalar_attend_f32(const kernels_float_attention *a) {
    for (size_t row = 0; row < a->queries; row++) attend_row(a, row);
}
