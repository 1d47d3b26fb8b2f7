// Products of floats on tensor cores: each float of the left side as two halves, under a scale of its row. Weights of
// halves, and of bytes, are exact in one.

#if AUDIOLDM2_HAS_MMA

// Two floats a unit on the left side, two halves on the right.
template <int FORMAT> struct HalfOperands : FloatOperands<FORMAT> {
    typedef FloatOperands<FORMAT> Floats;
    typedef Pair Unit;

    DEVICE explicit HalfOperands(const cuda_product &p) : Floats{p} {}
    DEVICE int depth() const { return (this->p.inputs + 1) / 2; }
    DEVICE Pair padding(Place) const { return Pair{0, 0}; }

    DEVICE Four<Pair> left(int source, Pair, int first) const {
        const Four<float> a = Floats::left(source, 0, 2 * first), b = Floats::left(source, 0, 2 * first + 4);
        return Four<Pair>{{{a.v[0], a.v[1]}, {a.v[2], a.v[3]}, {b.v[0], b.v[1]}, {b.v[2], b.v[3]}}};
    }

    DEVICE Four<int> right(int output, int tap, int first) const {
        const cuda_product &p = this->p;
        Four<int> result = {{0, 0, 0, 0}};
        if (output >= p.outputs) return result;
        const int input = 2 * first;
        if (FORMAT == WEIGHT_INT8) {
            const int words = (p.inputs + 3) / 4, word = input / 4;
            const long long tile = (long long)(output / 16 * p.taps + tap) * words;
            const int *bytes = (const int *)p.weight + (tile + word) * 16 + output % 16;
            for (int i = 0; i < 4; i++) {
                if (word + i / 2 < words) result.v[i] = halves_of_bytes(bytes[i / 2 * 16], i % 2);
            }
            return result;
        }
        const unsigned short *halves =
            (const unsigned short *)p.weight + ((long long)output * p.taps + tap) * p.inputs + input;
        if (p.inputs % 8 == 0 && input < p.inputs) return *(const Four<int> *)halves;
        for (int i = 0; i < 8; i++) {
            if (input + i < p.inputs) result.v[i / 2] |= (int)((unsigned)halves[i] << (i % 2 * 16));
        }
        return result;
    }

    DEVICE void write(float sum, int row, int output) const {
        Floats::write(FORMAT == WEIGHT_INT8 ? sum * this->p.scales[output] : sum, row, output);
    }
};

template <int FORMAT> struct HalvesRow : LeftRow<HalfOperands<FORMAT>> {
    enum { PARTS = 2 };
    RunningScale scale;

    DEVICE HalvesRow(const HalfOperands<FORMAT> &o, int row) : LeftRow<HalfOperands<FORMAT>>(o, row) {}

    // The four threads of a row agree on its scale.
    DEVICE void store(Four<Pair> units, int *target, float *factor) {
        float largest = 0;
        for (int i = 0; i < 4; i++) largest = fmaxf(largest, units.v[i].largest());
        const float rescaling = scale.widen(quad_maximum(largest));
        if (threadIdx.x % 4 == 0) *factor = rescaling;
        Four<int> high, low;
        for (int i = 0; i < 4; i++) {
            const SplitPair halves(units.v[i], scale.to_halves());
            high.v[i] = halves.high;
            low.v[i] = halves.low;
        }
        *(Four<int> *)target = high;
        *(Four<int> *)(target + MMA_LEFT) = low;
    }

    DEVICE static void rescale(float sums[2][4][4], const float *factors) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const float factor = factors[row_of_sum(i / 2, i % 2)];
            if (factor == 1) continue;
#pragma unroll
            for (int j = 0; j < 8; j++) sums[i / 2][j / 2][i % 2 * 2 + j % 2] *= factor;
        }
    }

    DEVICE void tell(float *factor) const {
        if (threadIdx.x % 4 == 0) *factor = scale.from_sums();
    }
    DEVICE static float whole(float sum, float factor) { return sum * factor; }
};

template <int FORMAT> DEVICE void multiply_halves(const cuda_product &p) {
    multiply_on_tensor_cores<HalvesRow<FORMAT>>(HalfOperands<FORMAT>(p));
}

KERNEL product_float16_mma(const cuda_product p) { multiply_halves<WEIGHT_FLOAT16>(p); }
KERNEL product_expanded_mma(const cuda_product p) { multiply_halves<WEIGHT_INT8>(p); }
KERNEL product_float16_mma_sum(const cuda_product p) { add_parts(HalfOperands<WEIGHT_FLOAT16>(p)); }
KERNEL product_expanded_mma_sum(const cuda_product p) { add_parts(HalfOperands<WEIGHT_INT8>(p)); }

#endif
