#include "support.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const kernel_check checks[] = {
    {"float products", check_float_products},
    {"product", check_product},
    {"product epilogues", check_product_epilogues},
    {"quantization", check_quantization},
    {"expansion", check_expansion},
    {"half precision", check_half_precision},
    {"activations", check_activations},
    {"elementwise", check_elementwise},
    {"pooling", check_pooling},
    {"winograd", check_winograd},
    {"norms", check_norms},
    {"phases", check_phases},
    {"softmax", check_softmax},
    {"attention", check_attention},
    {"attention's error", check_attention_error},
    {"float attention", check_float_attention},
};
const size_t kernel_check_count = sizeof checks / sizeof checks[0];

const kernel_check *kernel_check_at(size_t index) { return &checks[index]; }

uint64_t random_bits(random_source *random) {
    // SplitMix64
    uint64_t x = random->state += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

size_t random_below(random_source *random, size_t bound) { return (size_t)((random_bits(random) >> 32) * bound >> 32); }

float random_float(random_source *random, float limit) {
    return limit * ((float)(random_bits(random) >> 40) * 0x1p-23f - 1);
}

void fill_floats(random_source *random, float *x, size_t n, float limit) {
    for (size_t i = 0; i < n; i++) x[i] = random_float(random, limit);
}

void *allocate(size_t bytes) {
    void *memory = malloc(bytes > 0 ? bytes : 1);
    if (!memory) {
        fprintf(stderr, "not enough memory for the checks: %zu bytes\n", bytes);
        exit(EXIT_FAILURE);
    }
    return memory;
}

float *allocate_floats(size_t n) { return allocate(n * sizeof(float)); }

const float untouched = -12345.678f;

void fill_untouched(float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = untouched;
}

void expect(kernel_report *report, bool condition, const char *format, ...) {
    report->comparisons++;
    if (condition) return;
    if (report->failures++ > 0) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(report->first_failure, sizeof report->first_failure, format, arguments);
    va_end(arguments);
}

void expect_close(kernel_report *report, float found, double expected, double relative, double absolute,
                  const char *what, size_t index) {
    const bool same = isnan(expected) ? isnan(found) : isinf(expected) ? (double)found == expected : false;
    const bool close = fabs(found - expected) <= relative * fabs(expected) + absolute;
    expect(report, same || close, "%s, element %zu: found %.9g, expected %.9g", what, index, (double)found, expected);
}

const char *activation_name(kernels_activation activation) {
    static const char *const names[] = {"none", "silu", "gelu", "gelu tanh", "relu", "leaky relu", "tanh"};
    return names[activation];
}

double activation_in_double(double x, kernels_activation activation, double slope) {
    switch (activation) {
    case KERNELS_SILU:
        return x / (1 + exp(-x));
    case KERNELS_GELU:
        return 0.5 * x * erfc(-x * sqrt(0.5));
    case KERNELS_GELU_TANH:
        return 0.5 * x * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case KERNELS_RELU:
        return x < 0 ? 0 : x;
    case KERNELS_LEAKY_RELU:
        return x < 0 ? slope * x : x;
    case KERNELS_TANH:
        return tanh(x);
    case KERNELS_NONE:
        break;
    }
    return x;
}
