// Products on tensor cores: 128 × 64 sums a block, 32 × 32 a warp. Operands pass through shared memory 16 words at a
// time, a word being four bytes (sm_80 and later) or two halves.

#if AUDIOLDM2_HAS_MMA

enum { MMA_ROWS = CUDA_PRODUCT_MMA_ROWS, MMA_STRIDE = DEPTH + 4, MMA_LEFT = MMA_ROWS * MMA_STRIDE };

// The rows of a thread's sums in its block, [row tile][half of a fragment]; its outputs follow from the lane.
DEVICE int row_of_sum(int tile, int half) {
    return threadIdx.x / 64 * 32 + tile * 16 + half * 8 + threadIdx.x % 32 / 4;
}

// Multiplies one piece that is in shared memory: the sum of the left side's parts with the right side.
template <int PARTS, class Sum> DEVICE void multiply_piece(const int *left, const int *right, Sum sums[2][4][4]) {
    const int warp = threadIdx.x / 32, r = threadIdx.x % 32 / 4, c = threadIdx.x % 4;
    const int *rows = left + (warp / 2 * 32 + r) * MMA_STRIDE + c;
    const int *outputs = right + (warp % 2 * 32 + r) * MMA_STRIDE + c;
    // Lanes may have gone different ways as they read and rescaled.
    __syncwarp();
#pragma unroll
    for (int k = 0; k < DEPTH; k += 8) {
        int b[4][2];
#pragma unroll
        for (int j = 0; j < 4; j++) {
            b[j][0] = outputs[j * 8 * MMA_STRIDE + k];
            b[j][1] = outputs[j * 8 * MMA_STRIDE + k + 4];
        }
#pragma unroll
        for (int part = PARTS - 1; part >= 0; part--) {
            int a[2][4];
#pragma unroll
            for (int i = 0; i < 2; i++) {
                const int *at = rows + part * MMA_LEFT + i * 16 * MMA_STRIDE + k;
                a[i][0] = at[0];
                a[i][1] = at[8 * MMA_STRIDE];
                a[i][2] = at[4];
                a[i][3] = at[8 * MMA_STRIDE + 4];
            }
#pragma unroll
            for (int i = 0; i < 2; i++) {
#pragma unroll
                for (int j = 0; j < 4; j++) multiply_fragments(sums[i][j], a[i], b[j]);
            }
        }
    }
}

// Writes a block's sums, a quarter of its rows at a time: they pass through shared memory for neighbours to be written
// by neighbours, and for the code that finishes them to be there once. What are parts of sums is left for `add_parts`.
template <class Row, class Operands, class Sum>
DEVICE void write_sums(const Operands &o, const Sum sums[2][4][4], const float *factors, Sum *passing) {
    enum { STRIDE = TILE + 8, PASSING = MMA_ROWS / 4 };
    static_assert(PASSING * STRIDE <= MMA_LEFT, "what passes fits where the left side was");
    const int thread = threadIdx.x, first_row = blockIdx.x * MMA_ROWS, first_output = blockIdx.y * TILE;
    Sum *own = passing + (thread / 64 * 8 + thread % 32 / 4) * STRIDE + thread / 32 % 2 * 32 + thread % 4 * 2;
#pragma unroll
    for (int quarter = 0; quarter < 4; quarter++) {
        __syncthreads();
        const int tile = quarter / 2, half = quarter % 2;
        const float factor = factors[row_of_sum(tile, half)];
#pragma unroll
        for (int i = 0; i < 8; i++) {
            own[i / 2 * 8 + i % 2] = Row::whole(sums[tile][i / 2][2 * half + i % 2], factor);
        }
        __syncthreads();
        for (int i = thread; i < PASSING * TILE; i += CUDA_BLOCK) {
            const int line = i / TILE, output = first_output + i % TILE;
            const int row = first_row + line / 8 * 32 + quarter * 8 + line % 8;
            if (row >= o.rows() || output >= o.outputs()) continue;
            const Sum sum = passing[line * STRIDE + i % TILE];
            if (gridDim.z == 1) {
                o.write(sum, row, output);
            } else {
                o.p.parts[((long long)blockIdx.z * o.rows() + row) * o.outputs() + output] = sum;
            }
        }
    }
}

