// All kernels of this folder but the integer product, and their slots in a table.
#include "elementwise.h"
#include "norms.h"
#include "phases.h"
#include "product_float.h"
#include "product_tiles.h"
#include "quantize.h"
#include "winograd.h"

#define VECTOR_KERNELS                                                                                                 \
    .product_f32 = product_f32,                                                                                        \
    .product_tiles = product_tiles,                                                                                    \
    .widen_range = widen_range,                                                                                        \
    .quantize_u8 = quantize_u8,                                                                                        \
    .expand_tiles = expand_tiles,                                                                                      \
    .expand_s8 = expand_s8,                                                                                            \
    .expand_f16 = expand_f16,                                                                                          \
    .narrow_f16 = narrow_f16,                                                                                          \
    .activate = activate,                                                                                              \
    .gate = gate,                                                                                                      \
    .finish = finish,                                                                                                  \
    .accumulate = accumulate_scaled,                                                                                   \
    .layer_norm = layer_norm,                                                                                          \
    .rms_norm = rms_norm,                                                                                              \
    .channel_moments = channel_moments,                                                                                \
    .scale_shift = scale_shift,                                                                                        \
    .softmax = softmax,                                                                                                \
    .step_phases = step_phases,                                                                                        \
    .winograd_input = winograd_input,                                                                                  \
    .winograd_weight = winograd_weight,                                                                                \
    .winograd_output = winograd_output,                                                                                \
    .pool = pool
