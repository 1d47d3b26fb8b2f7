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
    if (row >= q.rows) return;
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
DEVICE void block_bounds(float &low, float &high) {
    __shared__ float lows[CUDA_WARPS], highs[CUDA_WARPS];
    low = warp_minimum(low);
    high = warp_maximum(high);
    if (threadIdx.x % 32 == 0) {
        lows[threadIdx.x / 32] = low;
        highs[threadIdx.x / 32] = high;
    }
    __syncthreads();
    for (int i = 0; i < CUDA_WARPS && threadIdx.x == 0; i++) {
        low = fminf(low, lows[i]);
        high = fmaxf(high, highs[i]);
    }
}

// A block for each tile: its range, then its bytes.
KERNEL quantize_tiles(const cuda_quantize q) {
    __shared__ cuda_range shared_range;
    const int sample = blockIdx.x / q.tiling.count, words = (q.channels + 3) / 4;
    const Rows rows = rows_of_tile(q.tiling, blockIdx.x % q.tiling.count);
    const float *x = q.x + ((long long)sample * q.rows + rows.first) * q.channels;
    int *y = q.y + (long long)blockIdx.x * q.tiling.room * words;
    float low = 0, high = 0;
    for (int i = threadIdx.x; i < rows.count * q.channels; i += CUDA_BLOCK) {
        const float value = activated(x[i], q.activation);
        if (value < low) low = value;
        if (value > high) high = value;
    }
    block_bounds(low, high);
    if (threadIdx.x == 0) q.ranges[blockIdx.x] = shared_range = range_of(low, high);
    __syncthreads();
    const cuda_range range = shared_range;
    for (int i = threadIdx.x; i < rows.count * words; i += CUDA_BLOCK) {
        const int row = i / words;
        y[i] = word_of(x + row * q.channels, (i - row * words) * 4, q.channels, range, q.activation);
    }
}
