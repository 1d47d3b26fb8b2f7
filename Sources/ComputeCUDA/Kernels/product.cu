// Products of rows with weights: implicit matrix products, whose left side is gathered tap by tap.
//
// A block makes 64 × 64 sums, each thread 4 × 4 of them; operands pass through shared memory 16 units at a time, a unit
// being a float or four bytes. While one piece is multiplied, the next is on its way from memory.

enum { TILE = CUDA_PRODUCT_TILE, DEPTH = CUDA_PRODUCT_DEPTH, TILE_STRIDE = TILE + 4 };

template <class Unit> struct alignas(16) Four {
    Unit v[4];
};

DEVICE float multiply_add(float a, float b, float sum) { return fmaf(a, b, sum); }
DEVICE int multiply_add(int a, int b, int sum) { return __dp4a(a, b, sum); }

enum { WEIGHT_FLOAT32, WEIGHT_FLOAT16, WEIGHT_INT8 };

// Floats, and weights that become floats as they are read.
template <int FORMAT> struct FloatOperands {
    typedef float Unit;
    typedef float Sum;
    const cuda_product &p;

    DEVICE int depth() const { return p.inputs; }
    DEVICE const cuda_geometry &geometry() const { return p.geometry; }
    DEVICE int rows() const { return p.rows; }
    DEVICE int outputs() const { return p.outputs; }
    DEVICE int taps() const { return p.taps; }
    DEVICE float padding(Place) const { return 0; }
    DEVICE int shift(Place) const { return 0; }

    DEVICE Four<float> left(int source, float padding, int first) const {
        Four<float> result = {{padding, padding, padding, padding}};
        if (source < 0) return result;
        const float *x = p.x + (long long)source * p.inputs + first;
        if (p.is_aligned && first + 4 <= p.inputs) {
            result = *(const Four<float> *)x;
        } else {
            for (int i = 0; i < 4; i++) result.v[i] = first + i < p.inputs ? x[i] : 0;
        }
        if (p.input_activation.kind == CUDA_NONE) return result;
        for (int i = 0; i < 4; i++) result.v[i] = activated(result.v[i], p.input_activation);
        return result;
    }

    DEVICE Four<float> right(int output, int tap, int first) const {
        Four<float> result = {{0, 0, 0, 0}};
        if (output >= p.outputs) return result;
        if (FORMAT == WEIGHT_INT8) {
            const int words = (p.inputs + 3) / 4;
            if (first / 4 >= words) return result;
            const long long word = ((long long)(output / 16 * p.taps + tap) * words + first / 4) * 16 + output % 16;
            const signed char *bytes = (const signed char *)p.weight + word * 4;
#pragma unroll
            for (int i = 0; i < 4; i++) result.v[i] = p.scales[output] * (float)bytes[i];
            return result;
        }
        const long long start = ((long long)output * p.taps + tap) * p.inputs + first;
        // Without a way out, and unrolled: else the result gets a place in memory.
#pragma unroll
        for (int i = 0; i < 4; i++) {
            if (first + i >= p.inputs) continue;
            result.v[i] = FORMAT == WEIGHT_FLOAT32 ? ((const float *)p.weight)[start + i]
                                                   : half_to_float(((const unsigned short *)p.weight)[start + i]);
        }
        return result;
    }

    DEVICE void write(float sum, int row, int output) const { finish(p.epilogue, sum, row, output, p.outputs, p.y); }
};

// Four signed bytes a unit.
struct Int8Operands {
    typedef int Unit;
    typedef int Sum;
    const cuda_int8_product &p;

    DEVICE int depth() const { return p.words; }
    DEVICE const cuda_geometry &geometry() const { return p.geometry; }
    DEVICE int rows() const { return p.rows; }
    DEVICE int outputs() const { return p.outputs; }
    DEVICE int taps() const { return p.taps; }
    // Where the range of a row of the result is.
    DEVICE int range_index(Place place) const {
        return p.tiling.is_tiled ? place.sample * p.tiling.count + tile_of(p.tiling, p.geometry, place) : place.sample;
    }
    // Zero points, so that what lies outside of the input adds nothing.
    DEVICE int padding(Place place) const { return ((p.ranges[range_index(place)].zero - 128) & 0xff) * 0x01010101; }
    // From a row of the input to where its bytes are.
    DEVICE int shift(Place place) const {
        if (!p.tiling.is_tiled) return 0;
        const int tile = tile_of(p.tiling, p.geometry, place);
        return (place.sample * p.tiling.count + tile) * p.tiling.room - rows_of_tile(p.tiling, tile).first
               - place.sample * p.geometry.input_height * p.geometry.input_width;
    }