// Adds the parts of sums that blocks made, and finishes them.
template <class Operands> DEVICE void add_parts(const Operands &o) {
    const long long count = (long long)o.rows() * o.outputs();
    for (long long i = first_element(); i < count; i += element_stride()) {
        typename Operands::Sum sum = 0;
        for (int part = 0; part < o.p.part_count; part++) sum += o.p.parts[part * count + i];
        o.write(sum, (int)(i / o.outputs()), (int)(i % o.outputs()));
    }
}

// `Row` is a row of the left side that a thread brings, a quarter of each piece: it knows how a piece of it lies in
// shared memory, and what that means for sums.
template <class Row, class Operands> DEVICE void multiply_on_tensor_cores(const Operands &o) {
    typedef typename Operands::Sum Sum;
    alignas(16) __shared__ int left[Row::PARTS * MMA_LEFT];
    alignas(16) __shared__ int right[TILE * MMA_STRIDE];
    __shared__ float factors[MMA_ROWS];
    const int thread = threadIdx.x, first_row = blockIdx.x * MMA_ROWS, first_output = blockIdx.y * TILE;
    const int line = thread / 4, part = thread % 4 * 4;
    Row upper(o, first_row + line), lower(o, first_row + TILE + line);
    Sum sums[2][4][4] = {};

    // Of all pieces, this block has its share.
    const int pieces = (o.depth() + DEPTH - 1) / DEPTH, all = o.taps() * pieces;
    const int start = (int)((long long)all * blockIdx.z / gridDim.z);
    const int end = (int)((long long)all * (blockIdx.z + 1) / gridDim.z);
    const int start_tap = start / pieces, start_place = start % pieces * DEPTH + part;
    auto next_upper = upper.read(o, start_tap, start_place), next_lower = lower.read(o, start_tap, start_place);
    Four<int> next_right = o.right(first_output + line, start_tap, start_place);
    for (int piece = start; piece < end; piece++) {
        __syncthreads();
        upper.store(next_upper, left + line * MMA_STRIDE + part, factors + line);
        lower.store(next_lower, left + (TILE + line) * MMA_STRIDE + part, factors + TILE + line);
        *(Four<int> *)&right[line * MMA_STRIDE + part] = next_right;
        __syncthreads();
        if (piece + 1 < end) {
            const int tap = (piece + 1) / pieces, first = (piece + 1) % pieces * DEPTH + part;
            next_upper = upper.read(o, tap, first);
            next_lower = lower.read(o, tap, first);
            next_right = o.right(first_output + line, tap, first);
        }
        Row::rescale(sums, factors);
        multiply_piece<Row::PARTS>(left, right, sums);
    }
    __syncthreads();
    upper.tell(factors + line);
    lower.tell(factors + TILE + line);
    write_sums<Row>(o, sums, factors, (Sum *)left);
}

#endif

#if AUDIOLDM2_HAS_BYTE_MMA

// Bytes are multiplied as they are.
struct ByteRow : LeftRow<Int8Operands> {
    enum { PARTS = 1 };

    DEVICE ByteRow(const Int8Operands &o, int row) : LeftRow<Int8Operands>(o, row) {}
    DEVICE void store(Four<int> words, int *target, float *) const { *(Four<int> *)target = words; }
    DEVICE void tell(float *) const {}
    DEVICE static void rescale(int[2][4][4], const float *) {}
    DEVICE static int whole(int sum, float) { return sum; }
};

KERNEL product_mma(const cuda_int8_product p) { multiply_on_tensor_cores<ByteRow>(Int8Operands{p}); }
KERNEL product_mma_sum(const cuda_int8_product p) { add_parts(Int8Operands{p}); }

#endif
