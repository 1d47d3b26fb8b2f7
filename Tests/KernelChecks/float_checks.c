#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZES = 70 };

// A dense sweep over the range where activations bend, then extremes.
void check_activations(const kernels *table, kernel_report *report) {
    enum { COUNT = 60001 };
    float *x = allocate_floats(COUNT), *y = allocate_floats(COUNT);
    for (int i = 0; i < COUNT; i++) x[i] = (float)(i - COUNT / 2) * (i % 2 ? 1e-5f : 6.7e-4f);
    for (kernels_activation activation = KERNELS_NONE; activation <= KERNELS_TANH; activation++) {
        table->activate(x, COUNT, activation, 0.1f, y);
        for (int i = 0; i < COUNT; i++) {
            const double expected = activation_in_double((double)x[i], activation, (double)0.1f);
            expect_close(report, y[i], expected, 6e-7, 2e-7, activation_name(activation), (size_t)i);
        }
        const float extremes[] = {-1e30f, -1e4f, -200, -89, -88, -87, -20, 20, 87, 88, 89, 200, 1e4f, 1e30f, 1e-40f, 0};
        enum { EXTREMES = sizeof extremes / sizeof extremes[0] };
        table->activate(extremes, EXTREMES, activation, 0.1f, y);
        for (int i = 0; i < EXTREMES; i++) {
            const double expected = activation_in_double((double)extremes[i], activation, (double)0.1f);
            expect_close(report, y[i], expected, 1e-6, 1e-6, activation_name(activation), (size_t)i);
        }
        const float not_a_number = NAN;
        table->activate(&not_a_number, 1, activation, 0.1f, y);
        expect(report, isnan(y[0]), "%s of NaN is %g", activation_name(activation), (double)y[0]);
    }
    free(x);
    free(y);
}

typedef struct inputs {
    float *x, *gate, *bias, *sample_bias, *residual, *y;
} inputs;

static inputs make_inputs(random_source *random, size_t n) {
    inputs in = {allocate_floats(n), allocate_floats(n), allocate_floats(n),
                 allocate_floats(n), allocate_floats(n), allocate_floats(n + 1)};
    float *const operands[] = {in.x, in.gate, in.bias, in.sample_bias, in.residual};
    for (int i = 0; i < 5; i++) fill_floats(random, operands[i], n, 4);
    in.y[n] = untouched;
    return in;
}

static void free_inputs(inputs *in) {
    float *const buffers[] = {in->x, in->gate, in->bias, in->sample_bias, in->residual, in->y};
    for (int i = 0; i < 6; i++) free(buffers[i]);
}

static void check_finish(const kernels *table, kernel_report *report, inputs *in, size_t n, unsigned options,
                         kernels_activation activation) {
    const float *bias = options & 1 ? in->bias : NULL, *sample_bias = options & 2 ? in->sample_bias : NULL;
    const float *residual = options & 4 ? in->residual : NULL;
    table->finish(in->x, bias, sample_bias, residual, n, activation, 0.1f, in->y);
    for (size_t i = 0; i < n; i++) {
        const double sum = (double)in->x[i] + (bias ? (double)bias[i] : 0) + (sample_bias ? (double)sample_bias[i] : 0);
        const double active = activation_in_double(sum, activation, (double)0.1f);
        const double expected = active + (residual ? (double)residual[i] : 0);
        expect_close(report, in->y[i], expected, 1e-6, 4e-6, "finish", i);
    }
    expect(report, in->y[n] == untouched, "finish wrote past %zu elements", n);
}

static void check_gate(const kernels *table, kernel_report *report, inputs *in, size_t n,
                       kernels_activation activation) {
    table->gate(in->x, in->gate, n, activation, in->y);
    for (size_t i = 0; i < n; i++) {
        const double expected = (double)in->x[i] * activation_in_double((double)in->gate[i], activation, 0);
        expect_close(report, in->y[i], expected, 1e-6, 1e-6, "gate", i);
    }
    expect(report, in->y[n] == untouched, "gate wrote past %zu elements", n);
    // In place, and the same at another alignment.
    float *shifted = allocate_floats(n + 1);
    memcpy(shifted + 1, in->x, n * sizeof *shifted);
    table->gate(shifted + 1, in->gate, n, activation, shifted + 1);
    expect(report, memcmp(shifted + 1, in->y, n * sizeof *shifted) == 0, "gate depends on the alignment");
    free(shifted);
}

static void check_accumulate(const kernels *table, kernel_report *report, inputs *in, size_t n) {
    memcpy(in->y, in->bias, n * sizeof *in->y);
    table->accumulate(in->x, n, -0.7f, false, in->y);
    for (size_t i = 0; i < n; i++) {
        const double expected = (double)in->bias[i] + (double)-0.7f * (double)in->x[i];
        expect_close(report, in->y[i], expected, 1e-7, 1e-6, "accumulate", i);
    }
    // What is overwritten is not read.
    for (size_t i = 0; i < n; i++) in->y[i] = NAN;
    table->accumulate(in->x, n, -0.7f, true, in->y);
    for (size_t i = 0; i < n; i++) {
        expect_close(report, in->y[i], (double)(-0.7f * in->x[i]), 0, 0, "accumulate over NaN", i);
    }
    expect(report, in->y[n] == untouched, "accumulate wrote past %zu elements", n);
}

static void check_scale_shift(const kernels *table, kernel_report *report, random_source *random, size_t channels,
                              kernels_activation activation) {
    const size_t rows = 1 + random_below(random, 5), count = rows * channels;
    inputs in = make_inputs(random, count);
    table->scale_shift(in.x, rows, channels, in.bias, in.sample_bias, activation, in.y);
    for (size_t i = 0; i < count; i++) {
        const size_t c = i % channels;
        const double value = (double)in.x[i] * (double)in.bias[c] + (double)in.sample_bias[c];
        expect_close(report, in.y[i], activation_in_double(value, activation, 0), 1e-6, 4e-6, "scale_shift", i);
    }
    expect(report, in.y[count] == untouched, "scale_shift wrote past %zu elements", count);
    free_inputs(&in);
}

void check_elementwise(const kernels *table, kernel_report *report) {
    random_source random = {6};
    for (size_t n = 0; n < SIZES; n++) {
        inputs in = make_inputs(&random, n);
        for (kernels_activation activation = KERNELS_NONE; activation <= KERNELS_TANH; activation++) {
            for (unsigned options = 0; options < 8; options++) {
                check_finish(table, report, &in, n, options, activation);
            }
            check_gate(table, report, &in, n, activation);
            if (n > 0) check_scale_shift(table, report, &random, n, activation);
        }
        check_accumulate(table, report, &in, n);
        free_inputs(&in);
    }
}
