// Norms over rows of channels, and over groups of channels of a sample.

// The lanes of a warp look at one row; `rows` and `channels` as in the arguments.
struct NormRow {
    const float *x;
    float *y;
    int lane;
    bool exists;

    DEVICE NormRow(const cuda_row_norm &n) {
        const long long row = (long long)blockIdx.x * CUDA_WARPS + threadIdx.x / 32;
        lane = threadIdx.x % 32;
        exists = row < n.rows;
        x = n.x + row * n.channels;
        y = n.y + row * n.channels;
    }
};

DEVICE float square_sum(const NormRow &row, int channels, float mean) {
    float sum = 0;
    for (int i = row.lane; i < channels; i += 32) sum += (row.x[i] - mean) * (row.x[i] - mean);
    return warp_sum(sum);
}

KERNEL layer_norm(const cuda_row_norm n) {
    const NormRow row(n);
    if (!row.exists) return;
    float sum = 0;
    for (int i = row.lane; i < n.channels; i += 32) sum += row.x[i];
    const float mean = warp_sum(sum) / (float)n.channels;
    const float factor = 1 / sqrtf(square_sum(row, n.channels, mean) / (float)n.channels + n.epsilon);
    for (int i = row.lane; i < n.channels; i += 32) row.y[i] = (row.x[i] - mean) * factor * n.scale[i] + n.shift[i];
}

KERNEL rms_norm(const cuda_row_norm n) {
    const NormRow row(n);
    if (!row.exists) return;
    const float factor = 1 / sqrtf(square_sum(row, n.channels, 0) / (float)n.channels + n.epsilon);
    for (int i = row.lane; i < n.channels; i += 32) row.y[i] = row.x[i] * factor * n.scale[i];
}

KERNEL l2_normalize(const cuda_row_norm n) {
    const NormRow row(n);
    if (!row.exists) return;
    const float factor = 1 / fmaxf(sqrtf(square_sum(row, n.channels, 0)), 1e-12f);
    for (int i = row.lane; i < n.channels; i += 32) row.y[i] = row.x[i] * factor;
}

// Sums over a part of one group's values, around its first value: block (part, sample · groups + group).
KERNEL group_moments(const cuda_group_norm n) {
    __shared__ double sums[CUDA_WARPS], squares[CUDA_WARPS];
    const int width = n.channels / n.groups, sample = blockIdx.y / n.groups, group = blockIdx.y % n.groups;
    const float *x = n.x + (long long)sample * n.rows * n.channels + group * width;
    const float pivot = x[0];
    float sum = 0, square = 0;
    for (long long i = first_element(); i < (long long)n.rows * width; i += element_stride()) {
        const float difference = x[i / width * n.channels + i % width] - pivot;
        sum += difference;
        square += difference * difference;
    }
    sum = warp_sum(sum);
    square = warp_sum(square);
    if (threadIdx.x % 32 == 0) {
        sums[threadIdx.x / 32] = sum;
        squares[threadIdx.x / 32] = square;
    }
    __syncthreads();
    if (threadIdx.x != 0) return;
    double *part = n.parts + ((long long)blockIdx.y * n.part_count + blockIdx.x) * 2;
    part[0] = part[1] = 0;
    for (int i = 0; i < CUDA_WARPS; i++) {
        part[0] += sums[i];
        part[1] += squares[i];
    }
}

// A thread for each channel of each sample: what its group's moments make of it.
KERNEL group_factors(const cuda_group_norm n) {
    const long long index = first_element();
    if (index >= (long long)n.samples * n.channels) return;
    const int sample = (int)(index / n.channels), channel = (int)(index % n.channels);
    const int width = n.channels / n.groups, group = channel / width;
    const double *parts = n.parts + (long long)(sample * n.groups + group) * n.part_count * 2;
    double sum = 0, square = 0;
    for (int i = 0; i < n.part_count; i++) {
        sum += parts[2 * i];
        square += parts[2 * i + 1];
    }
    const double count = (double)n.rows * width, offset = sum / count;
    const double variance = fmax(square / count - offset * offset, 0.0);
    const double mean = n.x[(long long)sample * n.rows * n.channels + group * width] + offset;
    const double factor = n.scale[channel] / sqrt(variance + n.epsilon);
    float *factors = n.factors + (long long)sample * 2 * n.channels;
    factors[channel] = (float)factor;
    factors[n.channels + channel] = (float)(n.shift[channel] - mean * factor);
}

KERNEL scale_shift(const cuda_group_norm n) {
    const long long ofSample = (long long)n.rows * n.channels;
    for (long long i = first_element(); i < n.samples * ofSample; i += element_stride()) {
        const float *factors = n.factors + i / ofSample * 2 * n.channels;
        const int channel = (int)(i % n.channels);
        n.y[i] = activated(n.x[i] * factors[channel] + factors[n.channels + channel], n.activation);
    }
}
