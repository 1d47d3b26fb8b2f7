#include "cpu.h"

#if defined(__x86_64__)

#include <cpuid.h>

// Registers that the operating system saves: bits of XCR0.
enum { SAVES_AVX = 0x06, SAVES_AVX512 = 0xE6 };

static uint64_t saved_registers(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

bool kernels_cpu_supports(kernels_tier tier) {
    uint32_t eax, ebx, ecx, edx, unused;
    if (tier == KERNELS_SCALAR) return true;
    if (!__get_cpuid(1, &unused, &unused, &ecx, &unused)) return false;
    const uint32_t needed = bit_FMA | bit_OSXSAVE | bit_AVX | bit_F16C;
    if ((ecx & needed) != needed) return false;
    const uint64_t saved = saved_registers();
    if ((saved & SAVES_AVX) != SAVES_AVX) return false;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
    const bool avx2 = ebx & bit_AVX2;
    switch (tier) {
    case KERNELS_AVX2:
        return avx2;
    case KERNELS_AVX_VNNI:
        return avx2 && eax >= 1 && __get_cpuid_count(7, 1, &eax, &unused, &unused, &unused) && (eax & bit_AVXVNNI);
    case KERNELS_AVX512_VNNI: {
        const uint32_t avx512 = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
        return (saved & SAVES_AVX512) == SAVES_AVX512 && (ebx & avx512) == avx512 && (ecx & bit_AVX512VNNI);
    }
    default:
        return false;
    }
}

#elif defined(__aarch64__) && defined(__linux__)

#include <asm/hwcap.h>
#include <sys/auxv.h>

bool kernels_cpu_supports(kernels_tier tier) {
    const bool dot_product = getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
    switch (tier) {
    case KERNELS_SCALAR:
        return true;
    case KERNELS_NEON_DOTPROD:
        return dot_product;
    case KERNELS_NEON_I8MM:
        return dot_product && (getauxval(AT_HWCAP2) & HWCAP2_I8MM);
    default:
        return false;
    }
}

#else

bool kernels_cpu_supports(kernels_tier tier) { return tier == KERNELS_SCALAR; }

#endif
