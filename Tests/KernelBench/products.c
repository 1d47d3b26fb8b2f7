// Times the integer product on shapes of the models, beside what the CPU's dot product could do.
#include "bench.h"
#include "clock.h"

#include <stdio.h>

struct shape {
    size_t rows, taps, inputs, outputs;
};

// Convolutions of the UNet and the VAE; linear layers of the UNet's transformers; prompts and single tokens of GPT-2.
static const struct shape shapes[] = {
    {4096, 9, 128, 128}, {4096, 9, 256, 256}, {1024, 9, 384, 384}, {256, 9, 640, 640}, {4096, 1, 256, 256},
    {1024, 1, 384, 1152}, {1024, 1, 384, 3072}, {1024, 1, 1536, 384}, {256, 1, 640, 5120}, {256, 1, 2560, 640},
    {64, 1, 768, 3072}, {8, 1, 768, 2304}, {1, 1, 768, 2304}, {1, 1, 3072, 768},
};

static void time_shape(const kernels *table, struct shape shape, int repetitions) {
    const size_t padded = (shape.outputs + 15) / 16 * 16, row_bytes = shape.inputs;
    uint8_t *inputs = allocate(shape.rows + shape.taps, row_bytes);
    const uint8_t **a = allocate(shape.taps * shape.rows, sizeof *a);
    for (size_t tap = 0; tap < shape.taps; tap++) {
        for (size_t m = 0; m < shape.rows; m++) a[tap * shape.rows + m] = inputs + (m + tap) * row_bytes;
    }
    int8_t *tiles = allocate(padded * shape.taps, shape.inputs);
    float *scales = allocate(padded, sizeof *scales), *bias = allocate(padded, sizeof *bias);
    int32_t *sums = allocate(padded, sizeof *sums);
    float *y = allocate(shape.rows * shape.outputs, sizeof *y);
    const kernels_range range = {1, 128};
    const kernels_product product = {
        .rows = shape.rows,
        .taps = shape.taps,
        .inputs = shape.inputs,
        .last_output = shape.outputs,
        .a = a,
        .tiles = tiles,
        .scales = scales,
        .sums = sums,
        .ranges = &range,
        .bias = bias,
        .y = y,
        .y_stride = shape.outputs,
    };
    const double products = (double)(shape.rows * shape.taps * shape.inputs * shape.outputs);
    const int calls = products > 5e7 ? 1 : (int)(5e7 / products) + 1;
    double best = 0, peak = 0;
    for (int i = 0; i < repetitions; i++) {
        const double candidate = kernels_peak_products_per_second(table->tier);
        if (candidate > peak) peak = candidate;
        const double start = thread_seconds();
        for (int call = 0; call < calls; call++) table->product_u8s8(&product);
        const double speed = calls * products / (thread_seconds() - start);
        if (speed > best) best = speed;
    }
    printf("%-11s %5zu %5zu %6zu %8zu", table->name, shape.rows, shape.taps, shape.inputs, shape.outputs);
    printf(" %8.1f", best / 1e9);
    if (peak > 0) printf(" %8.1f %5.1f %%", peak / 1e9, 100 * best / peak);
    printf("\n");
    void *const buffers[] = {inputs, a, tiles, scales, bias, sums, y};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) release(buffers[i]);
}

void time_products(const kernels *table, int repetitions) {
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) time_shape(table, shapes[i], repetitions);
}
