// The inner loops of the CPU backend: one signature per kernel, one table of them per instruction set.
//
// Scalar C is the specification. Every other table must give the same integers exactly and the same floats to within
// rounding. A table is chosen once, from what the CPU and the operating system support; `AUDIOLDM2_CPU` forces a lower one.
#ifndef AUDIOLDM2_KERNELS_H
#define AUDIOLDM2_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang diagnostic push
// Only what Swift would otherwise have to unwrap is annotated.
#pragma clang diagnostic ignored "-Wnullability-completeness"
#else
#define _Nonnull
#define _Nullable
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum kernels_tier {
    KERNELS_SCALAR = 0,
    KERNELS_AVX2 = 1,
    KERNELS_AVX_VNNI = 2,
    KERNELS_AVX512_VNNI = 3,
    KERNELS_NEON_DOTPROD = 4,
    KERNELS_NEON_I8MM = 5,
} kernels_tier;

typedef enum kernels_activation {
    KERNELS_NONE = 0,
    KERNELS_SILU = 1,
    KERNELS_GELU = 2,      // exact, with erf
    KERNELS_GELU_TANH = 3, // tanh approximation
    KERNELS_RELU = 4,
    KERNELS_LEAKY_RELU = 5, // slope in `slope`
    KERNELS_TANH = 6,
} kernels_activation;

// What the bytes of a row stand for: scale · (byte − zero), with zero in 0…255.
typedef struct kernels_range {
    float scale;
    int32_t zero;
} kernels_range;

// Product of gathered unsigned rows with packed signed weights; see `Int8Layout` for the packing.
//
//   sum[m][n] = Σ_tap Σ_i (a[tap][m][i] − zero[m]) · w[n][tap][i]
//   y[m][n]   = act(sum · scale[m] · scales[n] + bias[n] + sample_bias[n]) + residual[m][n]
//
// taps · inputs is at most 2¹⁶, so that sums fit. Weights are −127…127, inputs any byte.
//
// Rows come through pointers, so the same kernel is a matrix product (one tap) and a convolution (a pointer per kernel
// position; padding points at a row of zero points).
typedef struct kernels_product {
    size_t rows;          // m
    size_t taps;          // kernel positions
    size_t inputs;        // i: channels per tap, a multiple of 4
    size_t first_output;  // first n to compute, a multiple of 16
    size_t last_output;   // one past the last n to compute
    const uint8_t *const *a; // [taps][rows] pointers to `inputs` bytes
    const int8_t *tiles;     // [⌈N/16⌉][taps][inputs/4][16][4]
    const float *scales;     // [N]
    const int32_t *sums;     // [N]: Σ of each output's weights
    const kernels_range *ranges; // [rows] if range_stride is 1, one for all if it is 0
    size_t range_stride;
    const float *bias;        // [N] or NULL
    const float *sample_bias; // [N] or NULL
    const float *residual;    // [rows] of residual_stride floats, or NULL; may be y itself
    size_t residual_stride;
    kernels_activation activation;
    float slope;
    float *y; // [rows] of y_stride floats, indexed by n from 0
    size_t y_stride;
} kernels_product;

// Rows of floats, strides in floats: see `product_f32`.
typedef struct kernels_float_product {
    size_t rows, outputs, inputs;
    const float *a; // [rows][inputs]
    size_t a_stride;
    const float *b; // [outputs][inputs]
    size_t b_stride;
    float *y; // [rows][outputs]
    size_t y_stride;
} kernels_float_product;

// One head's keys and values as `attend_u8s8` reads them; `pack_context` fills everything that is pointed to. K and W are
// `keys` and `width` rounded up to 4.
typedef struct kernels_context {
    size_t keys;
    size_t width;        // of a head
    int8_t *key_bytes;   // [K][W], without the mean over all keys, which changes no softmax
    float *key_scales;   // [K]
    float *key_offsets;  // [K]: the mask, in units of ln 2; no key at all past the last one
    int32_t *key_sums;   // [K]: Σ of each key's bytes
    int8_t *value_bytes; // [K/4][W][4], without the mean over all keys, which is added to the result
    float *value_scales; // [W]
    float *value_means;  // [W]
    int32_t *value_sums; // [⌈K/KERNELS_KEY_BLOCK⌉][W]: Σ of each block's bytes
    float *key_means;    // [W]
} kernels_context;

