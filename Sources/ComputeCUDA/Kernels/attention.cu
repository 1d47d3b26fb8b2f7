// Softmax attention in floats without a matrix of scores: keys pass by 32 at a time, and sums are rescaled when a larger
// score is met (Milakov & Gimelshein 2018, arXiv 1805.02867; Dao et al. 2022, arXiv 2205.14135).

enum { KEYS = 32, CHUNK = CUDA_ATTENTION_CHUNK, CHUNK_STRIDE = CHUNK + 1 };

// Brings `count` tokens of one chunk of channels into shared memory; zero past the last token and channel.
DEVICE void load_chunk(const float *x, int token_stride, int tokens, int channels, int count, float *target) {
    for (int i = threadIdx.x; i < count * CHUNK; i += CUDA_BLOCK) {
        const int token = i / CHUNK, channel = i % CHUNK;
        const bool exists = token < tokens && channel < channels;
        target[token * CHUNK_STRIDE + channel] = exists ? x[(long long)token * token_stride + channel] : 0;
    }
}

// What a key counts under the largest score so far; −∞ is no key.
DEVICE float power_of_score(float score, float largest) { return score == -INFINITE_FLOAT ? 0 : expf(score - largest); }

// The running softmax of a tile of queries: scores of 32 keys become powers in place.
// Scores of −∞ and NaN get zero, and +∞ is bounded by the largest float.
template <int QUERIES> struct RunningSoftmax {
    enum { STRIDE = QUERIES + 4 };
    float *scores;  // [KEYS][STRIDE]
    float *maximum; // [QUERIES]
    float *total;   // [QUERIES]
    float *rescale; // [QUERIES]: what sums so far are to be multiplied by

    DEVICE void start() const {
        if (threadIdx.x >= QUERIES) return;
        maximum[threadIdx.x] = -LARGEST_FLOAT;
        total[threadIdx.x] = 0;
    }

    // A warp for each query, a lane for each key.
    DEVICE void add() const {
        const int lane = threadIdx.x % 32;
        for (int query = threadIdx.x / 32; query < QUERIES; query += CUDA_WARPS) {
            const float score = scores[lane * STRIDE + query];
            const float before = maximum[query], largest = fmaxf(before, warp_maximum(score));
            const float power = power_of_score(score, largest);
            const float sum = warp_sum(power);
            scores[lane * STRIDE + query] = power;
            if (lane != 0) continue;
            rescale[query] = expf(before - largest);
            total[query] = total[query] * rescale[query] + sum;
            maximum[query] = largest;
        }
    }
};

// What is added to a product of query and key, and which keys count.
struct Scoring {
    const float *mask; // of this sample, or 0
    const float *bias; // of this head, [queries][keys], or 0
    int queries, keys;
    float scale;
    bool is_causal;

    DEVICE Scoring(const cuda_attention &a, int sample, int head) {
        const long long place = ((long long)(sample % a.bias_count) * a.heads + head) * a.queries;
        mask = a.mask ? a.mask + (long long)sample * a.keys : 0;
        bias = a.bias ? a.bias + place * a.keys : 0;
        queries = a.queries;
        keys = a.keys;
        scale = a.scale;
        is_causal = a.is_causal;
    }

    DEVICE float score(float product, int query, int key) const {
        if (query >= queries || key >= keys || (is_causal && key > keys - queries + query)) return -INFINITE_FLOAT;
        float score = product * scale;
        if (mask) score += mask[key];
        if (bias) score += bias[(long long)query * keys + key];
        return score == score ? fminf(score, LARGEST_FLOAT) : -INFINITE_FLOAT;
    }
};

