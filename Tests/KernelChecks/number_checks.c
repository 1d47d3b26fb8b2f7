#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float awkward[] = {
    0.0f,    -0.0f,   0.5f,   -0.5f,  1.5f,   2.5f,      -2.5f,      126.5f, 127.49f, 127.5f,   -127.5f,
    -126.5f, 1e-45f,  1e30f,  -1e30f, 3e38f,  -3.4e38f,  1000000.0f, 255.0f, -255.0f, INFINITY, -INFINITY,
    NAN,     128.5f,  3.5f,   4.5f,   100.5f, 0.49999997f,
};
enum { AWKWARD_COUNT = sizeof awkward / sizeof awkward[0] };

static void fill_awkward(random_source *random, float *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        x[i] = random_below(random, 4) ? random_float(random, 150) : awkward[random_below(random, AWKWARD_COUNT)];
    }
}

static uint8_t quantized(float x, float inverse_scale, int32_t zero) {
    const double value = (double)(x * inverse_scale);
    if (isnan(value)) return (uint8_t)zero;
    return (uint8_t)(zero + rint(fmin(fmax(value, -zero), 255 - zero)));
}

static void check_range(const kernels *table, kernel_report *report, const float *x, size_t n) {
    const float starts[][2] = {{0, 0}, {INFINITY, -INFINITY}, {-1e9f, 120}};
    for (size_t start = 0; start < sizeof starts / sizeof starts[0]; start++) {
        float low = starts[start][0], high = starts[start][1], lowest = low, highest = high;
        // fminf and fmaxf leave NaN out.
        for (size_t i = 0; i < n; i++) {
            lowest = fminf(lowest, x[i]);
            highest = fmaxf(highest, x[i]);
        }
        table->widen_range(x, n, &low, &high);
        expect_close(report, low, (double)lowest, 0, 0, "widen_range, low", n);
        expect_close(report, high, (double)highest, 0, 0, "widen_range, high", n);
    }
}

void check_quantization(const kernels *table, kernel_report *report) {
    random_source random = {3};
    const float inverse_scales[] = {1, 0.37f, 0, 1e-30f, 1e30f};
    const int32_t zeros[] = {0, 128, 255, 17};
    for (size_t n = 0; n < 150; n++) {
        const size_t padded = n + random_below(&random, 5);
        float *x = allocate_floats(n);
        uint8_t *y = allocate(padded + 1);
        fill_awkward(&random, x, n);
        const float inverse_scale = inverse_scales[n % 5];
        y[padded] = 77;
        const int32_t zero = zeros[n % 4];
        table->quantize_u8(x, n, padded, inverse_scale, zero, y);
        for (size_t i = 0; i < padded; i++) {
            const int expected = i < n ? quantized(x[i], inverse_scale, zero) : zero;
            expect(report, y[i] == expected, "quantize_u8 of %.9g · %g around %d: found %d, expected %d",
                   i < n ? (double)x[i] : 0, (double)inverse_scale, zero, y[i], expected);
        }
        expect(report, y[padded] == 77, "quantize_u8 wrote past %zu elements", padded);
        check_range(table, report, x, n);
        free(x);
        free(y);
    }
}

static void check_tiles(const kernels *table, kernel_report *report, random_source *random) {
    const size_t taps = 1 + random_below(random, 4), inputs = 1 + random_below(random, 70);
    const size_t outputs = 1 + random_below(random, 40), padded = (outputs + 15) / 16 * 16;
    const size_t padded_inputs = (inputs + 3) / 4 * 4, first = random_below(random, outputs);
    const size_t count = 1 + random_below(random, outputs - first), row = taps * inputs;
    int8_t *tiles = allocate(padded * taps * padded_inputs);
    float *scales = allocate_floats(padded), *y = allocate_floats(count * row + 1);
    for (size_t i = 0; i < padded * taps * padded_inputs; i++) tiles[i] = (int8_t)(random_below(random, 255) - 127);
    fill_floats(random, scales, padded, 1);
    y[count * row] = untouched;
    table->expand_tiles(tiles, scales, taps, inputs, padded_inputs, first, count, y);
    for (size_t i = 0; i < count * row; i++) {
        const size_t n = first + i / row, tap = i % row / inputs, channel = i % inputs;
        const size_t tile = (n / 16 * taps + tap) * padded_inputs / 4 + channel / 4;
        const float expected = scales[n] * (float)tiles[tile * 64 + n % 16 * 4 + channel % 4];
        expect_close(report, y[i], (double)expected, 0, 0, "expand_tiles", i);
    }
    expect(report, y[count * row] == untouched, "expand_tiles wrote past %zu elements", count * row);
    free(tiles);
    free(scales);
    free(y);
}

