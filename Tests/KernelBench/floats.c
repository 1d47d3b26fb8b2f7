// Times the float kernels on rows that stay in the L2 cache.
#include "bench.h"
#include "clock.h"

#include <stdio.h>

// 128 rows of 512 channels: 256 KiB of floats.
enum { ROWS = 128, CHANNELS = 512, COUNT = ROWS * CHANNELS };

struct buffers {
    float *x, *y, *channels;
    double *moments;
    uint16_t *halves;
    int8_t *bytes;
};

typedef void (*float_kernel)(const kernels *table, const struct buffers *b);

static void run_silu(const kernels *table, const struct buffers *b) {
    table->activate(b->x, COUNT, KERNELS_SILU, 0, b->y);
}

static void run_gelu(const kernels *table, const struct buffers *b) {
    table->activate(b->x, COUNT, KERNELS_GELU, 0, b->y);
}

static void run_gelu_tanh(const kernels *table, const struct buffers *b) {
    table->activate(b->x, COUNT, KERNELS_GELU_TANH, 0, b->y);
}

static void run_tanh(const kernels *table, const struct buffers *b) {
    table->activate(b->x, COUNT, KERNELS_TANH, 0, b->y);
}

static void run_finish(const kernels *table, const struct buffers *b) {
    for (size_t r = 0; r < COUNT; r += CHANNELS) {
        table->finish(b->x + r, b->channels, NULL, b->y + r, CHANNELS, KERNELS_NONE, 0, b->y + r);
    }
}

static void run_widen_range(const kernels *table, const struct buffers *b) {
    table->widen_range(b->x, COUNT, &b->y[0], &b->y[1]);
}

static void run_quantize(const kernels *table, const struct buffers *b) {
    table->quantize_u8(b->x, COUNT, COUNT, 100, 128, (uint8_t *)b->bytes);
}

static void run_layer_norm(const kernels *table, const struct buffers *b) {
    for (size_t r = 0; r < COUNT; r += CHANNELS) {
        table->layer_norm(b->x + r, CHANNELS, 1e-5f, b->channels, b->channels, b->y + r);
    }
}

static void run_softmax(const kernels *table, const struct buffers *b) {
    for (size_t r = 0; r < COUNT; r += CHANNELS) table->softmax(b->x + r, CHANNELS, 1, NULL, NULL);
}

// As many keys as the cross-attention to the LOA has.
static void run_short_softmax(const kernels *table, const struct buffers *b) {
    for (size_t r = 0; r < COUNT; r += 8) table->softmax(b->x + r, 8, 1, NULL, NULL);
}

static void run_channel_moments(const kernels *table, const struct buffers *b) {
    table->channel_moments(b->x, ROWS, CHANNELS, b->channels, b->moments, b->moments + CHANNELS);
}

static void run_scale_shift_silu(const kernels *table, const struct buffers *b) {
    table->scale_shift(b->x, ROWS, CHANNELS, b->channels, b->channels, KERNELS_SILU, b->y);
}

static void run_expand_f16(const kernels *table, const struct buffers *b) {
    table->expand_f16(b->halves, COUNT, b->y);
}

static void run_narrow_f16(const kernels *table, const struct buffers *b) {
    table->narrow_f16(b->x, COUNT, b->halves);
}

static void run_expand_tiles(const kernels *table, const struct buffers *b) {
    table->expand_tiles(b->bytes, b->channels, 1, CHANNELS, CHANNELS, 0, ROWS, b->y);
}

static void run_product_tiles(const kernels *table, const struct buffers *b) {
    const kernels_tile_product product = {.rows = 2, .outputs = ROWS, .inputs = CHANNELS, .padded_inputs = CHANNELS,
                                          .x = b->x, .x_stride = CHANNELS, .tiles = b->bytes, .scales = b->x,
                                          .y = b->y, .y_stride = ROWS};
    table->product_tiles(&product);
}

static const struct {
    const char *name;
    float_kernel run;
} float_kernels[] = {
    {"silu", run_silu},
    {"gelu", run_gelu},
    {"gelu tanh", run_gelu_tanh},
    {"tanh", run_tanh},
    {"finish", run_finish},
    {"widen range", run_widen_range},
    {"quantize_u8", run_quantize},
    {"layer norm", run_layer_norm},
    {"softmax", run_softmax},
    {"softmax of 8", run_short_softmax},
    {"channel moments", run_channel_moments},
    {"scale, shift, silu", run_scale_shift_silu},
    {"expand f16", run_expand_f16},
    {"narrow f16", run_narrow_f16},
    {"expand tiles", run_expand_tiles},
    {"two rows of tiles", run_product_tiles},
};

void time_floats(const kernels *table, int repetitions) {
    const struct buffers buffers = {
        .x = allocate(COUNT, sizeof(float)),
        .y = allocate(COUNT, sizeof(float)),
        .channels = allocate(CHANNELS, sizeof(float)),
        .moments = allocate(2 * CHANNELS, sizeof(double)),
        .halves = allocate(COUNT, sizeof(uint16_t)),
        .bytes = allocate(COUNT, 1),
    };
    for (size_t i = 0; i < COUNT; i++) buffers.x[i] = (float)(i % 1001) * 0.01f - 5;
    for (size_t i = 0; i < CHANNELS; i++) buffers.channels[i] = (float)(i % 11) * 0.1f;
    for (size_t i = 0; i < sizeof float_kernels / sizeof float_kernels[0]; i++) {
        const int calls = 20;
        double best = 0;
        for (int repetition = 0; repetition < repetitions; repetition++) {
            const double start = thread_seconds();
            for (int call = 0; call < calls; call++) float_kernels[i].run(table, &buffers);
            const double speed = (double)calls * COUNT / (thread_seconds() - start);
            if (speed > best) best = speed;
        }
        printf("%-11s %-20s %8.2f\n", table->name, float_kernels[i].name, best / 1e9);
    }
    void *const memory[] = {buffers.x, buffers.y, buffers.channels, buffers.moments, buffers.halves, buffers.bytes};
    for (size_t i = 0; i < sizeof memory / sizeof memory[0]; i++) release(memory[i]);
}
