// The same attention on tensor cores: a warp has 16 queries, whose scores, powers and sums never leave its registers
// (Dao 2023, arXiv 2307.08691). Floats are two halves on every side.

#if AUDIOLDM2_HAS_MMA

enum { MMA_KEYS = 32, MMA_QUERIES = CUDA_ATTENTION_MMA_QUERIES };

// Tokens of one head, as they are in memory; zero past the last token and channel.
struct HeadRows {
    const float *x;
    int token_stride, tokens, channels;

    DEVICE float at(int token, int channel) const {
        return token < tokens && channel < channels ? x[(long long)token * token_stride + channel] : 0;
    }
};

// How keys lie in shared memory: lines of a key's channels, two to a word.
template <int WIDTH> struct KeyLayout {
    enum { STRIDE = WIDTH / 2 + 4, WORDS = MMA_KEYS * STRIDE };

    DEVICE static Pair read(const HeadRows &rows, int index) {
        const int key = index / (WIDTH / 2), channel = index % (WIDTH / 2) * 2;
        return Pair{rows.at(key, channel), rows.at(key, channel + 1)};
    }
    DEVICE static int word(int index) { return index / (WIDTH / 2) * STRIDE + index % (WIDTH / 2); }
};

// How values do: lines of a channel's keys, two to a word. A warp brings 8 channels of 8 keys at a time.
template <int WIDTH> struct ValueLayout {
    enum { STRIDE = MMA_KEYS / 2 + 4, WORDS = WIDTH * STRIDE };

    DEVICE static int channel(int index) { return index / 32 % (WIDTH / 8) * 8 + index / 4 % 8; }
    DEVICE static int key_pair(int index) { return index / 32 / (WIDTH / 8) * 4 + index % 4; }
    DEVICE static Pair read(const HeadRows &rows, int index) {
        const int key = 2 * key_pair(index);
        return Pair{rows.at(key, channel(index)), rows.at(key + 1, channel(index))};
    }
    DEVICE static int word(int index) { return channel(index) * STRIDE + key_pair(index); }
};

// What a thread brings of 32 keys or values; in shared memory they are high halves, then low ones.
template <class Layout, int WIDTH> struct TilePart {
    enum { COUNT = MMA_KEYS * WIDTH / 2 / CUDA_BLOCK };
    Pair pairs[COUNT];

    DEVICE void read(const HeadRows &rows) {
#pragma unroll
        for (int i = 0; i < COUNT; i++) pairs[i] = Layout::read(rows, threadIdx.x + i * CUDA_BLOCK);
    }

    // Into the place of the thread's warp.
    DEVICE void tell_largest(float *of_warps) const {
        float largest = 0;
#pragma unroll
        for (int i = 0; i < COUNT; i++) largest = fmaxf(largest, pairs[i].largest());
        largest = warp_maximum(largest);
        if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = largest;
    }

    DEVICE void store(float scale, int *target) const {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            const SplitPair halves(pairs[i], scale);
            int *word = target + Layout::word(threadIdx.x + i * CUDA_BLOCK);
            word[0] = halves.high;
            word[Layout::WORDS] = halves.low;
        }
    }
};

// Powers are at most 1, and halves lose digits below 2⁻¹⁴: many weak keys are to count, too.
#define POWER_SCALE 16384.0f

DEVICE float largest_of(const float *of_warps) {
    float largest = of_warps[0];
    for (int i = 1; i < CUDA_WARPS; i++) largest = fmaxf(largest, of_warps[i]);
    return largest;
}

// d[16][8 · COUNT] += a[16][16] · 16 words of `lines` [8 · COUNT], from shared memory.
template <class Layout, int COUNT>
DEVICE void multiply_lines(float sums[COUNT][4], const int *a_high, const int *a_low, const int *lines) {
    const int *line = lines + threadIdx.x % 32 / 4 * Layout::STRIDE + threadIdx.x % 4;
#pragma unroll
    for (int n = 0; n < COUNT; n++) {
        const int *high = line + n * 8 * Layout::STRIDE, *low = high + Layout::WORDS;
        const int b_high[2] = {high[0], high[4]}, b_low[2] = {low[0], low[4]};
        multiply_split(sums[n], a_high, a_low, b_high, b_low);
    }
}

