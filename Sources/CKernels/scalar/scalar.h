// The specification of every kernel, in plain C: see `kernels.h` for what each computes.
#ifndef AUDIOLDM2_SCALAR_H
#define AUDIOLDM2_SCALAR_H

#include "../include/kernels.h"

float scalar_activation(float x, kernels_activation activation, float slope);

void scalar_product_f32(const kernels_float_product *p);
void scalar_product_tiles(const kernels_tile_product *p);
void scalar_product_u8s8(const kernels_product *p);

void scalar_widen_range(const float *x, size_t n, float *low, float *high);
void scalar_quantize_u8(const float *x, size_t n, size_t padded, float inverse_scale, int32_t zero, uint8_t *y);
void scalar_expand_tiles(const int8_t *tiles, const float *scales, size_t taps, size_t inputs, size_t padded_inputs,
                         size_t first, size_t count, float *y);
void scalar_expand_s8(const int8_t *x, size_t n, float scale, float *y);
void scalar_expand_f16(const uint16_t *x, size_t n, float *y);
void scalar_narrow_f16(const float *x, size_t n, uint16_t *y);

void scalar_activate(const float *x, size_t n, kernels_activation activation, float slope, float *y);
void scalar_gate(const float *x, const float *gate, size_t n, kernels_activation activation, float *y);
void scalar_finish(const float *x, const float *bias, const float *sample_bias, const float *residual, size_t n,
                   kernels_activation activation, float slope, float *y);
void scalar_accumulate(const float *x, size_t n, float factor, bool overwrite, float *y);
void scalar_pool(const float *x, size_t rows, size_t row_stride, size_t columns, size_t channels, bool takes_largest,
                 float *y);

void scalar_layer_norm(const float *x, size_t n, float epsilon, const float *scale, const float *shift, float *y);
void scalar_rms_norm(const float *x, size_t n, float epsilon, const float *scale, float *y);
void scalar_channel_moments(const float *x, size_t rows, size_t channels, const float *pivot, double *sum,
                            double *square_sum);
void scalar_scale_shift(const float *x, size_t rows, size_t channels, const float *scale, const float *shift,
                        kernels_activation activation, float *y);
void scalar_step_phases(const kernels_phase_step *s);
void scalar_softmax(float *x, size_t n, float scale, const float *bias, const float *mask);

void scalar_winograd_input(const kernels_winograd_tile *t, const float *const *x, float *y);
void scalar_winograd_weight(const kernels_winograd_tile *t, const float *w, float *y);
void scalar_winograd_output(const kernels_winograd_tile *t, const float *x, float *const *y);

void scalar_pack_context(const float *k, size_t k_stride, const float *v, size_t v_stride, const float *mask,
                         const kernels_context *context);
void scalar_attend_u8s8(const kernels_attention *a);
void scalar_attend_f32(const kernels_float_attention *a);

#endif