    DEVICE Four<int> left(int source, int padding, int first) const {
        Four<int> result = {{padding, padding, padding, padding}};
        if (source < 0) return result;
        const int *x = p.x + (long long)source * p.words + first;
        if (p.words % 4 == 0 && first + 4 <= p.words) return *(const Four<int> *)x;
        for (int i = 0; i < 4; i++) result.v[i] = first + i < p.words ? x[i] : 0;
        return result;
    }

    DEVICE Four<int> right(int output, int tap, int first) const {
        Four<int> result = {{0, 0, 0, 0}};
        if (output >= p.outputs) return result;
        const int *tile = p.tiles + ((long long)(output / 16 * p.taps + tap) * p.words + first) * 16 + output % 16;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            if (first + i < p.words) result.v[i] = tile[i * 16];
        }
        return result;
    }

    DEVICE void write(int sum, int row, int output) const {
        const cuda_range range = p.ranges[range_index(place_of(p.geometry, row))];
        // Bytes are stored less 128, zero points are not.
        const int exact = sum + (128 - range.zero) * p.sums[output];
        finish(p.epilogue, (float)exact * (range.scale * p.scales[output]), row, output, p.outputs, p.y);
    }
};

// The row of the left side that a thread brings into shared memory.
template <class Operands> struct LeftRow {
    Place place;
    typename Operands::Unit padding;
    int shift;
    bool exists;

    DEVICE LeftRow(const Operands &o, int row) {
        exists = row < o.rows();
        place = place_of(o.geometry(), exists ? row : 0);
        padding = exists ? o.padding(place) : typename Operands::Unit();
        shift = o.shift(place);
    }

    DEVICE Four<typename Operands::Unit> read(const Operands &o, int tap, int first) const {
        const int source = exists ? source_row(o.geometry(), place, tap) : -1;
        return o.left(source < 0 ? -1 : source + shift, padding, first);
    }
};

template <class Operands> DEVICE void multiply(const Operands &o) {
    typedef typename Operands::Unit Unit;
    alignas(16) __shared__ Unit left[DEPTH * TILE_STRIDE];
    alignas(16) __shared__ Unit right[DEPTH * TILE_STRIDE];
    const int thread = threadIdx.x, first_row = blockIdx.x * TILE, first_output = blockIdx.y * TILE;
    // Each thread brings four units of one row of either side.
    const int line = thread / 4, part = thread % 4 * 4;
    const LeftRow<Operands> row(o, first_row + line);
    const int across = thread % 16 * 4, down = thread / 16 * 4;
    Unit sums[4][4] = {};

    const int pieces = (o.depth() + DEPTH - 1) / DEPTH, count = o.taps() * pieces;
    Four<Unit> next_left = row.read(o, 0, part), next_right = o.right(first_output + line, 0, part);
    for (int piece = 0; piece < count; piece++) {
        __syncthreads();
        for (int i = 0; i < 4; i++) {
            left[(part + i) * TILE_STRIDE + line] = next_left.v[i];
            right[(part + i) * TILE_STRIDE + line] = next_right.v[i];
        }
        __syncthreads();
        if (piece + 1 < count) {
            const int tap = (piece + 1) / pieces, first = (piece + 1) % pieces * DEPTH + part;
            next_left = row.read(o, tap, first);
            next_right = o.right(first_output + line, tap, first);
        }
        for (int k = 0; k < DEPTH; k++) {
            const Four<Unit> a = *(const Four<Unit> *)&left[k * TILE_STRIDE + down];
            const Four<Unit> b = *(const Four<Unit> *)&right[k * TILE_STRIDE + across];
            for (int i = 0; i < 4; i++) {
                for (int j = 0; j < 4; j++) sums[i][j] = multiply_add(a.v[i], b.v[j], sums[i][j]);
            }
        }
    }
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            const int y = first_row + down + i, x = first_output + across + j;
            if (y < o.rows() && x < o.outputs()) o.write(sums[i][j], y, x);
        }
    }
}

KERNEL product_float32(const cuda_product p) { multiply(FloatOperands<WEIGHT_FLOAT32>{p}); }
KERNEL product_float16(const cuda_product p) { multiply(FloatOperands<WEIGHT_FLOAT16>{p}); }
KERNEL product_expanded(const cuda_product p) { multiply(FloatOperands<WEIGHT_INT8>{p}); }
KERNEL product_int8(const cuda_int8_product p) { multiply(Int8Operands{p}); }
