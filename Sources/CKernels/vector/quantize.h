// Between float and the narrow formats.
#ifndef AUDIOLDM2_VECTOR_QUANTIZE_H
#define AUDIOLDM2_VECTOR_QUANTIZE_H

#include "vector.h"

static float absolute_maximum(const float *x, size_t n) {
    // Two chains hide the latency; a comparison with NaN keeps the other operand.
    vfloat even = 0, odd = 0;
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        even = larger(magnitude(load(x + i)), even);
        odd = larger(magnitude(load(x + i + LANES)), odd);
    }
    for (; i < n; i += LANES) {
        even = larger(magnitude(n - i < LANES ? load_part(x + i, n - i) : load(x + i)), even);
    }
    return largest(larger(even, odd));
}

INLINE vubyte quantized(vfloat x, float inverse_scale) {
    const vfloat value = x * inverse_scale;
    const vfloat number = select(value == value, value, (vfloat)0);
    const vfloat bounded = smaller(larger(number, (vfloat)-127.0f), (vfloat)127.0f);
    const vint rounded = __builtin_convertvector(__builtin_elementwise_roundeven(bounded), vint);
    return __builtin_convertvector(rounded + 128, vubyte);
}

static void quantize_u8(const float *x, size_t n, size_t padded, float inverse_scale, uint8_t *y) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const vubyte bytes = quantized(load(x + i), inverse_scale);
        memcpy(y + i, &bytes, sizeof bytes);
    }
    if (i < n) {
        const vubyte bytes = quantized(load_part(x + i, n - i), inverse_scale);
        memcpy(y + i, &bytes, n - i);
    }
    if (padded > n) memset(y + n, 128, padded - n);
}

// LANES inputs of one output lie in LANES / 4 tiles.
INLINE vfloat gathered(const int8_t *lane, size_t count) {
    vbyte bytes = 0;
    int8_t *const first = (int8_t *)&bytes;
    for (size_t i = 0; i < count; i += 4) memcpy(first + i, lane + i * 16, 4);
    return __builtin_convertvector(bytes, vfloat);
}

static void expand_tiles(const int8_t *tiles, const float *scales, size_t taps, size_t inputs, size_t padded_inputs,
                         size_t first, size_t count, float *y) {
    for (size_t n = first; n < first + count; n++) {
        for (size_t tap = 0; tap < taps; tap++, y += inputs) {
            const int8_t *lane = tiles + (n / 16 * taps + tap) * padded_inputs * 16 + n % 16 * 4;
            size_t i = 0;
            for (; i + LANES <= inputs; i += LANES) store(y + i, scales[n] * gathered(lane + i * 16, LANES));
            if (i < inputs) store_part(y + i, scales[n] * gathered(lane + i * 16, inputs - i), inputs - i);
        }
    }
}

static void expand_s8(const int8_t *x, size_t n, float scale, float *y) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vbyte bytes;
        memcpy(&bytes, x + i, sizeof bytes);
        store(y + i, scale * __builtin_convertvector(bytes, vfloat));
    }
    for (; i < n; i++) y[i] = scale * (float)x[i];
}

INLINE void expand_halves(const uint16_t *x, size_t count, float *y) {
    vhalf halves = 0;
    memcpy(&halves, x, count * sizeof *x);
    const vfloat values = __builtin_convertvector(halves, vfloat);
    memcpy(y, &values, count * sizeof *y);
}

static void expand_f16(const uint16_t *x, size_t n, float *y) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) expand_halves(x + i, LANES, y + i);
    if (i < n) expand_halves(x + i, n - i, y + i);
}

INLINE void narrow_floats(const float *x, size_t count, uint16_t *y) {
    vfloat values = 0;
    memcpy(&values, x, count * sizeof *x);
    const vhalf halves = __builtin_convertvector(values, vhalf);
    memcpy(y, &halves, count * sizeof *y);
}

static void narrow_f16(const float *x, size_t n, uint16_t *y) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) narrow_floats(x + i, LANES, y + i);
    if (i < n) narrow_floats(x + i, n - i, y + i);
}

#endif
