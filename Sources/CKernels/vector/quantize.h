// Between float and the narrow formats.
#ifndef AUDIOLDM2_VECTOR_QUANTIZE_H
#define AUDIOLDM2_VECTOR_QUANTIZE_H

#include "vector.h"

static void widen_range(const float *x, size_t n, float *low, float *high) {
    // Two chains hide the latency; a comparison with NaN keeps the other operand.
    vfloat lows[2] = {*low, *low}, highs[2] = {*high, *high};
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        const vfloat even = load(x + i), odd = load(x + i + LANES);
        lows[0] = smaller(even, lows[0]);
        lows[1] = smaller(odd, lows[1]);
        highs[0] = larger(even, highs[0]);
        highs[1] = larger(odd, highs[1]);
    }
    for (; i < n; i += LANES) {
        const size_t count = n - i < LANES ? n - i : LANES;
        const vfloat part = count < LANES ? load_part(x + i, count) : load(x + i);
        const vint present = lanes_below(count);
        lows[0] = smaller(select(present, part, lows[0]), lows[0]);
        highs[0] = larger(select(present, part, highs[0]), highs[0]);
    }
    *low = -largest(-smaller(lows[0], lows[1]));
    *high = largest(larger(highs[0], highs[1]));
}

INLINE vubyte quantized(vfloat x, float inverse_scale, int32_t zero) {
    const vfloat value = x * inverse_scale;
    const vfloat number = select(value == value, value, (vfloat)0);
    const vfloat bounded = smaller(larger(number, (vfloat)(float)-zero), (vfloat)(float)(255 - zero));
    const vint rounded = __builtin_convertvector(__builtin_elementwise_roundeven(bounded), vint);
    return __builtin_convertvector(rounded + zero, vubyte);
}

static void quantize_u8(const float *x, size_t n, size_t padded, float inverse_scale, int32_t zero, uint8_t *y) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const vubyte bytes = quantized(load(x + i), inverse_scale, zero);
        memcpy(y + i, &bytes, sizeof bytes);
    }
    if (i < n) {
        const vubyte bytes = quantized(load_part(x + i, n - i), inverse_scale, zero);
        memcpy(y + i, &bytes, n - i);
    }
    if (padded > n) memset(y + n, zero, padded - n);
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
