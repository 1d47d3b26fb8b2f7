// Times attention on the shapes of the models, beside what the CPU's dot product could do.
#include "bench.h"
#include "clock.h"

#include <stdio.h>

struct shape {
    size_t queries, keys, width;
};

// Self-attention of the UNet's three levels and of the VAE; cross-attention to the language of audio and to a prompt.
static const struct shape shapes[] = {
    {1024, 1024, 32}, {256, 256, 48}, {64, 64, 80}, {1024, 1024, 512}, {1024, 8, 32}, {1024, 24, 32}, {256, 8, 48},
};

struct head {
    float *q, *k, *v, *y;
    kernels_context context;
    kernels_attention attention;
};

static void pack(const kernels *table, const struct head *h) {
    const size_t stride = h->attention.q_stride;
    table->pack_context(h->k, stride, h->v, stride, NULL, &h->context);
}

static void attend(const kernels *table, const struct head *h) { table->attend_u8s8(&h->attention); }

// The best time of one call.
static double seconds(const kernels *table, const struct head *h, int repetitions, double products,
                      void (*run)(const kernels *table, const struct head *h)) {
    const int calls = products > 2e7 ? 1 : (int)(2e7 / products) + 1;
    double best = 1e9;
    for (int i = 0; i < repetitions; i++) {
        const double start = thread_seconds();
        for (int call = 0; call < calls; call++) run(table, h);
        const double time = (thread_seconds() - start) / calls;
        if (time < best) best = time;
    }
    return best;
}

static struct head make_head(struct shape shape, size_t stride) {
    const size_t keys = (shape.keys + 3) / 4 * 4, blocks = (keys + KERNELS_KEY_BLOCK - 1) / KERNELS_KEY_BLOCK;
    struct head h = {
        .q = allocate(shape.queries * stride, sizeof(float)),
        .k = allocate(shape.keys * stride, sizeof(float)),
        .v = allocate(shape.keys * stride, sizeof(float)),
        .y = allocate(shape.queries * stride, sizeof(float)),
        .context =
            {
                .keys = shape.keys,
                .width = shape.width,
                .key_bytes = allocate(keys, shape.width),
                .key_scales = allocate(keys, sizeof(float)),
                .key_offsets = allocate(keys, sizeof(float)),
                .key_sums = allocate(keys, sizeof(int32_t)),
                .value_bytes = allocate(keys, shape.width),
                .value_scales = allocate(shape.width, sizeof(float)),
                .value_means = allocate(shape.width, sizeof(float)),
                .value_sums = allocate(blocks * shape.width, sizeof(int32_t)),
                .key_means = allocate(shape.width, sizeof(float)),
            },
    };
    for (size_t i = 0; i < shape.queries * stride; i++) h.q[i] = (float)(i * 2654435761u % 1001) * 0.002f - 1;
    for (size_t i = 0; i < shape.keys * stride; i++) {
        h.k[i] = (float)(i * 2246822519u % 1003) * 0.002f - 1;
        h.v[i] = (float)(i * 3266489917u % 1009) * 0.002f - 1;
    }
    return h;
}

static void release_head(struct head *h) {
    const kernels_context *c = &h->context;
    void *const buffers[] = {h->q, h->k, h->v, h->y, c->key_bytes, c->key_scales, c->key_offsets, c->key_sums,
                             c->value_bytes, c->value_scales, c->value_means, c->value_sums, c->key_means,
                             h->attention.scratch};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) release(buffers[i]);
}

static void time_shape(const kernels *table, struct shape shape, int repetitions) {
    // Queries, keys and values of eight heads lie side by side.
    const size_t stride = 24 * shape.width;
    struct head h = make_head(shape, stride);
    h.attention = (kernels_attention){
        .queries = shape.queries,
        .q = h.q,
        .q_stride = stride,
        .context = &h.context,
        .scale = 0.2f,
        .y = h.y,
        .y_stride = 8 * shape.width,
        .scratch = allocate(9 * KERNELS_QUERY_TILE, shape.width),
    };
    const double products = 2.0 * (double)(shape.queries * shape.keys * shape.width);
    double peak = 0;
    for (int i = 0; i < repetitions; i++) {
        const double candidate = kernels_peak_products_per_second(table->tier);
        if (candidate > peak) peak = candidate;
    }
    const double packing = seconds(table, &h, repetitions, products, pack);
    const double speed = products / seconds(table, &h, repetitions, products, attend);
    printf("%-11s %7zu %5zu %5zu %8.1f", table->name, shape.queries, shape.keys, shape.width, speed / 1e9);
    if (peak > 0) printf(" %8.1f %5.1f %%", peak / 1e9, 100 * speed / peak);
    printf("  packing %.1f µs\n", packing * 1e6);
    release_head(&h);
}

void time_attention(const kernels *table, int repetitions) {
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) time_shape(table, shapes[i], repetitions);
}
