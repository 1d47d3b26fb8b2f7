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
#define AUDIOLDM2_HAS_BYTE_MMA 1

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define __device__
#define __global__
#define __shared__ static
#define __launch_bounds__(threads)
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
// Two for each thread, used in turn: who writes to one knows that all have passed the other since.
extern Slot slots[2][MOST_THREADS];
extern unsigned char turns[MOST_THREADS];

// The slots of a warp for its next exchange; each lane fills its own, and waits.
inline Slot *next_slots() { return slots[turns[threadIdx.x] ^= 1] + threadIdx.x / WARP * WARP; }

} // namespace emulation

inline void __syncthreads() { emulation::wait_for_block(); }
inline void __syncwarp() { emulation::wait_for_warp(); }

inline float __int_as_float(int bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

inline int __float_as_int(float value) {
    int bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

inline float __shfl_xor_sync(unsigned, float value, int mask) {
    emulation::Slot *warp = emulation::next_slots();
    const unsigned lane = threadIdx.x % emulation::WARP;
    memcpy(&warp[lane].word, &value, sizeof value);
    emulation::wait_for_warp();
    memcpy(&value, &warp[lane ^ mask].word, sizeof value);
    return value;
}

inline int __byte_perm(unsigned low, unsigned high, unsigned selector) {
    const uint64_t bytes = (uint64_t)high << 32 | low;
    unsigned result = 0;
    for (int i = 0; i < 4; i++) result |= (unsigned)(bytes >> (selector >> 4 * i & 7) * 8 & 0xff) << 8 * i;
    return (int)result;
}

inline int __dp4a(int a, int b, int sum) {
    for (int i = 0; i < 4; i++) sum += (int8_t)(a >> (8 * i)) * (int8_t)(b >> (8 * i));
    return sum;
}

inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }

inline float emulated_half(unsigned short bits) {
    _Float16 half;
    memcpy(&half, &bits, sizeof half);
    return (float)half;
}

// Two halves in a word, the first in its lower bits.
inline int emulated_halves(_Float16 x, _Float16 y) {
    uint16_t halves[2];
    memcpy(&halves[0], &x, 2);
    memcpy(&halves[1], &y, 2);
    return halves[0] | halves[1] << 16;
}

inline float emulated_half_of(int word, int second) { return emulated_half((unsigned)word >> 16 * second & 0xffff); }

inline int emulated_difference(int a, int b) {
    return emulated_halves(emulated_half_of(a, 0) - emulated_half_of(b, 0),
                           emulated_half_of(a, 1) - emulated_half_of(b, 1));
}

// What a word of a and a word of b add to a sum.
inline int multiply_words(int a, int b, int sum) { return __dp4a(a, b, sum); }
inline float multiply_words(int a, int b, float sum) {
    sum += emulated_half_of(a, 0) * emulated_half_of(b, 0);
    return sum + emulated_half_of(a, 1) * emulated_half_of(b, 1);
}

// mma.sync.m16n8k32 of signed bytes, or m16n8k16 of halves, from the lanes that hold each element.
template <class Sum> inline void emulated_mma(Sum *d, const int *a, const int *b) {
    emulation::Slot *warp = emulation::next_slots();
    const int lane = threadIdx.x % emulation::WARP;
    memcpy(warp[lane].a, a, sizeof warp->a);
    memcpy(warp[lane].b, b, sizeof warp->b);
    emulation::wait_for_warp();
    for (int i = 0; i < 4; i++) {
        const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
        for (int k = 0; k < 8; k++) {
            const int word = warp[row % 8 * 4 + k % 4].a[row / 8 + k / 4 * 2];
            d[i] = multiply_words(word, warp[column * 4 + k % 4].b[k / 4], d[i]);
        }
    }
}

#endif