void check_expansion(const kernels *table, kernel_report *report) {
    random_source random = {4};
    for (int i = 0; i < 200; i++) check_tiles(table, report, &random);
    for (size_t n = 0; n < 70; n++) {
        int8_t *x = allocate(n);
        float *y = allocate_floats(n + 1);
        for (size_t i = 0; i < n; i++) x[i] = (int8_t)random_bits(&random);
        y[n] = untouched;
        table->expand_s8(x, n, 0.3f, y);
        for (size_t i = 0; i < n; i++) expect_close(report, y[i], (double)(0.3f * (float)x[i]), 0, 0, "expand_s8", i);
        expect(report, y[n] == untouched, "expand_s8 wrote past %zu elements", n);
        free(x);
        free(y);
    }
}

static double half_in_double(uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 0x3FF;
    const double magnitude = exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
                             : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                            : ldexp(fraction, -24);
    return bits & 0x8000 ? -magnitude : magnitude;
}

// The nearest half-precision number, ties to even.
static double rounded_to_half(float x) {
    if (isnan(x)) return (double)x;
    if (fabsf(x) >= 65520) return copysign((double)INFINITY, (double)x);
    const int exponent = x == 0 ? -14 : ilogbf(x);
    const double unit = ldexp(1, (exponent < -14 ? -14 : exponent) - 10);
    return rint((double)x / unit) * unit;
}

static void check_narrowing(const kernels *table, kernel_report *report, const float *x, size_t n) {
    uint16_t *y = allocate((n + 1) * sizeof *y);
    y[n] = 0xABCD;
    table->narrow_f16(x, n, y);
    for (size_t i = 0; i < n; i++) {
        expect_close(report, (float)half_in_double(y[i]), rounded_to_half(x[i]), 0, 0, "narrow_f16", i);
        expect(report, isnan(x[i]) || (y[i] >> 15) == (signbit(x[i]) != 0), "narrow_f16 lost the sign of %g",
               (double)x[i]);
    }
    expect(report, y[n] == 0xABCD, "narrow_f16 wrote past %zu elements", n);
    free(y);
}

void check_half_precision(const kernels *table, kernel_report *report) {
    enum { ALL = 1 << 16 };
    uint16_t *halves = allocate(ALL * sizeof *halves);
    float *floats = allocate_floats(ALL);
    for (int i = 0; i < ALL; i++) halves[i] = (uint16_t)i;
    table->expand_f16(halves, ALL, floats);
    for (int i = 0; i < ALL; i++) {
        expect_close(report, floats[i], half_in_double(halves[i]), 0, 0, "expand_f16", (size_t)i);
    }
    check_narrowing(table, report, floats, ALL);
    // Halfway to the next number, and just beside it.
    for (int i = 0; i < ALL; i++) {
        const double next = i % 0x8000 < 0x7BFF ? half_in_double((uint16_t)(i + 1)) : floats[i];
        const float halfway = (float)((floats[i] + next) / 2);
        floats[i] = i % 3 == 0 ? halfway : nextafterf(halfway, i % 3 == 1 ? INFINITY : -INFINITY);
    }
    check_narrowing(table, report, floats, ALL);
    random_source random = {5};
    for (int i = 0; i < ALL; i++) {
        const uint32_t bits = (uint32_t)random_bits(&random);
        memcpy(&floats[i], &bits, sizeof bits);
    }
    check_narrowing(table, report, floats, ALL);
    for (size_t n = 0; n < 40; n++) check_narrowing(table, report, floats + n, n);
    for (size_t n = 0; n < 40; n++) {
        fill_untouched(floats, n + 1);
        table->expand_f16(halves + 15000, n, floats);
        for (size_t i = 0; i < n; i++) {
            expect_close(report, floats[i], half_in_double(halves[15000 + i]), 0, 0, "expand_f16", i);
        }
        expect(report, floats[n] == untouched, "expand_f16 wrote past %zu elements", n);
    }
    free(halves);
    free(floats);
}
