// Elementwise kernels over whole vectors, then one part of a vector.
#ifndef AUDIOLDM2_VECTOR_ELEMENTWISE_H
#define AUDIOLDM2_VECTOR_ELEMENTWISE_H

#include "math.h"

INLINE void activate_each(const float *x, size_t n, float slope, float *y, kernels_activation activation) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) store(y + i, activated(load(x + i), activation, slope));
    if (i < n) store_part(y + i, activated(load_part(x + i, n - i), activation, slope), n - i);
}

static void activate(const float *x, size_t n, kernels_activation activation, float slope, float *y) {
    WITH_CONSTANT(activation, activate_each, x, n, slope, y)
}

INLINE void gate_each(const float *x, const float *gates, size_t n, float *y, kernels_activation activation) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) store(y + i, load(x + i) * activated(load(gates + i), activation, 0));
    if (i == n) return;
    const vfloat opening = activated(load_part(gates + i, n - i), activation, 0);
    store_part(y + i, load_part(x + i, n - i) * opening, n - i);
}

static void gate(const float *x, const float *gates, size_t n, kernels_activation activation, float *y) {
    WITH_CONSTANT(activation, gate_each, x, gates, n, y)
}

INLINE void finish_each(const float *x, const float *bias, const float *sample_bias, const float *residual, size_t n,
                        float slope, float *y, kernels_activation activation) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vfloat value = load(x + i);
        if (bias) value += load(bias + i);
        if (sample_bias) value += load(sample_bias + i);
        value = activated(value, activation, slope);
        if (residual) value += load(residual + i);
        store(y + i, value);
    }
    if (i == n) return;
    vfloat value = load_part(x + i, n - i);
    if (bias) value += load_part(bias + i, n - i);
    if (sample_bias) value += load_part(sample_bias + i, n - i);
    value = activated(value, activation, slope);
    if (residual) value += load_part(residual + i, n - i);
    store_part(y + i, value, n - i);
}

static void finish(const float *x, const float *bias, const float *sample_bias, const float *residual, size_t n,
                   kernels_activation activation, float slope, float *y) {
    WITH_CONSTANT(activation, finish_each, x, bias, sample_bias, residual, n, slope, y)
}

static void accumulate_scaled(const float *x, size_t n, float factor, bool overwrite, float *y) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const vfloat base = overwrite ? (vfloat)0 : load(y + i);
        store(y + i, base + factor * load(x + i));
    }
    if (i == n) return;
    const vfloat base = overwrite ? (vfloat)0 : load_part(y + i, n - i);
    store_part(y + i, base + factor * load_part(x + i, n - i), n - i);
}

INLINE void scale_shift_each(const float *x, size_t rows, size_t channels, const float *scale, const float *shift,
                             float *y, kernels_activation activation) {
    for (size_t r = 0; r < rows; r++, x += channels, y += channels) {
        size_t c = 0;
        for (; c + LANES <= channels; c += LANES) {
            store(y + c, activated(load(x + c) * load(scale + c) + load(shift + c), activation, 0));
        }
        if (c == channels) continue;
        const size_t left = channels - c;
        const vfloat value = load_part(x + c, left) * load_part(scale + c, left) + load_part(shift + c, left);
        store_part(y + c, activated(value, activation, 0), left);
    }
}

static void scale_shift(const float *x, size_t rows, size_t channels, const float *scale, const float *shift,
                        kernels_activation activation, float *y) {
    WITH_CONSTANT(activation, scale_shift_each, x, rows, channels, scale, shift, y)
}

INLINE void pool_each(const float *x, size_t rows, size_t row_stride, size_t columns, size_t channels, float *y,
                      bool takes_largest) {
    const float share = 1 / (float)(rows * columns);
    for (size_t c = 0; c < channels; c += LANES) {
        const size_t count = channels - c;
        vfloat result = takes_largest ? load_up_to(x + c, count) : (vfloat)0;
        for (size_t r = 0; r < rows; r++) {
            for (size_t k = 0; k < columns; k++) {
                const vfloat value = load_up_to(x + r * row_stride + k * channels + c, count);
                result = takes_largest ? larger(result, value) : result + value;
            }
        }
        if (!takes_largest) result *= share;
        if (count >= LANES) {
            store(y + c, result);
        } else {
            store_part(y + c, result, count);
        }
    }
}

static void pool(const float *x, size_t rows, size_t row_stride, size_t columns, size_t channels, bool takes_largest,
                 float *y) {
    if (takes_largest) {
        pool_each(x, rows, row_stride, columns, channels, y, true);
    } else {
        pool_each(x, rows, row_stride, columns, channels, y, false);
    }
}

#endif
