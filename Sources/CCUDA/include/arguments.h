// What the host tells the kernels: one structure each, the same bytes on both sides.
//
// Rows are channels last, as everywhere. Pointers to device memory are plain addresses on the host.
#ifndef AUDIOLDM2_CUDA_ARGUMENTS_H
#define AUDIOLDM2_CUDA_ARGUMENTS_H

#ifdef AUDIOLDM2_DEVICE_CODE
#define DEVICE_POINTER(type) type *
#else
#define DEVICE_POINTER(type) unsigned long long
#endif

enum {
    CUDA_BLOCK = 256, // threads of every block
    CUDA_WARPS = CUDA_BLOCK / 32,
    CUDA_PRODUCT_TILE = 64,   // rows and outputs of a block of `product_*`, outputs of a block of `product_*mma`
    CUDA_PRODUCT_MMA_ROWS = 128,
    CUDA_PRODUCT_DEPTH = 16,  // words, or floats, that are multiplied at a time
    CUDA_MOST_PARTS = 64,     // of a sample, in reductions of two kernels
    CUDA_MOST_TERMS = 8,      // of one `combine`
    CUDA_ATTENTION_CHUNK = 64, // channels of a head at a time
    CUDA_ATTENTION_MMA_QUERIES = CUDA_WARPS * 16 // of a block of `attention_mma_*`
};

// The numbers of `kernels_activation`.
enum {
    CUDA_NONE = 0,
    CUDA_SILU = 1,
    CUDA_GELU = 2,
    CUDA_GELU_TANH = 3,
    CUDA_RELU = 4,
    CUDA_LEAKY_RELU = 5,
    CUDA_TANH = 6
};

typedef struct cuda_activation {
    int kind;
    float slope;
} cuda_activation;

// What the bytes of a row stand for: scale · (byte − zero), byte and zero in 0…255.
typedef struct cuda_range {
    float scale;
    int zero;
} cuda_range;

// Which rows of the input a row of the result reads. Not gathered: the one of its own number, at the only tap.
typedef struct cuda_geometry {
    int is_gathered;
    int input_height, input_width;     // as stored
    int resized_height, resized_width; // as read
    int output_height, output_width;
    int kernel_width;
    int stride_height, stride_width;
    int dilation_height, dilation_width;
    int padding_top, padding_left;
    float height_scale, width_scale; // stored / resized
} cuda_geometry;

// How a convolution's input becomes bytes: in tiles along time, each with a range and room of its own. The host's
// `ConvolutionTiles` says what is in a tile. Not tiled: a range for every row.
typedef struct cuda_tiles {
    int is_tiled;
    int count; // of a sample
    int room;  // for rows of a tile's bytes
    int lines; // of results in a tile, but for the last
    int all_lines, line_outputs, line_inputs; // of a sample; rows of results and of the input in a line
    int stride, padding, reach;               // in lines of the input, as read
    int stored_lines, resized_lines;          // of the input
    float scale;                              // stored / resized
} cuda_tiles;

// y = activation(sum + bias + sample_bias) + residual; each pointer may be 0.
typedef struct cuda_epilogue {
    DEVICE_POINTER(const float) bias;        // [outputs]
    DEVICE_POINTER(const float) sample_bias; // [samples][outputs]
    DEVICE_POINTER(const float) residual;    // [rows][outputs]
    int rows_per_sample;
    cuda_activation activation;
} cuda_epilogue;

// y[m][n] = Σ_tap Σ_i act(x[source(m, tap)][i]) · w[n][tap][i], in floats.
typedef struct cuda_product {
    DEVICE_POINTER(const float) x;        // [input rows][inputs]
    DEVICE_POINTER(const void) weight;    // [outputs][taps][inputs] floats or halves, or int8 tiles
    DEVICE_POINTER(const float) scales;   // [outputs], of int8
    DEVICE_POINTER(float) y;              // [rows][outputs]
    DEVICE_POINTER(float) parts;          // [part_count][rows][outputs], where a sum is made in parts
    int rows, outputs, taps, inputs, part_count;
    int is_aligned; // rows of x start at multiples of 16 bytes
    cuda_activation input_activation;
    cuda_geometry geometry;
    cuda_epilogue epilogue;
} cuda_product;

// The same of bytes: y[m][n] = Σ_tap Σ_i (a[source][i] − zero) · w[n][tap][i] · scale · scales[n].
typedef struct cuda_int8_product {
    DEVICE_POINTER(const int) x;             // [rows, or tiles · room][words] of 4 bytes − 128
    DEVICE_POINTER(const cuda_range) ranges; // per row, or per tile
    DEVICE_POINTER(const int) tiles;        // [⌈outputs/16⌉][taps][words][16] of 4 bytes
    DEVICE_POINTER(const float) scales;     // [outputs]
    DEVICE_POINTER(const int) sums;         // [outputs]: Σ of each output's weights
    DEVICE_POINTER(float) y;                // [rows][outputs]
    DEVICE_POINTER(int) parts;              // [part_count][rows][outputs], where a sum is made in parts
    int rows, outputs, taps, words, part_count;
    cuda_geometry geometry;
    cuda_tiles tiling;
    cuda_epilogue epilogue;
} cuda_int8_product;

