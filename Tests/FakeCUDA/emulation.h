// CUDA C++ on the host, as far as our kernels use it: the threads of a block are fibers of one thread, which run until
// they wait for one another. Shared memory is static, so one block runs at a time.
//
// Threads run in the order of their numbers, or, to find what depends on it, in the reverse order.
// A shuffle that some lanes of a warp do not reach is reported.
#ifndef EMULATION_H
#define EMULATION_H

#define AUDIOLDM2_DEVICE_CODE 1
#define AUDIOLDM2_EMULATED 1
#define AUDIOLDM2_HAS_MMA 1

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define __device__
#define __global__
#define __shared__ static
#define __forceinline__ inline __attribute__((always_inline))

struct Index {
    unsigned x, y, z;
};
extern Index threadIdx, blockIdx, gridDim;
extern "C" int emulation_is_reversed;

namespace emulation {

enum { MOST_THREADS = 256, WARP = 32 };

// Runs `body` for every thread of every block.
void run(Index grid, unsigned threads, void (*body)(void *), void *argument);
// Wait for the other threads of the block, or of the warp.
void wait_for_block();
void wait_for_warp();

// What the lanes of a warp show one another.
struct Slot {
    uint32_t word;
    int a[4], b[2];
};
extern Slot slots[MOST_THREADS];

} // namespace emulation

inline void __syncthreads() { emulation::wait_for_block(); }

inline float __int_as_float(int bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

inline float __shfl_xor_sync(unsigned, float value, int mask) {
    memcpy(&emulation::slots[threadIdx.x].word, &value, sizeof value);
    emulation::wait_for_warp();
    memcpy(&value, &emulation::slots[threadIdx.x ^ mask].word, sizeof value);
    emulation::wait_for_warp();
    return value;
}

inline int __dp4a(int a, int b, int sum) {
    for (int i = 0; i < 4; i++) sum += (int8_t)(a >> (8 * i)) * (int8_t)(b >> (8 * i));
    return sum;
}

inline int min(int a, int b) { return a < b ? a : b; }

inline float emulated_half(unsigned short bits) {
    _Float16 half;
    memcpy(&half, &bits, sizeof half);
    return (float)half;
}

// mma.sync.m16n8k32 of signed bytes, from the lanes that hold each element.
inline void emulated_mma(int *d, const int *a, const int *b) {
    emulation::Slot *warp = emulation::slots + threadIdx.x / 32 * 32;
    emulation::Slot *own = warp + threadIdx.x % 32;
    memcpy(own->a, a, sizeof own->a);
    memcpy(own->b, b, sizeof own->b);
    emulation::wait_for_warp();
    for (int i = 0; i < 4; i++) {
        const int row = threadIdx.x % 32 / 4 + i / 2 * 8, column = threadIdx.x % 4 * 2 + i % 2;
        for (int k = 0; k < 8; k++) {
            const int word = warp[row % 8 * 4 + k % 4].a[row / 8 + k / 4 * 2];
            d[i] = __dp4a(word, warp[column * 4 + k % 4].b[k / 4], d[i]);
        }
    }
    emulation::wait_for_warp();
}

#endif
