// Floats to bytes over the range that they have, zero included: exactly the CPU's rounding.

// The whole of the bytes for the whole of the numbers.
DEVICE cuda_range range_of(float low, float high) {
    const float scale = (high - low) / 255;
    cuda_range range = {scale, 0};
    if (scale >= 1.17549435e-38f && scale <= LARGEST_FLOAT) {
        range.zero = (int)fminf(-low / scale + 0.5f, 255);
    } else {
        // What is not a number must not become one.
        range.scale = scale <= LARGEST_FLOAT ? 0 : __int_as_float(0x7fc00000);
    }
    return range;
}

DEVICE int byte_of(float x, float inverse_scale, int zero) {
    float value = x * inverse_scale;
    if (!(value == value)) value = 0;
    value = value > (float)(255 - zero) ? (float)(255 - zero) : value < (float)-zero ? (float)-zero : value;
    return zero + (int)rintf(value) - 128;
}

// Four bytes from `first` on; zero points behind the last channel.
DEVICE int word_of(const float *x, int first, int channels, cuda_range range, cuda_activation activation) {
    const float inverse_scale = range.scale > 0 ? 1 / range.scale : 0;
    unsigned word = 0;
    for (int i = 0; i < 4; i++) {
        const float value = first + i < channels ? activated(x[first + i], activation) : 0;
        word |= (unsigned)(byte_of(value, inverse_scale, range.zero) & 0xff) << (8 * i);
    }
    return (int)word;
}

// A warp for each row: its range, then its bytes.
KERNEL quantize_rows(const cuda_quantize q) {
    const int lane = threadIdx.x % 32, words = (q.channels + 3) / 4;
    const long long row = (long long)blockIdx.x * CUDA_WARPS + threadIdx.x / 32;
    if (row >= (long long)q.samples * q.rows) return;
    const float *x = q.x + row * q.channels;
    float low = 0, high = 0;
    for (int i = lane; i < q.channels; i += 32) {
        const float value = activated(x[i], q.activation);
        if (value < low) low = value;
        if (value > high) high = value;
    }
    const cuda_range range = range_of(warp_minimum(low), warp_maximum(high));
    if (lane == 0) q.ranges[row] = range;
    for (int word = lane; word < words; word += 32) {
        q.y[row * words + word] = word_of(x, word * 4, q.channels, range, q.activation);
    }
}

// Between what a block's values lie, zero included; thread 0 has the result.
DEVICE cuda_bounds block_bounds(float low, float high) {
    __shared__ cuda_bounds ofWarps[CUDA_WARPS];
    low = warp_minimum(low);
    high = warp_maximum(high);
    if (threadIdx.x % 32 == 0) ofWarps[threadIdx.x / 32] = cuda_bounds{low, high};
    __syncthreads();
    for (int i = 0; i < CUDA_WARPS && threadIdx.x == 0; i++) {
        low = fminf(low, ofWarps[i].low);
        high = fmaxf(high, ofWarps[i].high);
    }
    return cuda_bounds{low, high};
}

// The bounds of one part of a sample: block (part, sample).
KERNEL sample_bounds(const cuda_quantize q) {
    const long long count = (long long)q.rows * q.channels;
    const float *x = q.x + (long long)blockIdx.y * count;
    float low = 0, high = 0;
    for (long long i = first_element(); i < count; i += element_stride()) {
        const float value = activated(x[i], q.activation);
        if (value < low) low = value;
        if (value > high) high = value;
    }
    const cuda_bounds bounds = block_bounds(low, high);
    if (threadIdx.x == 0) q.parts[blockIdx.y * q.part_count + blockIdx.x] = bounds;
}

// The bytes of a sample over the range of its parts: block (piece, sample).
KERNEL quantize_samples(const cuda_quantize q) {
    __shared__ cuda_range shared_range;
    const int sample = blockIdx.y, words = (q.channels + 3) / 4;
    if (threadIdx.x == 0) {
        float low = 0, high = 0;
        for (int i = 0; i < q.part_count; i++) {
            low = fminf(low, q.parts[sample * q.part_count + i].low);
            high = fmaxf(high, q.parts[sample * q.part_count + i].high);
        }
        shared_range = range_of(low, high);
        if (blockIdx.x == 0) q.ranges[sample] = shared_range;
    }
    __syncthreads();
    const cuda_range range = shared_range;
    const long long count = (long long)q.rows * words;
    for (long long i = first_element(); i < count; i += element_stride()) {
        const long long row = (long long)sample * q.rows + i / words;
        const int word = (int)(i % words);
        q.y[row * words + word] = word_of(q.x + row * q.channels, word * 4, q.channels, range, q.activation);
    }
}
