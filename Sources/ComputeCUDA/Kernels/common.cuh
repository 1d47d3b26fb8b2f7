// What all kernels share. Compiled by NVRTC as they are, behind one another; on the host behind an emulation of CUDA.

#define DEVICE __device__ __forceinline__
#define KERNEL extern "C" __global__ void __launch_bounds__(CUDA_BLOCK)

#define LARGEST_FLOAT 3.402823466e38f
#define INFINITE_FLOAT __int_as_float(0x7f800000)
#define WHOLE_WARP 0xffffffffu

DEVICE float activated(float x, cuda_activation activation) {
    switch (activation.kind) {
    case CUDA_SILU:
        return x / (1 + expf(-x));
    case CUDA_GELU:
        return 0.5f * x * erfcf(-x * 0.70710678118654752f);
    case CUDA_GELU_TANH:
        // ½ (1 + tanh u) = 1 / (1 + exp(−2u)), u = √(2/π) · (x + 0.044715 x³)
        return x / (1 + expf(-1.5957691216057308f * (x + 0.044715f * x * x * x)));
    case CUDA_RELU:
        return x < 0 ? 0 : x;
    case CUDA_LEAKY_RELU:
        return x < 0 ? activation.slope * x : x;
    case CUDA_TANH:
        return tanhf(x);
    default:
        return x;
    }
}

// Of the bits of an IEEE half.
DEVICE float half_to_float(unsigned short bits) {
#ifdef AUDIOLDM2_EMULATED
    return emulated_half(bits);
#else
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
#endif
}

DEVICE float warp_sum(float x) {
    for (int offset = 16; offset > 0; offset /= 2) x += __shfl_xor_sync(WHOLE_WARP, x, offset);
    return x;
}

DEVICE float warp_maximum(float x) {
    for (int offset = 16; offset > 0; offset /= 2) x = fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, offset));
    return x;
}

DEVICE float warp_minimum(float x) {
    for (int offset = 16; offset > 0; offset /= 2) x = fminf(x, __shfl_xor_sync(WHOLE_WARP, x, offset));
    return x;
}

// The first of the elements that a thread of an elementwise kernel handles, and how far apart they are.
DEVICE long long first_element() { return (long long)blockIdx.x * CUDA_BLOCK + threadIdx.x; }
DEVICE long long element_stride() { return (long long)gridDim.x * CUDA_BLOCK; }

// A row of the result, as a place in its sample.
struct Place {
    int sample, y, x;
};

DEVICE Place place_of(const cuda_geometry &g, int row) {
    if (!g.is_gathered) return Place{row, 0, 0};
    const int line = row / g.output_width;
    return Place{line / g.output_height, line % g.output_height, row - line * g.output_width};
}

// The stored row or column behind one that is read: the nearest neighbour as PyTorch takes it, in float.
DEVICE int stored_place(int i, int resized, int stored, float scale) {
    return resized == stored ? i : min((int)((float)i * scale), stored - 1);
}

// The input row that a place reads at a tap; −1 in the padding.
DEVICE int source_row(const cuda_geometry &g, Place place, int tap) {
    if (!g.is_gathered) return place.sample;
    const int i = tap / g.kernel_width, j = tap - i * g.kernel_width;
    int y = place.y * g.stride_height - g.padding_top + i * g.dilation_height;
    int x = place.x * g.stride_width - g.padding_left + j * g.dilation_width;
    if (y < 0 || y >= g.resized_height || x < 0 || x >= g.resized_width) return -1;
    y = stored_place(y, g.resized_height, g.input_height, g.height_scale);
    x = stored_place(x, g.resized_width, g.input_width, g.width_scale);
    return (place.sample * g.input_height + y) * g.input_width + x;
}

// Rows that follow one another.
struct Rows {
    int first, count;
};

// The input rows of a sample that are in a tile; none if its results read padding alone.
DEVICE Rows rows_of_tile(const cuda_tiles &t, int tile) {
    const int line = tile * t.lines, lines = min(t.lines, t.all_lines - line), start = line * t.stride - t.padding;
    const int first = max(start, 0), last = min(start + (lines - 1) * t.stride + t.reach, t.resized_lines - 1);
    if (first > last) return Rows{0, 0};
    const int first_stored = stored_place(first, t.resized_lines, t.stored_lines, t.scale);
    const int last_stored = stored_place(last, t.resized_lines, t.stored_lines, t.scale);
    return Rows{first_stored * t.line_inputs, (last_stored + 1 - first_stored) * t.line_inputs};
}

// The tile of a row of the result, of its sample's.
DEVICE int tile_of(const cuda_tiles &t, const cuda_geometry &g, Place place) {
    return (place.y * g.output_width + place.x) / (t.lines * t.line_outputs);
}

// Finishes and writes one sum of a product.
DEVICE void finish(const cuda_epilogue &e, float sum, int row, int output, int outputs, float *y) {
    if (e.bias) sum += e.bias[output];
    if (e.sample_bias) sum += e.sample_bias[(long long)(row / e.rows_per_sample) * outputs + output];
    sum = activated(sum, e.activation);
    const long long index = (long long)row * outputs + output;
    y[index] = e.residual ? sum + e.residual[index] : sum;
}
