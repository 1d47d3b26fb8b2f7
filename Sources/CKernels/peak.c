// Standard C has no clock of a thread.
#define _POSIX_C_SOURCE 200809L

#include "include/kernels.h"

#include <time.h>

// Sums enough to hide the latency of one instruction on every CPU that is known to have it.
enum { CHAINS = 24, ROUNDS = 200000 };

#if defined(__x86_64__)

#include <immintrin.h>

// Of this thread alone, so that a busy machine does not count.
static double thread_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

// The result must be used, or the loop is dropped.
static volatile int32_t sink;

__attribute__((target("avx512f,avx512vnni"))) static void multiply_512(void) {
    __m512i sums[CHAINS], a = _mm512_set1_epi32((int32_t)sink), w = _mm512_set1_epi32(3);
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS; i++) sums[i] = a;
    for (int round = 0; round < ROUNDS; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < CHAINS; i++) sums[i] = _mm512_dpbusd_epi32(sums[i], a, w);
    }
#pragma clang loop unroll(full)
    for (int i = 1; i < CHAINS; i++) sums[0] = _mm512_xor_si512(sums[0], sums[i]);
    sink = _mm512_reduce_add_epi32(sums[0]);
}

__attribute__((target("avx2,avxvnni"))) static void multiply_256(void) {
    // 12 chains: there are only 16 registers.
    __m256i sums[CHAINS / 2], a = _mm256_set1_epi32((int32_t)sink), w = _mm256_set1_epi32(3);
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS / 2; i++) sums[i] = a;
    for (int round = 0; round < 2 * ROUNDS; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < CHAINS / 2; i++) sums[i] = _mm256_dpbusd_avx_epi32(sums[i], a, w);
    }
#pragma clang loop unroll(full)
    for (int i = 1; i < CHAINS / 2; i++) sums[0] = _mm256_xor_si256(sums[0], sums[i]);
    sink = _mm256_extract_epi32(sums[0], 0);
}

double kernels_peak_products_per_second(kernels_tier tier) {
    if (tier != KERNELS_AVX512_VNNI && tier != KERNELS_AVX_VNNI) return 0;
    const double start = thread_seconds();
    if (tier == KERNELS_AVX512_VNNI) {
        multiply_512();
    } else {
        multiply_256();
    }
    const double lanes = tier == KERNELS_AVX512_VNNI ? 16 : 8;
    return 4 * lanes * CHAINS * ROUNDS / (thread_seconds() - start);
}

#else

double kernels_peak_products_per_second(kernels_tier tier) {
    (void)tier;
    return 0;
}

#endif
