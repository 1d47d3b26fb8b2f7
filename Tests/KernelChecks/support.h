// Random numbers, buffers and comparisons for the checks.
#ifndef KERNEL_CHECKS_SUPPORT_H
#define KERNEL_CHECKS_SUPPORT_H

#include "include/kernel_checks.h"

typedef struct random_source {
    uint64_t state;
} random_source;

uint64_t random_bits(random_source *random);
// 0 ..< bound
size_t random_below(random_source *random, size_t bound);
// Evenly between −limit and limit.
float random_float(random_source *random, float limit);
void fill_floats(random_source *random, float *x, size_t n, float limit);

// Memory of exactly this size, so that a sanitizer sees every access outside. Ends the program if there is none.
void *allocate(size_t bytes);
float *allocate_floats(size_t n);

// What results must not be: written before a kernel runs, to see which elements it leaves alone.
extern const float untouched;
void fill_untouched(float *y, size_t n);

void expect(kernel_report *report, bool condition, const char *format, ...) __attribute__((format(printf, 3, 4)));
// |found − expected| ≤ relative · |expected| + absolute; NaN and infinities must be the same.
void expect_close(kernel_report *report, float found, double expected, double relative, double absolute,
                  const char *what, size_t index);

const char *activation_name(kernels_activation activation);
double activation_in_double(double x, kernels_activation activation, double slope);

void check_float_products(const kernels *table, kernel_report *report);
void check_product(const kernels *table, kernel_report *report);
void check_product_epilogues(const kernels *table, kernel_report *report);
void check_quantization(const kernels *table, kernel_report *report);
void check_expansion(const kernels *table, kernel_report *report);
void check_half_precision(const kernels *table, kernel_report *report);
void check_activations(const kernels *table, kernel_report *report);
void check_elementwise(const kernels *table, kernel_report *report);
void check_pooling(const kernels *table, kernel_report *report);
void check_winograd(const kernels *table, kernel_report *report);
void check_norms(const kernels *table, kernel_report *report);
void check_phases(const kernels *table, kernel_report *report);
void check_softmax(const kernels *table, kernel_report *report);
void check_attention(const kernels *table, kernel_report *report);
void check_attention_error(const kernels *table, kernel_report *report);
void check_float_attention(const kernels *table, kernel_report *report);

#endif
