#include "scalar.h"

#include <float.h>
#include <math.h>

void scalar_layer_norm(const float *x, size_t n, float epsilon, const float *scale, const float *shift, float *y) {
    double sum = 0, square_sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    const double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) square_sum += (x[i] - mean) * (x[i] - mean);
    const double inverse_deviation = 1 / sqrt(square_sum / (double)n + epsilon);
    for (size_t i = 0; i < n; i++) y[i] = (float)((x[i] - mean) * inverse_deviation) * scale[i] + shift[i];
}

void scalar_rms_norm(const float *x, size_t n, float epsilon, const float *scale, float *y) {
    double square_sum = 0;
    for (size_t i = 0; i < n; i++) square_sum += (double)x[i] * x[i];
    const float inverse_root = (float)(1 / sqrt(square_sum / (double)n + epsilon));
    for (size_t i = 0; i < n; i++) y[i] = x[i] * inverse_root * scale[i];
}

void scalar_channel_moments(const float *x, size_t rows, size_t channels, const float *pivot, double *sum,
                            double *square_sum) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < channels; c++) {
            const double difference = (double)x[r * channels + c] - pivot[c];
            sum[c] += difference;
            square_sum[c] += difference * difference;
        }
    }
}

void scalar_scale_shift(const float *x, size_t rows, size_t channels, const float *scale, const float *shift,
                        kernels_activation activation, float *y) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < channels; c++) {
            const float value = x[r * channels + c] * scale[c] + shift[c];
            y[r * channels + c] = scalar_activation(value, activation, 0);
        }
    }
}

void scalar_softmax(float *x, size_t n, float scale, const float *bias, const float *mask) {
    // The largest finite score. Comparisons leave out NaN, and +∞ counts as the largest float.
    float maximum = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        float score = x[i] * scale;
        if (bias) score += bias[i];
        if (mask) score += mask[i];
        x[i] = score < FLT_MAX ? score : isnan(score) ? -INFINITY : FLT_MAX;
        if (x[i] > maximum) maximum = x[i];
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        x[i] = x[i] == -INFINITY ? 0 : expf(x[i] - maximum);
        sum += x[i];
    }
    const float factor = sum > 0 ? (float)(1 / sum) : 0;
    for (size_t i = 0; i < n; i++) x[i] *= factor;
}
