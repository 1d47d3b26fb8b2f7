// Norms, moments and softmax. Sums run in double, lane by lane: results hold for any length.
#ifndef AUDIOLDM2_VECTOR_NORMS_H
#define AUDIOLDM2_VECTOR_NORMS_H

#include "elementwise.h"

#include <float.h>
#include <math.h>

static double mean_of(const float *x, size_t n) {
    vdouble sums = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) add_widened(&sums, load(x + i));
    if (i < n) add_widened(&sums, load_part(x + i, n - i));
    return total(&sums) / (double)n;
}

// Mean of (x − center)².
static double mean_square(const float *x, size_t n, float center) {
    vdouble sums = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const vfloat difference = load(x + i) - center;
        add_widened(&sums, difference * difference);
    }
    if (i < n) {
        const vfloat difference = select(lanes_below(n - i), load_part(x + i, n - i) - center, (vfloat)0);
        add_widened(&sums, difference * difference);
    }
    return total(&sums) / (double)n;
}

static void layer_norm(const float *x, size_t n, float epsilon, const float *scale, const float *shift, float *y) {
    const float mean = (float)mean_of(x, n);
    const float inverse_deviation = (float)(1 / sqrt(mean_square(x, n, mean) + epsilon));
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        store(y + i, (load(x + i) - mean) * inverse_deviation * load(scale + i) + load(shift + i));
    }
    if (i == n) return;
    const vfloat centered = (load_part(x + i, n - i) - mean) * inverse_deviation;
    store_part(y + i, centered * load_part(scale + i, n - i) + load_part(shift + i, n - i), n - i);
}

static void rms_norm(const float *x, size_t n, float epsilon, const float *scale, float *y) {
    const float inverse_root = (float)(1 / sqrt(mean_square(x, n, 0) + epsilon));
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) store(y + i, load(x + i) * inverse_root * load(scale + i));
    if (i < n) store_part(y + i, load_part(x + i, n - i) * inverse_root * load_part(scale + i, n - i), n - i);
}

INLINE void add_to(double *y, vfloat x, size_t count) {
    vdouble sums;
    if (count == LANES) {
        memcpy(&sums, y, sizeof sums);
        add_widened(&sums, x);
        memcpy(y, &sums, sizeof sums);
    } else {
        for (size_t i = 0; i < count; i++) y[i] += x[i];
    }
}

// A few rows are summed in float, then added to the double sums.
static void channel_moments(const float *x, size_t rows, size_t channels, const float *pivot, double *sum,
                            double *square_sum) {
    enum { ROWS_AT_ONCE = 16 };
    for (size_t first = 0; first < rows; first += ROWS_AT_ONCE) {
        const size_t last = first + ROWS_AT_ONCE < rows ? first + ROWS_AT_ONCE : rows;
        for (size_t c = 0; c < channels; c += LANES) {
            const size_t count = channels - c < LANES ? channels - c : LANES;
            const vfloat center = count == LANES ? load(pivot + c) : load_part(pivot + c, count);
            vfloat sums = 0, square_sums = 0;
            for (size_t r = first; r < last; r++) {
                const float *row = x + r * channels + c;
                const vfloat values = count == LANES ? load(row) : load_part(row, count);
                const vfloat difference = values - center;
                sums += difference;
                square_sums += difference * difference;
            }
            add_to(sum + c, sums, count);
            add_to(square_sum + c, square_sums, count);
        }
    }
}

// Scores with bias and mask; NaN becomes −∞ and +∞ the largest float.
INLINE vfloat finite_scores(vfloat x, float scale, vfloat bias, vfloat mask) {
    const vfloat score = x * scale + bias + mask;
    const vfloat bounded = smaller(score, (vfloat)FLT_MAX);
    return select(score == score, bounded, (vfloat)-INFINITY);
}

static void softmax(float *x, size_t n, float scale, const float *bias, const float *mask) {
    const vfloat none = -INFINITY, zero = 0;
    const size_t left = n % LANES, whole = n - left;
    vfloat maxima = none, last = none;
    for (size_t i = 0; i < whole; i += LANES) {
        const vfloat biases = bias ? load(bias + i) : zero, masks = mask ? load(mask + i) : zero;
        const vfloat scores = finite_scores(load(x + i), scale, biases, masks);
        store(x + i, scores);
        maxima = larger(scores, maxima);
    }
    // What does not fill a vector stays in a register; the lanes that are not there have a score of −∞.
    if (left > 0) {
        const vfloat biases = bias ? load_part(bias + whole, left) : zero;
        const vfloat masks = mask ? load_part(mask + whole, left) : zero;
        last = select(lanes_below(left), finite_scores(load_part(x + whole, left), scale, biases, masks), none);
    }
    const float maximum = largest(larger(last, maxima));
    vdouble sums = 0;
    for (size_t i = 0; i < whole; i += LANES) {
        const vfloat power = exponential(load(x + i) - maximum);
        store(x + i, power);
        add_widened(&sums, power);
    }
    if (left > 0) {
        last = exponential(last - maximum);
        add_widened(&sums, last);
    }
    const double sum = total(&sums);
    const float factor = sum > 0 ? (float)(1 / sum) : 0;
    accumulate_scaled(x, whole, factor, true, x);
    if (left > 0) store_part(x + whole, last * factor, left);
}

#endif
