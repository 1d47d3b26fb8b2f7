#include "../tables.h"
#include "scalar.h"

const kernels kernels_scalar = {
    .tier = KERNELS_SCALAR,
    .name = "scalar",
    .product_f32 = scalar_product_f32,
    .product_tiles = scalar_product_tiles,
    .product_u8s8 = scalar_product_u8s8,
    .widen_range = scalar_widen_range,
    .quantize_u8 = scalar_quantize_u8,
    .expand_tiles = scalar_expand_tiles,
    .expand_s8 = scalar_expand_s8,
    .expand_f16 = scalar_expand_f16,
    .narrow_f16 = scalar_narrow_f16,
    .activate = scalar_activate,
    .gate = scalar_gate,
    .finish = scalar_finish,
    .accumulate = scalar_accumulate,
    .layer_norm = scalar_layer_norm,
    .rms_norm = scalar_rms_norm,
    .channel_moments = scalar_channel_moments,
    .scale_shift = scalar_scale_shift,
    .softmax = scalar_softmax,
    .step_phases = scalar_step_phases,
    .pack_context = scalar_pack_context,
    .attend_u8s8 = scalar_attend_u8s8,
    .attend_f32 = scalar_attend_f32,
};
