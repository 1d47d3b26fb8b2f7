#include "scalar.h"

// Weights of one tap in a tile are [inputs / 4][16][4].
static int32_t dot_product(const uint8_t *a, int32_t zero, const int8_t *tile, size_t inputs, size_t lane) {
    int32_t sum = 0;
    for (size_t i = 0; i < inputs; i++) sum += (a[i] - zero) * tile[i / 4 * 64 + lane * 4 + i % 4];
    return sum;
}

void scalar_product_u8s8(const kernels_product *p) {
    for (size_t m = 0; m < p->rows; m++) {
        const kernels_range range = p->ranges[m * p->range_stride];
        for (size_t n = p->first_output; n < p->last_output; n++) {
            int32_t sum = 0;
            for (size_t tap = 0; tap < p->taps; tap++) {
                const int8_t *tile = p->tiles + (n / 16 * p->taps + tap) * p->inputs * 16;
                sum += dot_product(p->a[tap * p->rows + m], range.zero, tile, p->inputs, n % 16);
            }
            float value = (float)sum * (range.scale * p->scales[n]);
            if (p->bias) value += p->bias[n];
            if (p->sample_bias) value += p->sample_bias[n];
            value = scalar_activation(value, p->activation, p->slope);
            if (p->residual) value += p->residual[m * p->residual_stride + n];
            p->y[m * p->y_stride + n] = value;
        }
    }
}
