#include "scalar.h"

#include <float.h>
#include <math.h>

// In place, from bit-reversed order; `direction` is 1 or, for the way back without the division, −1.
static void transform(float *x, size_t count, const float *turns, float direction) {
    for (size_t span = 1; span < count; span *= 2) {
        // Turns are those of twice as many samples.
        const size_t step = count / span;
        for (size_t start = 0; start < count; start += 2 * span) {
            for (size_t k = 0; k < span; k++) {
                float *low = x + 2 * (start + k), *high = low + 2 * span;
                const float cosine = turns[2 * k * step], sine = direction * turns[2 * k * step + 1];
                const float re = high[0] * cosine - high[1] * sine, im = high[0] * sine + high[1] * cosine;
                high[0] = low[0] - re;
                high[1] = low[1] - im;
                low[0] += re;
                low[1] += im;
            }
        }
    }
}

static void rephase(const kernels_phase_step *s, size_t bin, size_t frame, float *x) {
    float *previous = s->previous + 2 * bin * s->stride + frame;
    const float re = x[0] - s->momentum * previous[0], im = x[1] - s->momentum * previous[s->stride];
    previous[0] = x[0];
    previous[s->stride] = x[1];
    const float factor = s->magnitudes[bin * s->stride + frame] / sqrtf(re * re + im * im + FLT_MIN);
    x[0] = re * factor;
    x[1] = im * factor;
}

// Two bins of a real frame, out of its even and odd samples' spectrum z, and back.
static void rephase_pair(const kernels_phase_step *s, float *z, size_t bin, size_t frame) {
    const size_t half = s->length / 2, mirrored = (half - bin) % half;
    float *a = z + 2 * bin, *b = z + 2 * mirrored;
    const float cosine = s->turns[2 * bin], sine = s->turns[2 * bin + 1];
    const float even[2] = {(a[0] + b[0]) / 2, (a[1] - b[1]) / 2}, odd[2] = {(a[1] + b[1]) / 2, (b[0] - a[0]) / 2};
    const float moved[2] = {odd[0] * cosine - odd[1] * sine, odd[0] * sine + odd[1] * cosine};
    float low[2] = {even[0] + moved[0], even[1] + moved[1]}, high[2] = {even[0] - moved[0], moved[1] - even[1]};
    rephase(s, bin, frame, low);
    if (2 * bin == half) {
        high[0] = low[0];
        high[1] = low[1];
    } else {
        rephase(s, half - bin, frame, high);
    }
    const float new_even[2] = {(low[0] + high[0]) / 2, (low[1] - high[1]) / 2};
    const float difference[2] = {(low[0] - high[0]) / 2, (low[1] + high[1]) / 2};
    const float new_odd[2] = {difference[0] * cosine + difference[1] * sine,
                              difference[1] * cosine - difference[0] * sine};
    a[0] = new_even[0] - new_odd[1];
    a[1] = new_even[1] + new_odd[0];
    if (mirrored == bin) return;
    b[0] = new_even[0] + new_odd[1];
    b[1] = new_odd[0] - new_even[1];
}

static void swap_in_order(float *z, const uint32_t *order, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const size_t j = order[i];
        if (i >= j) continue;
        for (int part = 0; part < 2; part++) {
            const float kept = z[2 * i + part];
            z[2 * i + part] = z[2 * j + part];
            z[2 * j + part] = kept;
        }
    }
}

void scalar_step_phases(const kernels_phase_step *s) {
    const size_t half = s->length / 2;
    float *z = s->scratch;
    for (size_t frame = 0; frame < s->frames; frame++) {
        const size_t start = frame * s->hop;
        for (size_t n = 0; n < s->length; n++) z[n] = s->signal[start + n] * s->window[n];
        swap_in_order(z, s->order, half);
        transform(z, half, s->turns, 1);
        for (size_t bin = 0; bin <= half / 2; bin++) rephase_pair(s, z, bin, frame);
        swap_in_order(z, s->order, half);
        transform(z, half, s->turns, -1);
        for (size_t n = 0; n < s->length; n++) s->y[start + n] += z[n] * s->window[n] / (float)half;
    }
}
