#include "scalar.h"

#include <math.h>
#include <string.h>

void scalar_widen_range(const float *x, size_t n, float *low, float *high) {
    for (size_t i = 0; i < n; i++) {
        if (x[i] < *low) *low = x[i];
        if (x[i] > *high) *high = x[i];
    }
}

void scalar_quantize_u8(const float *x, size_t n, size_t padded, float inverse_scale, int32_t zero, uint8_t *y) {
    const float lowest = (float)-zero, highest = (float)(255 - zero);
    for (size_t i = 0; i < n; i++) {
        float value = x[i] * inverse_scale;
        if (isnan(value)) value = 0;
        if (value > highest) value = highest;
        if (value < lowest) value = lowest;
        y[i] = (uint8_t)(zero + (int)nearbyintf(value));
    }
    if (padded > n) memset(y + n, zero, padded - n);
}

void scalar_expand_tiles(const int8_t *tiles, const float *scales, size_t taps, size_t inputs, size_t padded_inputs,
                         size_t first, size_t count, float *y) {
    for (size_t n = first; n < first + count; n++) {
        for (size_t tap = 0; tap < taps; tap++) {
            const int8_t *tile = tiles + (n / 16 * taps + tap) * padded_inputs * 16 + n % 16 * 4;
            for (size_t i = 0; i < inputs; i++) *y++ = scales[n] * (float)tile[i / 4 * 64 + i % 4];
        }
    }
}

void scalar_expand_s8(const int8_t *x, size_t n, float scale, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = scale * (float)x[i];
}

static float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void scalar_expand_f16(const uint16_t *x, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) {
        const uint32_t sign = (uint32_t)(x[i] & 0x8000) << 16, magnitude = x[i] & 0x7FFF;
        if (magnitude >= 0x7C00) {
            // Infinity and NaN; a signalling NaN becomes quiet.
            const uint32_t quiet = magnitude > 0x7C00 ? 0x400000 : 0;
            y[i] = from_bits(sign | 0x7F800000 | quiet | (magnitude & 0x3FF) << 13);
        } else if (magnitude >= 0x0400) {
            y[i] = from_bits(sign | ((magnitude << 13) + ((127 - 15) << 23)));
        } else {
            // Subnormal: a multiple of 2⁻²⁴, which float holds exactly.
            y[i] = from_bits(sign | to_bits((float)magnitude * 0x1p-24f));
        }
    }
}

void scalar_narrow_f16(const float *x, size_t n, uint16_t *y) {
    for (size_t i = 0; i < n; i++) {
        const uint32_t bits = to_bits(x[i]), magnitude = bits & 0x7FFFFFFF;
        uint32_t half;
        if (magnitude > 0x7F800000) {
            half = 0x7E00 | (magnitude >> 13 & 0x3FF);
        } else if (magnitude >= 0x477FF000) {
            // From 65520 on everything rounds to infinity.
            half = 0x7C00;
        } else if (magnitude >= 0x38800000) {
            const uint32_t rebiased = magnitude - ((127 - 15) << 23);
            half = (rebiased + 0xFFF + (rebiased >> 13 & 1)) >> 13;
        } else {
            // Subnormal: adding ½ leaves the multiple of 2⁻²⁴ in the last bits, rounded by the addition.
            half = to_bits(from_bits(magnitude) + 0.5f) - 0x3F000000;
        }
        y[i] = (uint16_t)((bits >> 16 & 0x8000) | half);
    }
}
