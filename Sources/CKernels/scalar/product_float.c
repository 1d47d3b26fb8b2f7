#include "scalar.h"

void scalar_product_f32(const kernels_float_product *p) {
    for (size_t m = 0; m < p->rows; m++) {
        for (size_t n = 0; n < p->outputs; n++) {
            double sum = 0;
            for (size_t k = 0; k < p->inputs; k++) {
                sum += (double)p->a[m * p->a_stride + k] * p->b[n * p->b_stride + k];
            }
            p->y[m * p->y_stride + n] = (float)sum;
        }
    }
}

void scalar_product_tiles(const kernels_tile_product *p) {
    for (size_t m = 0; m < p->rows; m++) {
        const float *x = p->x + m * p->x_stride;
        for (size_t n = 0; n < p->outputs; n++) {
            const int8_t *tile = p->tiles + n / 16 * p->padded_inputs * 16 + n % 16 * 4;
            double sum = 0;
            for (size_t i = 0; i < p->inputs; i++) sum += (double)x[i] * tile[i / 4 * 64 + i % 4];
            p->y[m * p->y_stride + n] = (float)(p->scales[n] * sum);
        }
    }
}