enum {
    // Keys whose probabilities share a scale.
    KERNELS_KEY_BLOCK = 96,
    // The most queries that an attention takes at a time.
    KERNELS_QUERY_TILE = 32,
};

// Attention of one head: y[i] = Σ_j softmax_j(scale · q[i] · k[j] + mask[j]) v[j], in blocks of keys.
//
// Queries are rounded to −127…127 by their largest magnitude, keys and values are packed. With x the base-2 logarithm of
// a probability before it is normalized, p[i][j] = round(2^(x[i][j] − max of the block's x[i]) · 255), and
//
//   y[i] = means + scales · Σ_blocks 2^max Σ_j p[i][j] v[j] / Σ_blocks 2^max Σ_j p[i][j]
typedef struct kernels_attention {
    size_t queries;
    const float *q; // [queries] of q_stride floats
    size_t q_stride;
    const kernels_context *context;
    float scale;
    float *y; // [queries] of y_stride floats
    size_t y_stride;
    // 64-byte aligned, of 9 · KERNELS_QUERY_TILE · W bytes.
    void *scratch;
} kernels_attention;

// The same in floats: y[i] = Σ_j softmax_j(scale · q[i] · k[j] + mask[j] + bias[i][j]) v[j] over the keys that i sees.
// Scores are bounded as by `softmax`.
typedef struct kernels_float_attention {
    size_t queries, keys, width;
    const float *q; // [queries] of q_stride floats
    size_t q_stride;
    const float *k; // [keys] of k_stride floats
    size_t k_stride;
    const float *v; // [keys] of v_stride floats
    size_t v_stride;
    float scale;
    const float *mask; // [keys] or NULL
    const float *bias; // [queries] of bias_stride floats, or NULL
    size_t bias_stride;
    size_t visible; // at least 1: query i sees the first visible + i keys
    float *y;       // [queries] of y_stride floats
    size_t y_stride;
    // 64-byte aligned, of 9 · KERNELS_QUERY_TILE · W bytes.
    void *scratch;
} kernels_float_attention;

// Float inputs of few rows times a packed weight of one tap where it lies, for products that would spend their time on
// expanding it: y[m][n] = scales[n] · Σ_i x[m][i] · w[n][i]. A row's results do not depend on other rows.
typedef struct kernels_tile_product {
    size_t rows, outputs, inputs;
    size_t padded_inputs; // of the weight: a multiple of 4
    const float *x;       // [rows] of x_stride floats
    size_t x_stride;
    const int8_t *tiles; // from an output that is a multiple of 16
    const float *scales; // [outputs]
    float *y;            // [rows] of y_stride floats
    size_t y_stride;
} kernels_tile_product;

// One step towards the phases of a spectrogram whose magnitudes are known (Griffin & Lim 1984, with the momentum of
// Perraudin et al. 2013): of each frame of the signal the spectrum X is taken, its phase is led on from the one before,
//
//   Y = magnitude · (X − momentum · previous) / |X − momentum · previous|,  previous = X,
//
// and Y's frame, windowed again, is added to y. Frames follow one another by `hop`; numbers of a bin lie side by side.
typedef struct kernels_phase_step {
    size_t length;             // samples of a frame: a power of 2, at least 16
    size_t hop;
    size_t frames;             // to take
    size_t stride;             // at least `frames`, a multiple of KERNELS_FRAMES_AT_ONCE
    const float *window;       // [length]
    const float *turns;        // [length/2][2]: cosine and sine of −2πk/length
    const uint32_t *order;     // [length/2]: k with its log2(length/2) bits reversed
    const float *signal;       // [(stride − 1) · hop + length]
    const float *magnitudes;   // [length/2 + 1][stride]
    float *previous;           // [length/2 + 1][2][stride]: real and imaginary parts
    float momentum;
    float *y;                  // [(frames − 1) · hop + length]
    // 64-byte aligned, of 4 · length · KERNELS_FRAMES_AT_ONCE bytes.
    void *scratch;
} kernels_phase_step;

