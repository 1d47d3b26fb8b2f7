// The product of bytes on tensor cores (sm_80 and later): 128 × 64 sums a block, 32 × 32 a warp.

#if AUDIOLDM2_HAS_MMA

enum { MMA_ROWS = CUDA_PRODUCT_MMA_ROWS, MMA_STRIDE = DEPTH + 4 };

// d[16][8] += a[16][32] · b[8][32]ᵀ by a warp. With r = lane / 4 and c = lane % 4, in words of four bytes: a holds
// rows r and r + 8 at word c, then the same at word c + 4; b holds row r at words c and c + 4; d holds row r, columns
// 2c and 2c + 1, then row r + 8 (PTX ISA, "Matrix fragments for mma.m16n8k32").
DEVICE void multiply_fragments(int *d, const int *a, const int *b) {
#ifdef AUDIOLDM2_EMULATED
    emulated_mma(d, a, b);
#else
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// Multiplies one piece that is in shared memory: sums[row tile][output tile][fragment].
DEVICE void multiply_piece(const int *left, const int *right, int sums[2][4][4]) {
    const int warp = threadIdx.x / 32, r = threadIdx.x % 32 / 4, c = threadIdx.x % 4;
    const int *rows = left + (warp / 2 * 32 + r) * MMA_STRIDE + c;
    const int *outputs = right + (warp % 2 * 32 + r) * MMA_STRIDE + c;
    for (int k = 0; k < DEPTH; k += 8) {
        int a[2][4], b[4][2];
        for (int i = 0; i < 2; i++) {
            const int *at = rows + i * 16 * MMA_STRIDE + k;
            a[i][0] = at[0];
            a[i][1] = at[8 * MMA_STRIDE];
            a[i][2] = at[4];
            a[i][3] = at[8 * MMA_STRIDE + 4];
        }
        for (int j = 0; j < 4; j++) {
            b[j][0] = outputs[j * 8 * MMA_STRIDE + k];
            b[j][1] = outputs[j * 8 * MMA_STRIDE + k + 4];
        }
        for (int i = 0; i < 2; i++) {
            for (int j = 0; j < 4; j++) multiply_fragments(sums[i][j], a[i], b[j]);
        }
    }
}

KERNEL product_mma(const cuda_int8_product p) {
    alignas(16) __shared__ int left[MMA_ROWS * MMA_STRIDE];
    alignas(16) __shared__ int right[TILE * MMA_STRIDE];
    const Int8Operands o = {p};
    const int thread = threadIdx.x, first_row = blockIdx.x * MMA_ROWS, first_output = blockIdx.y * TILE;
    const int line = thread / 4, part = thread % 4 * 4;
    const LeftRow<Int8Operands> upper(o, first_row + line), lower(o, first_row + TILE + line);
    int sums[2][4][4] = {};

    const int pieces = (p.words + DEPTH - 1) / DEPTH, count = p.taps * pieces;
    Four<int> next_upper = upper.read(o, 0, part), next_lower = lower.read(o, 0, part);
    Four<int> next_right = o.right(first_output + line, 0, part);
    for (int piece = 0; piece < count; piece++) {
        __syncthreads();
        *(Four<int> *)&left[line * MMA_STRIDE + part] = next_upper;
        *(Four<int> *)&left[(TILE + line) * MMA_STRIDE + part] = next_lower;
        *(Four<int> *)&right[line * MMA_STRIDE + part] = next_right;
        __syncthreads();
        if (piece + 1 < count) {
            const int tap = (piece + 1) / pieces, first = (piece + 1) % pieces * DEPTH + part;
            next_upper = upper.read(o, tap, first);
            next_lower = lower.read(o, tap, first);
            next_right = o.right(first_output + line, tap, first);
        }
        multiply_piece(left, right, sums);
    }
    const int warp = thread / 32, r = thread % 32 / 4, c = thread % 4;
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 4; j++) {
            for (int k = 0; k < 4; k++) {
                const int row = first_row + warp / 2 * 32 + i * 16 + k / 2 * 8 + r;
                const int output = first_output + warp % 2 * 32 + j * 8 + 2 * c + k % 2;
                if (row < p.rows && output < p.outputs) o.write(sums[i][j][k], row, output);
            }
        }
    }
}

#endif
