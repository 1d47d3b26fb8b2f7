// One step of the search for the phases of a spectrogram, LANES frames at a time: a lane each, so that the Fourier
// transform needs no shuffles.
#ifndef AUDIOLDM2_VECTOR_PHASES_H
#define AUDIOLDM2_VECTOR_PHASES_H

#include "transpose.h"

#include <float.h>

// Complex numbers, a lane for each frame.
typedef struct complexes {
    vfloat re, im;
} complexes;

INLINE complexes times(complexes a, float re, float im) {
    return (complexes){a.re * re - a.im * im, a.re * im + a.im * re};
}
INLINE complexes plus(complexes a, complexes b) { return (complexes){a.re + b.re, a.im + b.im}; }
INLINE complexes minus(complexes a, complexes b) { return (complexes){a.re - b.re, a.im - b.im}; }
// a · i
INLINE complexes turned(complexes a) { return (complexes){-a.im, a.re}; }

// exp(−2πi k / length); `turn` holds cosines and negative sines of k below length / 2.
typedef struct turns {
    const float *turn;
    size_t half; // length / 2
} turns;

INLINE complexes times_turn(complexes a, const turns *t, size_t k, float direction) {
    // The second half of the circle is the negative of the first.
    const float sign = k < t->half ? 1 : -1;
    const float *turn = t->turn + 2 * (k < t->half ? k : k - t->half);
    return times(a, sign * turn[0], direction * sign * turn[1]);
}

// Four quarters of every block of `span` numbers become those whose places are 0, 2, 1 and 3 modulo 4: natural order to
// bit-reversed order.
static void split_quarters(complexes *x, size_t count, size_t span, const turns *t) {
    const size_t quarter = span / 4, step = 2 * t->half / span;
    for (size_t k = 0; k < quarter; k++) {
        for (complexes *block = x + k; block < x + count; block += span) {
            const complexes a = block[0], b = block[quarter], c = block[2 * quarter], d = block[3 * quarter];
            const complexes even = plus(a, c), odd = plus(b, d), left = minus(a, c), right = turned(minus(b, d));
            block[0] = plus(even, odd);
            block[quarter] = times_turn(minus(even, odd), t, 2 * k * step, 1);
            block[2 * quarter] = times_turn(minus(left, right), t, k * step, 1);
            block[3 * quarter] = times_turn(plus(left, right), t, 3 * k * step, 1);
        }
    }
}

// The way back, without the division by four.
static void join_quarters(complexes *x, size_t count, size_t span, const turns *t) {
    const size_t quarter = span / 4, step = 2 * t->half / span;
    for (size_t k = 0; k < quarter; k++) {
        for (complexes *block = x + k; block < x + count; block += span) {
            const complexes a = block[0], c = times_turn(block[quarter], t, 2 * k * step, -1);
            const complexes b = times_turn(block[2 * quarter], t, k * step, -1);
            const complexes d = times_turn(block[3 * quarter], t, 3 * k * step, -1);
            const complexes even = plus(a, c), odd = plus(b, d), left = minus(a, c), right = turned(minus(b, d));
            block[0] = plus(even, odd);
            block[quarter] = plus(left, right);
            block[2 * quarter] = minus(even, odd);
            block[3 * quarter] = minus(left, right);
        }
    }
}

static void swap_halves(complexes *x, size_t count) {
    for (size_t i = 0; i < count; i += 2) {
        const complexes a = x[i], b = x[i + 1];
        x[i] = plus(a, b);
        x[i + 1] = minus(a, b);
    }
}

// The transform of `count` complex numbers, a power of two; the result is in bit-reversed order.
static void transform(complexes *x, size_t count, const turns *t) {
    size_t span = count;
    for (; span >= 4; span /= 4) split_quarters(x, count, span, t);
    if (span == 2) swap_halves(x, count);
}

// From bit-reversed order, times `count`.
static void transform_back(complexes *x, size_t count, const turns *t) {
    size_t span = count;
    while (span >= 4) span /= 4;
    if (span == 2) swap_halves(x, count);
    for (span *= 4; span <= count; span *= 4) join_quarters(x, count, span, t);
}