enum {
    // The most frames that a vector of floats holds.
    KERNELS_FRAMES_AT_ONCE = 16,
};

// A tile of a convolution whose kernel is 3 × 3, by fewer products than its definition has (Winograd 1980; Lavin & Gray 2015, arXiv
// 1509.09308): with x the (height + 2) × (width + 2) inputs of a channel that it reads, and w their kernel,
//
//   y = Aᵀ (Σ_channels (G w Gᵀ) ⊙ (Bᵀ x B)) A
//
// Each extent has its own three matrices, for the points 0, ±1, ∞ (2 outputs) or 0, ±1, ±2, ∞ (4).
typedef struct kernels_winograd_tile {
    size_t height, width; // of the outputs: 2 or 4
    size_t channels;      // of what is transformed
    size_t stride;        // floats from one transformed place to the next; places are row by row
} kernels_winograd_tile;

typedef struct kernels {
    kernels_tier tier;
    const char *_Nonnull name;

    // Float products: y[m][n] = Σ_k a[m][k] · b[n][k]. A row's results do not depend on other rows.
    void (*_Nonnull product_f32)(const kernels_float_product *p);

    void (*_Nonnull product_tiles)(const kernels_tile_product *p);

    // Integer products.
    void (*_Nonnull product_u8s8)(const kernels_product *p);
    // Lowers *low and raises *high to hold n floats between them; NaN is left out.
    void (*_Nonnull widen_range)(const float *x, size_t n, float *low, float *high);
    // y[i] = zero + round_to_even(clamp(x[i] · inverse_scale, −zero, 255 − zero)) for i < n, zero for n ≤ i < padded.
    // NaN gives zero.
    void (*_Nonnull quantize_u8)(const float *x, size_t n, size_t padded, float inverse_scale, int32_t zero,
                        uint8_t *y);
    // Expands outputs [first, first + count) of a packed weight to float rows of taps · inputs_unpadded values:
    // y[(n − first)][tap · inputs + i] = scales[n] · w[n][tap][i].
    void (*_Nonnull expand_tiles)(const int8_t *tiles, const float *scales, size_t taps, size_t inputs,
                            size_t padded_inputs,
                         size_t first, size_t count, float *y);
    // y[i] = scale · x[i]
    void (*_Nonnull expand_s8)(const int8_t *x, size_t n, float scale, float *y);
    // IEEE half precision, round to nearest even; uint16_t holds the bits.
    void (*_Nonnull expand_f16)(const uint16_t *x, size_t n, float *y);
    void (*_Nonnull narrow_f16)(const float *x, size_t n, uint16_t *y);

    // Elementwise. x and y may be the same.
    void (*_Nonnull activate)(const float *x, size_t n, kernels_activation activation, float slope, float *y);
    // y[i] = x[i] · act(gate[i])
    void (*_Nonnull gate)(const float *x, const float *gate, size_t n, kernels_activation activation, float *y);
    // y[i] = act(x[i] + bias[i] + sample_bias[i]) + residual[i]; bias, sample_bias and residual may be NULL.
    void (*_Nonnull finish)(const float *x, const float *bias, const float *sample_bias, const float *residual,
                            size_t n,
                   kernels_activation activation, float slope, float *y);
    // y[i] += factor · x[i], or y[i] = factor · x[i] if `overwrite`.
    void (*_Nonnull accumulate)(const float *x, size_t n, float factor, bool overwrite, float *y);

    // Norms over one row of n channels. x and y may be the same, here and in `scale_shift`.
    void (*_Nonnull layer_norm)(const float *x, size_t n, float epsilon, const float *scale, const float *shift,
                            float *y);
    void (*_Nonnull rms_norm)(const float *x, size_t n, float epsilon, const float *scale, float *y);
    // Adds, for each channel, Σ(x − pivot) and Σ(x − pivot)² over `rows` rows to sum and square_sum.
    void (*_Nonnull channel_moments)(const float *x, size_t rows, size_t channels, const float *pivot, double *sum,
                            double *square_sum);
    // y[r][c] = act(x[r][c] · scale[c] + shift[c]); a leaky ReLU has slope 0 here and in `gate`.
    void (*_Nonnull scale_shift)(const float *x, size_t rows, size_t channels, const float *scale, const float *shift,
                        kernels_activation activation, float *y);
    // In place: x = softmax(x · scale + bias + mask); bias and mask may be NULL. Scores of −∞ and NaN get zero, +∞ is
    // bounded by the largest float, and a row of −∞ and NaN alone gives zeros. A row that is masked everywhere by a
    // finite number is a softmax like any other.
    void (*_Nonnull softmax)(float *x, size_t n, float scale, const float *bias, const float *mask);

    void (*_Nonnull step_phases)(const kernels_phase_step *s);

    // Winograd's transforms, for all channels. Bᵀ x B of (height + 2) · (width + 2) rows of inputs.
    void (*_Nonnull winograd_input)(const kernels_winograd_tile *t, const float *const *x, float *y);
    // G w Gᵀ of w[3][3][channels].
    void (*_Nonnull winograd_weight)(const kernels_winograd_tile *t, const float *w, float *y);
    // Aᵀ x A, to height · width rows of outputs, of which NULL stands for one that nobody wants.
    void (*_Nonnull winograd_output)(const kernels_winograd_tile *t, const float *x, float *const *y);

    // y[c] = the largest of x[r][k][c], or their mean, over `rows` of row_stride floats with `columns` each of `channels`.
    void (*_Nonnull pool)(const float *x, size_t rows, size_t row_stride, size_t columns, size_t channels,
                          bool takes_largest, float *y);

    // Attention. Packs keys and values of k_stride and v_stride floats; mask may be NULL.
    void (*_Nonnull pack_context)(const float *k, size_t k_stride, const float *v, size_t v_stride, const float *mask,
                                  const kernels_context *context);
    void (*_Nonnull attend_u8s8)(const kernels_attention *a);
    void (*_Nonnull attend_f32)(const kernels_float_attention *a);
} kernels;

