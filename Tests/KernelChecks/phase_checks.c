#include "support.h"

#include <math.h>
#include <stdlib.h>

static const double PI = 3.14159265358979323846;

typedef struct phases {
    size_t length, hop, frames, stride;
    float *window, *turns, *signal, *magnitudes, *previous, *y;
    uint32_t *order;
    void *scratch;
} phases;

static size_t bits_below(size_t count) {
    size_t bits = 0;
    while ((size_t)1 << bits < count) bits++;
    return bits;
}

static phases make_phases(random_source *random, size_t length, size_t hop, size_t frames) {
    const size_t stride = (frames + KERNELS_FRAMES_AT_ONCE - 1) / KERNELS_FRAMES_AT_ONCE * KERNELS_FRAMES_AT_ONCE;
    const size_t half = length / 2, samples = (stride - 1) * hop + length, bins = half + 1;
    phases p = {.length = length, .hop = hop, .frames = frames, .stride = stride};
    p.window = allocate_floats(length), p.turns = allocate_floats(length), p.signal = allocate_floats(samples);
    p.magnitudes = allocate_floats(bins * stride), p.previous = allocate_floats(2 * bins * stride);
    p.y = allocate_floats((frames - 1) * hop + length);
    p.order = allocate(half * sizeof *p.order);
    p.scratch = aligned_alloc(64, (length * KERNELS_FRAMES_AT_ONCE * sizeof(float) + 63) / 64 * 64);
    for (size_t n = 0; n < length; n++) p.window[n] = (float)(0.5 - 0.5 * cos(2 * PI * (double)n / (double)length));
    for (size_t k = 0; k < half; k++) {
        p.turns[2 * k] = (float)cos(2 * PI * (double)k / (double)length);
        p.turns[2 * k + 1] = (float)-sin(2 * PI * (double)k / (double)length);
        p.order[k] = 0;
        const size_t bits = bits_below(half);
        for (size_t bit = 0; bit < bits; bit++) p.order[k] |= (uint32_t)(k >> bit & 1) << (bits - 1 - bit);
    }
    fill_floats(random, p.signal, samples, 1);
    // Phases near zero are as good as random: magnitudes and spectra are far from it.
    for (size_t i = 0; i < bins * stride; i++) p.magnitudes[i] = 1 + fabsf(random_float(random, 5));
    fill_floats(random, p.previous, 2 * bins * stride, 0.1f);
    for (size_t f = 0; f < stride; f++) p.previous[stride + f] = p.previous[(2 * half + 1) * stride + f] = 0;
    for (size_t i = 0; i < (frames - 1) * hop + length; i++) p.y[i] = 1;
    return p;
}

static void free_phases(phases *p) {
    free(p->window), free(p->turns), free(p->signal), free(p->magnitudes), free(p->previous), free(p->y);
    free(p->order), free(p->scratch);
}

// By the definition of the Fourier transform.
static void step_in_double(const phases *p, double momentum, double *y, double *spectrum) {
    const size_t bins = p->length / 2 + 1;
    double *re = allocate(2 * bins * sizeof *re), *im = re + bins;
    for (size_t frame = 0; frame < p->frames; frame++) {
        const float *x = p->signal + frame * p->hop;
        for (size_t k = 0; k < bins; k++) {
            double a = 0, b = 0;
            for (size_t n = 0; n < p->length; n++) {
                const double angle = -2 * PI * (double)(k * n % p->length) / (double)p->length;
                a += (double)x[n] * p->window[n] * cos(angle);
                b += (double)x[n] * p->window[n] * sin(angle);
            }
            spectrum[(2 * k) * p->frames + frame] = a;
            spectrum[(2 * k + 1) * p->frames + frame] = b;
            a -= momentum * p->previous[2 * k * p->stride + frame];
            b -= momentum * p->previous[(2 * k + 1) * p->stride + frame];
            const double factor = p->magnitudes[k * p->stride + frame] / sqrt(a * a + b * b);
            re[k] = a * factor;
            im[k] = b * factor;
        }
        for (size_t n = 0; n < p->length; n++) {
            double sum = 0;
            for (size_t k = 0; k < bins; k++) {
                const double angle = 2 * PI * (double)(k * n % p->length) / (double)p->length;
                const double weight = k == 0 || k == bins - 1 ? 1 : 2;
                sum += weight * (re[k] * cos(angle) - im[k] * sin(angle));
            }
            y[frame * p->hop + n] += sum / (double)p->length * p->window[n];
        }
    }
    free(re);
}

static void check_step(const kernels *table, kernel_report *report, random_source *random, size_t length, size_t hop,
                       size_t frames, float momentum) {
    phases p = make_phases(random, length, hop, frames);
    const size_t bins = length / 2 + 1, samples = (frames - 1) * hop + length;
    double *y = allocate(samples * sizeof *y), *spectrum = allocate(2 * bins * frames * sizeof *spectrum);
    for (size_t i = 0; i < samples; i++) y[i] = 1;
    step_in_double(&p, momentum, y, spectrum);
    const kernels_phase_step step = {.length = length, .hop = hop, .frames = frames, .stride = p.stride,
                                     .window = p.window, .turns = p.turns, .order = p.order, .signal = p.signal,
                                     .magnitudes = p.magnitudes, .previous = p.previous, .momentum = momentum,
                                     .y = p.y, .scratch = p.scratch};
    table->step_phases(&step);
    for (size_t i = 0; i < samples; i++) expect_close(report, p.y[i], y[i], 1e-3, 2e-3, "phases, signal", i);
    for (size_t k = 0; k < 2 * bins; k++) {
        for (size_t f = 0; f < frames; f++) {
            expect_close(report, p.previous[k * p.stride + f], spectrum[k * frames + f], 1e-5, 1e-4,
                         "phases, spectrum", k);
        }
    }
    free(y), free(spectrum);
    free_phases(&p);
}

void check_phases(const kernels *table, kernel_report *report) {
    random_source random = {11};
    // Lengths that are powers of four times two, and such that are not.
    for (size_t length = 16; length <= 256; length *= 2) {
        check_step(table, report, &random, length, length / 4, 21, 0.5f);
        check_step(table, report, &random, length, 5, 1, -1);
    }
    check_step(table, report, &random, 64, 10, KERNELS_FRAMES_AT_ONCE, 0);
    check_step(table, report, &random, 1024, 160, 3, 0.4975f);
}
