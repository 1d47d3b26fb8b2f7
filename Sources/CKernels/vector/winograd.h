// Winograd's transforms, a vector of channels at a time: along each column of a tile, then along each row.
#ifndef AUDIOLDM2_VECTOR_WINOGRAD_H
#define AUDIOLDM2_VECTOR_WINOGRAD_H

#include "vector.h"

enum { WINOGRAD_MOST = 6 };

INLINE void store_up_to(float *y, vfloat v, size_t count) {
    if (count >= LANES) {
        store(y, v);
    } else {
        store_part(y, v, count);
    }
}

// Bᵀ x, of a line of outputs + 2.
INLINE void winograd_input_line(const vfloat *x, size_t outputs, vfloat *y) {
    if (outputs == 2) {
        y[0] = x[0] - x[2], y[1] = x[1] + x[2], y[2] = x[2] - x[1], y[3] = x[1] - x[3];
        return;
    }
    const vfloat even = x[4] - 4 * x[2], odd = x[3] - 4 * x[1];
    const vfloat outer = x[4] - x[2], inner = 2 * (x[3] - x[1]);
    y[0] = 4 * x[0] - 5 * x[2] + x[4];
    y[1] = even + odd, y[2] = even - odd;
    y[3] = outer + inner, y[4] = outer - inner;
    y[5] = 4 * x[1] - 5 * x[3] + x[5];
}

// G w, of three.
INLINE void winograd_weight_line(const vfloat *w, size_t outputs, vfloat *y) {
    if (outputs == 2) {
        const vfloat sum = w[0] + w[2];
        y[0] = w[0], y[1] = 0.5f * (sum + w[1]), y[2] = 0.5f * (sum - w[1]), y[3] = w[2];
        return;
    }
    const vfloat near = (-1.0f / 6) * (w[0] + w[2]), far = (1.0f / 24) * w[0] + (1.0f / 6) * w[2];
    y[0] = 0.25f * w[0];
    y[1] = near - (1.0f / 6) * w[1], y[2] = near + (1.0f / 6) * w[1];
    y[3] = far + (1.0f / 12) * w[1], y[4] = far - (1.0f / 12) * w[1];
    y[5] = w[2];
}

// Aᵀ x, of a line of outputs + 2.
INLINE void winograd_output_line(const vfloat *x, size_t outputs, vfloat *y) {
    if (outputs == 2) {
        y[0] = x[0] + x[1] + x[2], y[1] = x[1] - x[2] - x[3];
        return;
    }
    const vfloat near = x[1] + x[2], nearest = x[1] - x[2], far = x[3] + x[4], farthest = x[3] - x[4];
    y[0] = x[0] + near + far;
    y[1] = nearest + 2 * farthest;
    y[2] = near + 4 * far;
    y[3] = nearest + 8 * farthest + x[5];
}

// Reads column by column, writes row by row: `read` and `write` are what differs between the three.
#define WINOGRAD_TRANSFORM(line, height_in, width_in, height_out, width_out, read, write)                              \
    for (size_t c = 0; c < t->channels; c += LANES) {                                                                  \
        const size_t count = t->channels - c;                                                                          \
        vfloat between[WINOGRAD_MOST][WINOGRAD_MOST], in[WINOGRAD_MOST], out[WINOGRAD_MOST];                           \
        for (size_t j = 0; j < (width_in); j++) {                                                                      \
            for (size_t i = 0; i < (height_in); i++) in[i] = load_up_to((read) + c, count);                            \
            line(in, height, out);                                                                                     \
            for (size_t i = 0; i < (height_out); i++) between[i][j] = out[i];                                          \
        }                                                                                                              \
        for (size_t i = 0; i < (height_out); i++) {                                                                    \
            line(between[i], width, out);                                                                              \
            for (size_t j = 0; j < (width_out); j++) {                                                                 \
                float *target = (write);                                                                               \
                if (target) store_up_to(target + c, out[j], count);                                                    \
            }                                                                                                          \
        }                                                                                                              \
    }

INLINE void winograd_input_tile(const kernels_winograd_tile *t, const float *const *x, float *y, size_t height,
                                size_t width) {
    WINOGRAD_TRANSFORM(winograd_input_line, height + 2, width + 2, height + 2, width + 2, x[i * (width + 2) + j],
                       y + (i * (width + 2) + j) * t->stride)
}

INLINE void winograd_weight_tile(const kernels_winograd_tile *t, const float *w, float *y, size_t height,
                                 size_t width) {
    WINOGRAD_TRANSFORM(winograd_weight_line, 3, 3, height + 2, width + 2, w + (i * 3 + j) * t->channels,
                       y + (i * (width + 2) + j) * t->stride)
}

INLINE void winograd_output_tile(const kernels_winograd_tile *t, const float *x, float *const *y, size_t height,
                                 size_t width) {
    WINOGRAD_TRANSFORM(winograd_output_line, height + 2, width + 2, height, width, x + (i * (width + 2) + j) * t->stride,
                       y[i * width + j])
}

// The function of a tile, compiled for each of its sizes.
#define WITH_TILE_SIZE(function, ...)                                                                                  \
    if (t->height == 4) {                                                                                              \
        if (t->width == 4) {                                                                                           \
            function(__VA_ARGS__, 4, 4);                                                                               \
        } else {                                                                                                       \
            function(__VA_ARGS__, 4, 2);                                                                               \
        }                                                                                                              \
    } else if (t->width == 4) {                                                                                        \
        function(__VA_ARGS__, 2, 4);                                                                                   \
    } else {                                                                                                           \
        function(__VA_ARGS__, 2, 2);                                                                                   \
    }

static void winograd_input(const kernels_winograd_tile *t, const float *const *x, float *y) {
    WITH_TILE_SIZE(winograd_input_tile, t, x, y)
}

static void winograd_weight(const kernels_winograd_tile *t, const float *w, float *y) {
    WITH_TILE_SIZE(winograd_weight_tile, t, w, y)
}

static void winograd_output(const kernels_winograd_tile *t, const float *x, float *const *y) {
    WITH_TILE_SIZE(winograd_output_tile, t, x, y)
}

#endif