// The table in use: the best that this CPU supports, unless `AUDIOLDM2_CPU` names a lower one
// (scalar, avx2, avxvnni, avx512vnni, dotprod, i8mm). An unknown or unsupported name gives the best table;
// `kernels_requested_name` then still tells what was asked for.
const kernels *_Nonnull kernels_current(void);
// The table that a value of `AUDIOLDM2_CPU` chooses; NULL stands for an unset variable.
const kernels *_Nonnull kernels_for_request(const char *_Nullable name);
// The table of one tier, or NULL if this CPU or build has none.
const kernels *_Nullable kernels_for_tier(kernels_tier tier);
// Value of `AUDIOLDM2_CPU`, or NULL.
const char *_Nullable kernels_requested_name(void);

// Whether any build, for any CPU, has a table of this name.
bool kernels_is_tier_name(const char *_Nonnull name);

// Multiply-accumulates per second that a tier's dot-product instruction does on registers alone, on one core; 0 where
// that is not measured.
double kernels_peak_products_per_second(kernels_tier tier);

// Tells the CPU that this is a spin loop.
static inline void kernels_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

// 64-bit xxHash (XXH64, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md), for the pack's checksums.
uint64_t kernels_xxh64(const void *data, size_t length, uint64_t seed);

#ifdef __clang__
#pragma clang diagnostic pop
#endif
#ifdef __cplusplus
}
#endif
#endif