// The 16 queries of a warp: rows r and r + 8 are those of a lane. Its queries, its running softmax, and its sums.
template <int WIDTH> struct QueryWarp {
    enum { STEPS = WIDTH / 16, TILES = WIDTH / 8, KEY_TILES = MMA_KEYS / 8 };
    int high[STEPS][4], low[STEPS][4];
    float sums[TILES][4];
    float maximum[2], total[2];
    RunningScale scale;

    DEVICE explicit QueryWarp(const HeadRows &queries) {
        const int r = threadIdx.x % 32 / 4, c = threadIdx.x % 4;
        Pair pairs[STEPS][4];
        float largest = 0;
#pragma unroll
        for (int i = 0; i < STEPS * 4; i++) {
            const int token = r + i % 2 * 8, channel = i / 4 * 16 + 2 * c + i % 4 / 2 * 8;
            pairs[i / 4][i % 4] = Pair{queries.at(token, channel), queries.at(token, channel + 1)};
            largest = fmaxf(largest, pairs[i / 4][i % 4].largest());
        }
        scale.widen(warp_maximum(largest));
#pragma unroll
        for (int i = 0; i < STEPS * 4; i++) {
            const SplitPair halves(pairs[i / 4][i % 4], scale.to_halves());
            high[i / 4][i % 4] = halves.high;
            low[i / 4][i % 4] = halves.low;
        }
#pragma unroll
        for (int i = 0; i < TILES * 4; i++) sums[i / 4][i % 4] = 0;
        for (int i = 0; i < 2; i++) {
            maximum[i] = -LARGEST_FLOAT;
            total[i] = 0;
        }
    }

    // Adds 32 keys from `start` on, whose values are scaled for `value_factor` to bring earlier sums to the same scale.
    DEVICE void add(const int *keys, float key_scale, const int *values, float value_factor, const Scoring &scoring,
                    int query, int start) {
        float scores[KEY_TILES][4] = {};
        // Lanes may have gone different ways as they read, and do again where keys do not count.
        __syncwarp();
#pragma unroll
        for (int step = 0; step < STEPS; step++) {
            multiply_lines<KeyLayout<WIDTH>, KEY_TILES>(scores, high[step], low[step], keys + step * 8);
        }
        const int key = start + threadIdx.x % 4 * 2;
#pragma unroll
        for (int i = 0; i < KEY_TILES * 4; i++) {
            const float product = scores[i / 4][i % 4] * scale.from_sums() * key_scale;
            scores[i / 4][i % 4] = scoring.score(product, query + i % 4 / 2 * 8, key + i / 4 * 8 + i % 2);
        }
        for (int half = 0; half < 2; half++) rescale(half, powers(half, scores), value_factor);
        __syncwarp();
#pragma unroll
        for (int step = 0; step < MMA_KEYS / 16; step++) {
            int a_high[4], a_low[4];
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const float *two = scores[2 * step + i / 2] + i % 2 * 2;
                const SplitPair halves(Pair{two[0], two[1]}, POWER_SCALE);
                a_high[i] = halves.high;
                a_low[i] = halves.low;
            }
            multiply_lines<ValueLayout<WIDTH>, TILES>(sums, a_high, a_low, values + step * 8);
        }
    }

    // Makes powers of a row's scores, and returns what sums before are to be multiplied by.
    DEVICE float powers(int half, float scores[KEY_TILES][4]) {
        float largest = maximum[half];
#pragma unroll
        for (int i = 0; i < KEY_TILES * 2; i++) largest = fmaxf(largest, scores[i / 2][2 * half + i % 2]);
        largest = quad_maximum(largest);
        const float factor = expf(maximum[half] - largest);
        maximum[half] = largest;
        // By themselves first: rounded against a total of more, weak ones would drift.
        float sum = 0;
#pragma unroll
        for (int i = 0; i < KEY_TILES * 2; i++) {
            float &score = scores[i / 2][2 * half + i % 2];
            score = power_of_score(score, largest);
            sum += score;
        }
        total[half] = total[half] * factor + sum;
        return factor;
    }

    DEVICE void rescale(int half, float factor, float value_factor) {
#pragma unroll
        for (int i = 0; i < TILES * 2; i++) {
            float &sum = sums[i / 2][2 * half + i % 2];
            sum = sum * factor * value_factor;
        }
    }

    // `rows` are those that exist.
    DEVICE void write(float *y, int rows, int row_stride, int channels, float value_scale) const {
        const int r = threadIdx.x % 32 / 4, c = threadIdx.x % 4;
        for (int half = 0; half < 2; half++) {
            const int row = r + half * 8;
            const float all = quad_sum(total[half]), factor = all > 0 ? value_scale / all : 0;
#pragma unroll
            for (int i = 0; i < TILES * 2; i++) {
                const int channel = i / 2 * 8 + 2 * c + i % 2;
                if (row >= rows || channel >= channels) continue;
                const float sum = sums[i / 2][2 * half + i % 2] * (1 / POWER_SCALE);
                y[(long long)row * row_stride + channel] = all > 0 ? sum * factor : 0;
            }
        }
    }
};

