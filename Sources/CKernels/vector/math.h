// Exponential, tanh and the activations. Polynomials are minimax fits of our own.
#ifndef AUDIOLDM2_VECTOR_MATH_H
#define AUDIOLDM2_VECTOR_MATH_H

#include "../include/kernels.h"
#include "vector.h"

// Relative error below 1.5e-7 from −87.6 to 88.3; 0 below, +∞ above, 0 for NaN.
INLINE vfloat exponential(vfloat x) {
    x = smaller(larger(x, (vfloat)-88.0f), (vfloat)89.0f);
    const vfloat n = __builtin_elementwise_roundeven(x * 1.44269504f);
    // ln 2 in two parts, of which the first has few enough bits for n · part to be exact.
    const vfloat r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    vfloat p = r * 1.3813145e-3f + 8.369419e-3f;
    p = p * r + 4.1668456e-2f;
    p = p * r + 0.16666515f;
    p = p * r + 0.49999994f;
    p = p * (r * r) + r + 1;
    // 2ⁿ for −126 ≤ n ≤ 127; the clamp lets n reach −127 and 128, whose bits are those of 0 and +∞.
    const vint exponent = (__builtin_convertvector(n, vint) + 127) << 23;
    return p * (vfloat)exponent;
}

INLINE vfloat silu(vfloat x) { return x / (1 + exponential(-x)); }

// x Φ(x) = max(x, 0) − |x| Φ(−|x|) with Φ(−u) = exp(−q(u)); absolute error below 1e-7 · max(1, |x|).
INLINE vfloat gelu(vfloat x) {
    const vfloat u = smaller(magnitude(x), (vfloat)16.0f);
    vfloat q = u * 1.3806799e-6f - 2.0289819e-5f;
    q = q * u + 9.571555e-5f;
    q = q * u + 1.7566863e-4f;
    q = q * u - 5.0020200e-3f;
    q = q * u + 3.6461655e-2f;
    q = q * u + 0.31827393f;
    q = q * u + 0.79788846f;
    q = q * u + 0.6931471f;
    return larger((vfloat)0.0f, x) - u * exponential(-q);
}

// ½ (1 + tanh v) = 1 / (1 + exp(−2v)), v = √(2/π) · (x + 0.044715 x³)
INLINE vfloat gelu_tanh(vfloat x) {
    const vfloat v = x + 0.044715f * x * x * x;
    return x / (1 + exponential(-1.59576912f * v));
}

INLINE vfloat hyperbolic_tangent(vfloat x) {
    const vfloat u = magnitude(x), square = x * x;
    vfloat p = square * -5.7049800e-3f + 2.0639080e-2f;
    p = p * square - 5.3739710e-2f;
    p = p * square + 0.13331442f;
    p = p * square - 0.3333328f;
    const vfloat near = x + x * square * p;
    const vfloat far = 1 - 2 / (1 + exponential(2 * u));
    const vfloat signed_far = (vfloat)((vint)far | ((vint)x & (int32_t)0x80000000));
    // NaN takes the polynomial, which keeps it.
    return select(u > 0.625f, signed_far, near);
}

INLINE vfloat activated(vfloat x, kernels_activation activation, float slope) {
    switch (activation) {
    case KERNELS_SILU:
        return silu(x);
    case KERNELS_GELU:
        return gelu(x);
    case KERNELS_GELU_TANH:
        return gelu_tanh(x);
    case KERNELS_RELU:
        return larger((vfloat)0.0f, x);
    case KERNELS_LEAKY_RELU:
        return select(x < 0, x * slope, x);
    case KERNELS_TANH:
        return hyperbolic_tangent(x);
    case KERNELS_NONE:
        break;
    }
    return x;
}

// Calls `function(…, activation)` with the activation as a constant, so that each gets a loop of its own.
#define WITH_CONSTANT(activation, function, ...)                                                                       \
    switch (activation) {                                                                                              \
    case KERNELS_SILU:                                                                                                 \
        function(__VA_ARGS__, KERNELS_SILU);                                                                           \
        break;                                                                                                         \
    case KERNELS_GELU:                                                                                                 \
        function(__VA_ARGS__, KERNELS_GELU);                                                                           \
        break;                                                                                                         \
    case KERNELS_GELU_TANH:                                                                                            \
        function(__VA_ARGS__, KERNELS_GELU_TANH);                                                                      \
        break;                                                                                                         \
    case KERNELS_RELU:                                                                                                 \
        function(__VA_ARGS__, KERNELS_RELU);                                                                           \
        break;                                                                                                         \
    case KERNELS_LEAKY_RELU:                                                                                           \
        function(__VA_ARGS__, KERNELS_LEAKY_RELU);                                                                     \
        break;                                                                                                         \
    case KERNELS_TANH:                                                                                                 \
        function(__VA_ARGS__, KERNELS_TANH);                                                                           \
        break;                                                                                                         \
    case KERNELS_NONE:                                                                                                 \
        function(__VA_ARGS__, KERNELS_NONE);                                                                           \
        break;                                                                                                         \
    }

#endif
