#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void check_row_norms(const kernels *table, kernel_report *report, random_source *random, size_t n,
                            float offset) {
    float *x = allocate_floats(n), *scale = allocate_floats(n), *shift = allocate_floats(n);
    float *y = allocate_floats(n + 1);
    fill_floats(random, x, n, 3);
    for (size_t i = 0; i < n; i++) x[i] += offset;
    fill_floats(random, scale, n, 2);
    fill_floats(random, shift, n, 2);
    y[n] = untouched;
    double sum = 0, square_sum = 0, squared_deviations = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i];
        square_sum += (double)x[i] * (double)x[i];
    }
    const double mean = sum / (double)n, epsilon = (double)1e-5f;
    for (size_t i = 0; i < n; i++) squared_deviations += ((double)x[i] - mean) * ((double)x[i] - mean);
    const double deviation = sqrt(squared_deviations / (double)n + epsilon);
    const double root = sqrt(square_sum / (double)n + epsilon);
    // The mean itself is rounded to a float.
    const double rounding = 2e-6 + 2e-7 * fabs((double)offset) / deviation;
    table->layer_norm(x, n, 1e-5f, scale, shift, y);
    for (size_t i = 0; i < n; i++) {
        const double expected = ((double)x[i] - mean) / deviation * (double)scale[i] + (double)shift[i];
        expect_close(report, y[i], expected, 1e-6, rounding, "layer_norm", i);
    }
    expect(report, y[n] == untouched, "layer_norm wrote past %zu elements", n);
    table->rms_norm(x, n, 1e-5f, scale, y);
    for (size_t i = 0; i < n; i++) {
        expect_close(report, y[i], (double)x[i] / root * (double)scale[i], 1e-6, 1e-7, "rms_norm", i);
    }
    expect(report, y[n] == untouched, "rms_norm wrote past %zu elements", n);
    float *const buffers[] = {x, scale, shift, y};
    for (int i = 0; i < 4; i++) free(buffers[i]);
}

static void check_moments(const kernels *table, kernel_report *report, random_source *random, size_t rows,
                          size_t channels) {
    float *x = allocate_floats(rows * channels), *pivot = allocate_floats(channels);
    double *sum = allocate(2 * channels * sizeof *sum), *square_sum = sum + channels;
    for (size_t c = 0; c < channels; c++) pivot[c] = 100 + random_float(random, 1);
    for (size_t i = 0; i < rows * channels; i++) x[i] = 100 + random_float(random, 3);
    for (size_t c = 0; c < 2 * channels; c++) sum[c] = 10;
    if (rows > 2) x[channels] = NAN;
    table->channel_moments(x, rows, channels, pivot, sum, square_sum);
    for (size_t c = 0; c < channels; c++) {
        double differences = 10, squares = 10, magnitudes = 10;
        for (size_t r = 0; r < rows; r++) {
            const double difference = (double)x[r * channels + c] - (double)pivot[c];
            differences += difference;
            squares += difference * difference;
            magnitudes += fabs(difference);
        }
        // Differences of numbers near 100 are exact; their sums may cancel.
        expect_close(report, (float)sum[c], differences, 1e-7, 5e-7 * magnitudes, "channel_moments, sum", c);
        expect_close(report, (float)square_sum[c], squares, 1e-6, 0, "channel_moments, square sum", c);
    }
    free(x);
    free(pivot);
    free(sum);
}

void check_norms(const kernels *table, kernel_report *report) {
    random_source random = {7};
    const size_t sizes[] = {128, 192, 384, 640, 768, 1024, 4099};
    for (size_t n = 1; n < 70; n++) check_row_norms(table, report, &random, n, n % 3 ? 0 : 50);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) check_row_norms(table, report, &random, sizes[i], 0);
    for (size_t channels = 1; channels < 70; channels++) {
        check_moments(table, report, &random, random_below(&random, 60), channels);
    }
    check_moments(table, report, &random, 4096, 128);
}

// Scores as the specification bounds them, then their softmax.
static void softmax_in_double(const float *x, size_t n, float scale, const float *bias, const float *mask, double *y) {
    double maximum = (double)-INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) {
        float score = x[i] * scale;
        if (bias) score += bias[i];
        if (mask) score += mask[i];
        y[i] = isnan(score) ? (double)-INFINITY : fmin((double)score, (double)3.40282347e38f);
        maximum = fmax(maximum, y[i]);
    }
    for (size_t i = 0; i < n; i++) sum += y[i] = isinf(y[i]) ? 0 : exp(y[i] - maximum);
    for (size_t i = 0; i < n; i++) y[i] = sum > 0 ? y[i] / sum : 0;
}

typedef enum masking { NO_MASK, LARGE_NEGATIVE, LOWEST_FLOAT, ALL_LOWEST, INFINITE, ALL_INFINITE, MASKINGS } masking;

static float mask_value(random_source *random, masking masking) {
    const bool visible = random_below(random, 2);
    switch (masking) {
    case LARGE_NEGATIVE:
        return visible ? 0 : -10000;
    case LOWEST_FLOAT:
        return visible ? 0 : -3.4028235e38f;
    case ALL_LOWEST:
        return -3.4028235e38f;
    case INFINITE:
        return visible ? 0 : -INFINITY;
    default:
        return masking == ALL_INFINITE ? -INFINITY : 0;
    }
}

static void check_softmax_row(const kernels *table, kernel_report *report, random_source *random, size_t n,
                              masking masking, bool with_bias, bool with_nonfinite) {
    float *x = allocate_floats(n), *bias = allocate_floats(n), *mask = allocate_floats(n), *y = allocate_floats(n + 1);
    double *expected = allocate(n * sizeof *expected);
    fill_floats(random, x, n, 30);
    fill_floats(random, bias, n, 5);
    for (size_t i = 0; i < n; i++) mask[i] = mask_value(random, masking);
    if (with_nonfinite) {
        const float values[] = {NAN, INFINITY, -INFINITY};
        for (int i = 0; i < 3; i++) x[random_below(random, n)] = values[i];
    }
    const float *bias_or_null = with_bias ? bias : NULL, *mask_or_null = masking == NO_MASK ? NULL : mask;
    softmax_in_double(x, n, 0.3f, bias_or_null, mask_or_null, expected);
    memcpy(y, x, n * sizeof *y);
    y[n] = untouched;
    table->softmax(y, n, 0.3f, bias_or_null, mask_or_null);
    // A score's own rounding, up to half a unit of 32, is a relative error of its power.
    for (size_t i = 0; i < n; i++) expect_close(report, y[i], expected[i], 3e-6, 1e-30, "softmax", i);
    expect(report, y[n] == untouched, "softmax wrote past %zu elements", n);
    float *const buffers[] = {x, bias, mask, y};
    for (int i = 0; i < 4; i++) free(buffers[i]);
    free(expected);
}

void check_softmax(const kernels *table, kernel_report *report) {
    random_source random = {8};
    for (masking masking = NO_MASK; masking < MASKINGS; masking++) {
        for (int options = 0; options < 4; options++) {
            for (size_t n = 1; n < 70; n++) {
                check_softmax_row(table, report, &random, n, masking, options & 1, options & 2);
            }
            check_softmax_row(table, report, &random, 1024, masking, options & 1, options & 2);
            check_softmax_row(table, report, &random, 4097, masking, options & 1, options & 2);
        }
    }
    table->softmax(NULL, 0, 1, NULL, NULL);
}