// Floats to bytes: a range for every row, or for every tile.
typedef struct cuda_quantize {
    DEVICE_POINTER(const float) x; // [samples · rows][channels]
    DEVICE_POINTER(int) y;         // [samples · rows, or tiles · room][⌈channels/4⌉] words
    DEVICE_POINTER(cuda_range) ranges;
    int rows; // of a sample, or of all where there are no tiles
    int channels;
    cuda_tiles tiling;
    cuda_activation activation; // applied first
} cuda_quantize;

// One head of one sample and a tile of queries per block; strides in floats.
typedef struct cuda_attention {
    DEVICE_POINTER(const float) q;
    DEVICE_POINTER(const float) k;
    DEVICE_POINTER(const float) v;
    DEVICE_POINTER(const float) mask; // [batch][keys] or 0
    DEVICE_POINTER(const float) bias; // [bias_count][heads][queries][keys] or 0
    DEVICE_POINTER(float) y;          // [batch][queries][heads · width]
    long long q_sample, k_sample, v_sample;
    int q_token, k_token, v_token;
    int queries, keys, heads, width, bias_count, is_causal;
    float scale;
} cuda_attention;

// Per row: layer norm, root-mean-square norm (no shift), or division by the length (neither).
typedef struct cuda_row_norm {
    DEVICE_POINTER(const float) x;
    DEVICE_POINTER(const float) scale;
    DEVICE_POINTER(const float) shift;
    DEVICE_POINTER(float) y;
    int rows, channels;
    float epsilon;
} cuda_row_norm;

typedef struct cuda_group_norm {
    DEVICE_POINTER(const float) x; // [samples][rows][channels]
    DEVICE_POINTER(const float) scale;
    DEVICE_POINTER(const float) shift;
    DEVICE_POINTER(double) parts;  // [samples · groups][part_count][2]: Σ(x − pivot), Σ(x − pivot)²
    DEVICE_POINTER(float) factors; // [samples][2][channels]: factors, summands
    DEVICE_POINTER(float) y;
    int samples, rows, channels, groups, part_count;
    float epsilon;
    cuda_activation activation;
} cuda_group_norm;

typedef struct cuda_apply {
    DEVICE_POINTER(const float) x;
    DEVICE_POINTER(float) y;
    long long count;
    cuda_activation activation;
} cuda_apply;

// y[r][c] = x[r][c] · act(x[r][channels + c])
typedef struct cuda_gate {
    DEVICE_POINTER(const float) x;
    DEVICE_POINTER(float) y;
    long long rows;
    int channels;
    cuda_activation activation;
} cuda_gate;

// y = Σ factor · x, or y += Σ factor · x.
typedef struct cuda_combine {
    DEVICE_POINTER(const float) x[CUDA_MOST_TERMS];
    float factors[CUDA_MOST_TERMS];
    DEVICE_POINTER(float) y;
    long long count;
    int terms, adds;
} cuda_combine;

// y = (x − mean) / deviation, by channel.
typedef struct cuda_normalize {
    DEVICE_POINTER(const float) x;
    DEVICE_POINTER(const float) mean;
    DEVICE_POINTER(const float) deviation;
    DEVICE_POINTER(float) y;
    long long count;
    int channels;
} cuda_normalize;

// y = known where kept is 1, x where it is 0, and between them their mixture; kept[position], rows of channels.
typedef struct cuda_blend {
    DEVICE_POINTER(const float) x;
    DEVICE_POINTER(const float) known;
    DEVICE_POINTER(const float) kept;
    DEVICE_POINTER(float) y;
    long long count;
    int positions, channels;
} cuda_blend;

// y[row][column] = mean or maximum of x's rectangle there; `columns` are those of y, `count` its elements.
typedef struct cuda_pool {
    DEVICE_POINTER(const float) x;
    DEVICE_POINTER(float) y;
    long long count;
    int columns, channels, height, width, maximum;
} cuda_pool;

// sums[start + row] += factors[row] · x[row], rows of channels, where the first row of the sums follows their last; `touched`
// of these are written, the lesser of both numbers of rows.
typedef struct cuda_accumulate {
    DEVICE_POINTER(const float) x;
    DEVICE_POINTER(const float) factors;
    DEVICE_POINTER(float) sums;
    int samples, rows, touched, total, start, channels;
} cuda_accumulate;

// y[row] = x[row] / divisors[row], rows of channels.
typedef struct cuda_divide {
    DEVICE_POINTER(const float) x;
    DEVICE_POINTER(const float) divisors;
    DEVICE_POINTER(float) y;
    long long count;
    int rows, channels;
} cuda_divide;

// Runs of floats, from one stride to another.
typedef struct cuda_copy {
    DEVICE_POINTER(const float) x;
    DEVICE_POINTER(float) y;
    long long runs, length, x_stride, y_stride;
} cuda_copy;

// y[sample][i] = x[sample][order[i]], rows of channels.
typedef struct cuda_rows {
    DEVICE_POINTER(const float) x;
    DEVICE_POINTER(const int) order;
    DEVICE_POINTER(float) y;
    int samples, rows, count, channels;
} cuda_rows;

#endif