template <int QUERIES, int CHUNKS> DEVICE void attend(const cuda_attention &a) {
    typedef RunningSoftmax<QUERIES> Softmax;
    __shared__ float queries[QUERIES * CHUNK_STRIDE], others[KEYS * CHUNK_STRIDE];
    alignas(16) __shared__ float scores[KEYS * Softmax::STRIDE];
    __shared__ float maximum[QUERIES], total[QUERIES], rescale[QUERIES];
    const Softmax softmax = {scores, maximum, total, rescale};
    const int first = blockIdx.x * QUERIES, head = blockIdx.y, sample = blockIdx.z, thread = threadIdx.x;
    const int count = min(QUERIES, a.queries - first);
    const Scoring scoring(a, sample, head);
    const float *q = a.q + sample * a.q_sample + (long long)first * a.q_token + head * a.width;
    const float *k = a.k + sample * a.k_sample + head * a.width;
    const float *v = a.v + sample * a.v_sample + head * a.width;
    // Scores: as many threads for each query as a block has for all. Sums: a channel of several queries each.
    enum { PER_QUERY = CUDA_BLOCK / QUERIES, OWN_KEYS = KEYS / PER_QUERY, OWN_QUERIES = QUERIES * CHUNK / CUDA_BLOCK };
    const int query = thread / PER_QUERY, key = thread % PER_QUERY;
    const int channel = thread % CHUNK, own = thread / CHUNK * OWN_QUERIES;
    float sums[CHUNKS][OWN_QUERIES] = {};
    softmax.start();
    // Where no key is visible, nothing else comes between this and the totals' being read.
    __syncthreads();

    const int visible = a.is_causal ? min(a.keys, a.keys - a.queries + first + QUERIES) : a.keys;
    for (int start = 0; start < visible; start += KEYS) {
        float products[OWN_KEYS] = {};
        for (int chunk = 0; chunk < CHUNKS; chunk++) {
            const int from = chunk * CHUNK;
            __syncthreads();
            if (CHUNKS > 1 || start == 0) load_chunk(q + from, a.q_token, count, a.width - from, QUERIES, queries);
            load_chunk(k + (long long)start * a.k_token + from, a.k_token, a.keys - start, a.width - from, KEYS, others);
            __syncthreads();
            for (int c = 0; c < CHUNK; c++) {
                const float x = queries[query * CHUNK_STRIDE + c];
                for (int j = 0; j < OWN_KEYS; j++) {
                    products[j] = fmaf(x, others[(key + j * PER_QUERY) * CHUNK_STRIDE + c], products[j]);
                }
            }
        }
        for (int j = 0; j < OWN_KEYS; j++) {
            const int place = key + j * PER_QUERY;
            scores[place * Softmax::STRIDE + query] = scoring.score(products[j], first + query, start + place);
        }
        __syncthreads();
        softmax.add();
#pragma unroll
        for (int chunk = 0; chunk < CHUNKS; chunk++) {
            const int from = chunk * CHUNK;
            __syncthreads();
            load_chunk(v + (long long)start * a.v_token + from, a.v_token, a.keys - start, a.width - from, KEYS, others);
            __syncthreads();
            for (int i = 0; i < OWN_QUERIES; i++) sums[chunk][i] *= rescale[own + i];
            for (int j = 0; j < KEYS; j++) {
                const float value = others[j * CHUNK_STRIDE + channel];
                for (int i = 0; i < OWN_QUERIES; i++) {
                    sums[chunk][i] = fmaf(scores[j * Softmax::STRIDE + own + i], value, sums[chunk][i]);
                }
            }
        }
    }
    float *y = a.y + ((long long)sample * a.queries + first) * a.heads * a.width + head * a.width;
#pragma unroll
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
        for (int i = 0; i < OWN_QUERIES; i++) {
            if (own + i >= count || chunk * CHUNK + channel >= a.width) continue;
            const float sum = total[own + i] > 0 ? sums[chunk][i] / total[own + i] : 0;
            y[(long long)(own + i) * a.heads * a.width + chunk * CHUNK + channel] = sum;
        }
    }
}

KERNEL attention_64(const cuda_attention a) { attend<32, 1>(a); }
KERNEL attention_128(const cuda_attention a) { attend<32, 2>(a); }
KERNEL attention_512(const cuda_attention a) { attend<32, 8>(a); }
KERNEL attention_1024(const cuda_attention a) { attend<16, 16>(a); }
