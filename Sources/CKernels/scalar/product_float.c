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