template <int WIDTH> DEVICE void attend_on_tensor_cores(const cuda_attention &a) {
    typedef KeyLayout<WIDTH> Keys;
    typedef ValueLayout<WIDTH> Values;
    alignas(16) __shared__ int shared_keys[2 * Keys::WORDS];
    alignas(16) __shared__ int shared_values[2 * Values::WORDS];
    __shared__ float largest_key[CUDA_WARPS], largest_value[CUDA_WARPS];
    const int head = blockIdx.y, sample = blockIdx.z, block_first = blockIdx.x * MMA_QUERIES;
    const int warp_first = block_first + threadIdx.x / 32 * 16, rows = a.queries - warp_first;
    const Scoring scoring(a, sample, head);
    const float *q = a.q + sample * a.q_sample + (long long)warp_first * a.q_token + head * a.width;
    const float *k = a.k + sample * a.k_sample + head * a.width;
    const float *v = a.v + sample * a.v_sample + head * a.width;
    QueryWarp<WIDTH> warp(HeadRows{q, a.q_token, rows, a.width});
    RunningScale value_scale;

    const int visible = a.is_causal ? min(a.keys, a.keys - a.queries + block_first + MMA_QUERIES) : a.keys;
    TilePart<Keys, WIDTH> keys;
    TilePart<Values, WIDTH> values;
    keys.read(HeadRows{k, a.k_token, a.keys, a.width});
    values.read(HeadRows{v, a.v_token, a.keys, a.width});
    for (int start = 0; start < visible; start += MMA_KEYS) {
        keys.tell_largest(largest_key);
        values.tell_largest(largest_value);
        __syncthreads();
        RunningScale key_scale;
        key_scale.widen(largest_of(largest_key));
        const float value_factor = value_scale.widen(largest_of(largest_value));
        keys.store(key_scale.to_halves(), shared_keys);
        values.store(value_scale.to_halves(), shared_values);
        __syncthreads();
        const int next = start + MMA_KEYS;
        if (next < visible) {
            keys.read(HeadRows{k + (long long)next * a.k_token, a.k_token, a.keys - next, a.width});
            values.read(HeadRows{v + (long long)next * a.v_token, a.v_token, a.keys - next, a.width});
        }
        if (rows <= 0) continue;
        const int query = warp_first + threadIdx.x % 32 / 4;
        warp.add(shared_keys, key_scale.from_sums(), shared_values, value_factor, scoring, query, start);
    }
    float *y = a.y + ((long long)sample * a.queries + warp_first) * a.heads * a.width + head * a.width;
    if (rows > 0) warp.write(y, rows, a.heads * a.width, a.width, value_scale.from_sums());
}

KERNEL attention_mma_32(const cuda_attention a) { attend_on_tensor_cores<32>(a); }
KERNEL attention_mma_48(const cuda_attention a) { attend_on_tensor_cores<48>(a); }
KERNEL attention_mma_64(const cuda_attention a) { attend_on_tensor_cores<64>(a); }
KERNEL attention_mma_80(const cuda_attention a) { attend_on_tensor_cores<80>(a); }

#endif
