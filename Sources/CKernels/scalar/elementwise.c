#include "scalar.h"

#include <math.h>

float scalar_activation(float x, kernels_activation activation, float slope) {
    switch (activation) {
    case KERNELS_SILU:
        return x / (1 + expf(-x));
    case KERNELS_GELU:
        return 0.5f * x * erfcf(-x * 0.70710678118654752f);
    case KERNELS_GELU_TANH:
        // ½ (1 + tanh u) = 1 / (1 + exp(−2u)), u = √(2/π) · (x + 0.044715 x³)
        return x / (1 + expf(-1.5957691216057308f * (x + 0.044715f * x * x * x)));
    case KERNELS_RELU:
        return x < 0 ? 0 : x;
    case KERNELS_LEAKY_RELU:
        return x < 0 ? slope * x : x;
    case KERNELS_TANH:
        return tanhf(x);
    case KERNELS_NONE:
        break;
    }
    return x;
}

void scalar_activate(const float *x, size_t n, kernels_activation activation, float slope, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = scalar_activation(x[i], activation, slope);
}

void scalar_gate(const float *x, const float *gate, size_t n, kernels_activation activation, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = x[i] * scalar_activation(gate[i], activation, 0);
}

void scalar_finish(const float *x, const float *bias, const float *sample_bias, const float *residual, size_t n,
                   kernels_activation activation, float slope, float *y) {
    for (size_t i = 0; i < n; i++) {
        float value = x[i];
        if (bias) value += bias[i];
        if (sample_bias) value += sample_bias[i];
        value = scalar_activation(value, activation, slope);
        y[i] = residual ? value + residual[i] : value;
    }
}

void scalar_accumulate(const float *x, size_t n, float factor, bool overwrite, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = overwrite ? factor * x[i] : y[i] + factor * x[i];
}

void scalar_pool(const float *x, size_t rows, size_t row_stride, size_t columns, size_t channels, bool takes_largest,
                 float *y) {
    for (size_t c = 0; c < channels; c++) {
        float sum = 0, most = x[c];
        for (size_t r = 0; r < rows; r++) {
            for (size_t k = 0; k < columns; k++) {
                const float value = x[r * row_stride + k * channels + c];
                sum += value;
                most = most > value ? most : value;
            }
        }
        y[c] = takes_largest ? most : sum * (1 / (float)(rows * columns));
    }
}
