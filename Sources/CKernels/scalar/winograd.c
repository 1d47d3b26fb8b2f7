#include "scalar.h"

// The matrices of Lavin & Gray for kernels of 3, row by row: for 2 outputs, then for 4.
static const float input2[] = {1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, 1, 0, -1};
static const float input4[] = {4, 0, -5, 0, 1, 0, 0, -4, -4, 1, 1, 0, 0, 4, -4, -1, 1, 0,
                               0, -2, -1, 2, 1, 0, 0, 2, -1, -2, 1, 0, 0, 4, 0, -5, 0, 1};
static const float weight2[] = {1, 0, 0, 0.5f, 0.5f, 0.5f, 0.5f, -0.5f, 0.5f, 0, 0, 1};
static const float weight4[] = {1.0f / 4,  0,         0,         -1.0f / 6, -1.0f / 6, -1.0f / 6,
                                -1.0f / 6, 1.0f / 6,  -1.0f / 6, 1.0f / 24, 1.0f / 12, 1.0f / 6,
                                1.0f / 24, -1.0f / 12, 1.0f / 6,  0,         0,         1};
static const float output2[] = {1, 1, 1, 0, 0, 1, -1, -1};
static const float output4[] = {1, 1, 1, 1, 1, 0, 0, 1, -1, 2, -2, 0, 0, 1, 1, 4, 4, 0, 0, 1, -1, 8, -8, 1};

// One channel: y[rows][columns] = left[rows][height] · x[height][width] · right[columns][width]ᵀ.
static void transform(const float *left, size_t rows, size_t height, const float *right, size_t columns, size_t width,
                      const float *x, float *y) {
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            float sum = 0;
            for (size_t a = 0; a < height; a++) {
                for (size_t b = 0; b < width; b++) sum += left[i * height + a] * right[j * width + b] * x[a * width + b];
            }
            y[i * columns + j] = sum;
        }
    }
}

void scalar_winograd_input(const kernels_winograd_tile *t, const float *const *x, float *y) {
    const size_t rows = t->height + 2, columns = t->width + 2;
    for (size_t c = 0; c < t->channels; c++) {
        float read[36], made[36];
        for (size_t i = 0; i < rows * columns; i++) read[i] = x[i][c];
        transform(t->height == 4 ? input4 : input2, rows, rows, t->width == 4 ? input4 : input2, columns, columns, read,
                  made);
        for (size_t i = 0; i < rows * columns; i++) y[i * t->stride + c] = made[i];
    }
}

void scalar_winograd_weight(const kernels_winograd_tile *t, const float *w, float *y) {
    const size_t rows = t->height + 2, columns = t->width + 2;
    for (size_t c = 0; c < t->channels; c++) {
        float read[9], made[36];
        for (size_t i = 0; i < 9; i++) read[i] = w[i * t->channels + c];
        transform(t->height == 4 ? weight4 : weight2, rows, 3, t->width == 4 ? weight4 : weight2, columns, 3, read, made);
        for (size_t i = 0; i < rows * columns; i++) y[i * t->stride + c] = made[i];
    }
}

void scalar_winograd_output(const kernels_winograd_tile *t, const float *x, float *const *y) {
    const size_t rows = t->height + 2, columns = t->width + 2;
    for (size_t c = 0; c < t->channels; c++) {
        float read[36], made[16];
        for (size_t i = 0; i < rows * columns; i++) read[i] = x[i * t->stride + c];
        transform(t->height == 4 ? output4 : output2, t->height, rows, t->width == 4 ? output4 : output2, t->width,
                  columns, read, made);
        for (size_t i = 0; i < t->height * t->width; i++) {
            if (y[i]) y[i][c] = made[i];
        }
    }
}
