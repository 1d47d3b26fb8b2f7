// Products of fragments of matrices on tensor cores, of words that hold four bytes or two halves, and floats as halves.

#if AUDIOLDM2_HAS_MMA

// d[16][8] += a[16][8] · b[8][8]ᵀ, counted in words, by a warp. With r = lane / 4 and c = lane % 4: a holds rows r and
// r + 8 at word c, then the same at word c + 4; b holds row r at words c and c + 4; d holds row r, columns 2c and 2c +
// 1, then row r + 8 (PTX ISA, "Matrix fragments for mma.m16n8k32", "… mma.m16n8k16" and, by halves, "… mma.m16n8k8").
DEVICE void multiply_fragments(float *d, const int *a, const int *b) {
#if defined(AUDIOLDM2_EMULATED)
    emulated_mma(d, a, b);
#elif __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    for (int i = 0; i < 2; i++) {
        asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
            : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
            : "r"(a[2 * i]), "r"(a[2 * i + 1]), "r"(b[i]));
    }
#endif
}

#if AUDIOLDM2_HAS_BYTE_MMA
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
#endif

// Among the four lanes that hold a row of d.
DEVICE float quad_maximum(float x) {
    x = fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, 1));
    return fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, 2));
}

DEVICE float quad_sum(float x) {
    x += __shfl_xor_sync(WHOLE_WARP, x, 1);
    return x + __shfl_xor_sync(WHOLE_WARP, x, 2);
}

struct alignas(8) Pair {
    float x, y;

    DEVICE float largest() const { return fmaxf(fabsf(x), fabsf(y)); }
};

// Two floats, rounded, in a word of halves.
DEVICE int word_of_halves(float x, float y) {
#if defined(AUDIOLDM2_EMULATED)
    return emulated_halves(x, y);
#elif __CUDA_ARCH__ >= 800
    int word;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(y), "f"(x));
    return word;
#else
    int word;
    asm("{.reg .f16 low, high; cvt.rn.f16.f32 low, %1; cvt.rn.f16.f32 high, %2; mov.b32 %0, {low, high};}"
        : "=r"(word)
        : "f"(x), "f"(y));
    return word;
#endif
}

// Two of the four signed bytes of a word, as halves: exactly. With 128 added, a byte under 0x64 is the half 1024 +
// byte.
DEVICE int halves_of_bytes(int bytes, int second) {
    const int word = __byte_perm(bytes ^ 0x80808080, 0x64646464, second ? 0x4342 : 0x4140);
#ifdef AUDIOLDM2_EMULATED
    return emulated_difference(word, 0x64806480);
#else
    int halves;
    asm("sub.rn.f16x2 %0, %1, %2;" : "=r"(halves) : "r"(word), "r"(0x64806480));
    return halves;
#endif
}

// Two floats as two words of halves, of which the second has what rounding left of the first: 22 bits of each float,
// and products of such halves are exact; their sums are rounded as the hardware does.
struct SplitPair {
    int high, low;

    DEVICE SplitPair(Pair pair, float scale) {
        const float x = pair.x * scale, y = pair.y * scale;
        high = word_of_halves(x, y);
        low = word_of_halves(x - half_to_float((unsigned short)high),
                             y - half_to_float((unsigned short)((unsigned)high >> 16)));
    }
};

// Products of floats that are split on both sides, but for those of low and low.
DEVICE void multiply_split(float *d, const int *a_high, const int *a_low, const int *b_high, const int *b_low) {
    multiply_fragments(d, a_high, b_low);
    multiply_fragments(d, a_low, b_high);
    multiply_fragments(d, a_high, b_high);
}

DEVICE float power_of_two(int exponent) { return __int_as_float((max(exponent, -127) + 127) << 23); }

// Halves end at 65504 and lose digits below 2⁻¹⁴, so floats are scaled by a power of two for the largest of them to
// come to rest under 2¹⁵: the low half of one that is 2¹⁵ times smaller still has all of its digits. When a larger
// float is met, sums so far are rescaled, as those of a running softmax are.
struct RunningScale {
    enum { LEAST = -112, TOP = 14 };
    int exponent = LEAST;

    // Makes room for `largest`, and returns what earlier sums are to be multiplied by.
    DEVICE float widen(float largest) {
        const int before = exponent;
        exponent = max(exponent, (__float_as_int(largest) >> 23) - 127);
        return power_of_two(before - exponent);
    }

    DEVICE float to_halves() const { return power_of_two(TOP - exponent); }
    DEVICE float from_sums() const { return power_of_two(exponent - TOP); }
};

#endif