// The new spectrum of one bin: its magnitude is known, its phase is that of the signal's, led on by momentum.
INLINE complexes rephased(const kernels_phase_step *s, complexes x, size_t bin, size_t frame) {
    float *previous = s->previous + 2 * bin * s->stride + frame;
    const complexes before = {load(previous), load(previous + s->stride)};
    store(previous, x.re);
    store(previous + s->stride, x.im);
    const complexes led = {x.re - s->momentum * before.re, x.im - s->momentum * before.im};
    const vfloat square = led.re * led.re + led.im * led.im + FLT_MIN;
    const vfloat factor = load(s->magnitudes + bin * s->stride + frame) / __builtin_elementwise_sqrt(square);
    return (complexes){led.re * factor, led.im * factor};
}

// The spectra of real frames out of those of their even and odd samples as one complex number, and back. `order` gives
// the place of a bin.
static void rephase(const kernels_phase_step *s, complexes *z, size_t frame, const turns *t) {
    const size_t half = s->length / 2;
    const complexes sum = z[0];
    const complexes first = rephased(s, (complexes){sum.re + sum.im, (vfloat)0}, 0, frame);
    const complexes last = rephased(s, (complexes){sum.re - sum.im, (vfloat)0}, half, frame);
    z[0] = (complexes){(first.re + last.re) * 0.5f, (first.re - last.re) * 0.5f};
    for (size_t bin = 1; bin <= half / 2; bin++) {
        complexes *low = z + s->order[bin], *high = z + s->order[half - bin];
        const complexes a = *low, b = {high->re, -high->im};
        const complexes even = times(plus(a, b), 0.5f, 0), odd = times(minus(a, b), 0, -0.5f);
        const complexes moved = times_turn(odd, t, bin, 1);
        const complexes x = rephased(s, plus(even, moved), bin, frame);
        if (2 * bin == half) {
            *low = (complexes){x.re, -x.im};
            continue;
        }
        const complexes difference = minus(even, moved);
        const complexes y = rephased(s, (complexes){difference.re, -difference.im}, half - bin, frame);
        const complexes y_conjugate = {y.re, -y.im};
        const complexes new_even = times(plus(x, y_conjugate), 0.5f, 0);
        const complexes new_odd = turned(times_turn(times(minus(x, y_conjugate), 0.5f, 0), t, bin, -1));
        *low = plus(new_even, new_odd);
        *high = (complexes){new_even.re - new_odd.re, new_odd.im - new_even.im};
    }
}

// LANES frames from `frame` on.
static void step_some_phases(const kernels_phase_step *s, size_t frame) {
    const size_t half = s->length / 2;
    const turns t = {s->turns, half};
    complexes *z = s->scratch;
    const float *signal = s->signal + frame * s->hop;
    for (size_t n = 0; n < s->length; n += 4) {
        vfloat columns[4];
        load_columns(signal + n, s->hop, columns);
        z[n / 2] = (complexes){columns[0] * s->window[n], columns[1] * s->window[n + 1]};
        z[n / 2 + 1] = (complexes){columns[2] * s->window[n + 2], columns[3] * s->window[n + 3]};
    }
    transform(z, half, &t);
    rephase(s, z, frame, &t);
    transform_back(z, half, &t);
    const float scale = 1 / (float)half;
    const size_t count = s->frames - frame < LANES ? s->frames - frame : LANES;
    for (size_t n = 0; n < s->length; n += 4) {
        const vfloat columns[4] = {z[n / 2].re * (scale * s->window[n]), z[n / 2].im * (scale * s->window[n + 1]),
                                   z[n / 2 + 1].re * (scale * s->window[n + 2]),
                                   z[n / 2 + 1].im * (scale * s->window[n + 3])};
        float rows[LANES][4];
        store_columns(rows[0], 4, columns);
        float *y = s->y + frame * s->hop + n;
        for (size_t row = 0; row < count; row++, y += s->hop) {
            for (size_t i = 0; i < 4; i++) y[i] += rows[row][i];
        }
    }
}

static void step_phases(const kernels_phase_step *s) {
    for (size_t frame = 0; frame < s->frames; frame += LANES) step_some_phases(s, frame);
}

#endif
