// Sums of a tile by broadcasting four inputs of a row against the weights of LANES outputs.
//
// The including file defines `add_dot_products(sums, a, w)`.

INLINE vint broadcast_inputs(const uint8_t *a) {
    int32_t four;
    memcpy(&four, a, sizeof four);
    return (vint)four;
}

INLINE void accumulate(const struct block *block, size_t row, size_t rows, size_t vectors,
                       vint sums[TILE_ROWS][BLOCK_VECTORS]) {
    const kernels_product *p = block->p;
    const size_t tile_bytes = p->taps * p->inputs * TILE_OUTPUTS;
    const int8_t *tile = block->tiles;
    const size_t ahead = block->ahead;
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) sums[r][v] = 0;
    }
    for (size_t tap = 0; tap < p->taps; tap++) {
        const uint8_t *a[TILE_ROWS];
#pragma clang loop unroll(full)
        for (size_t r = 0; r < rows; r++) a[r] = p->a[tap * p->rows + row + r];
        // Unrolling would need more registers than there are.
#pragma clang loop unroll(disable)
        for (size_t i = 0; i < p->inputs; i += 4, tile += TILE_OUTPUTS * 4) {
            vint weights[BLOCK_VECTORS];
            __builtin_prefetch(tile + ahead, 0, 2);
#pragma clang loop unroll(full)
            for (size_t v = 0; v < vectors; v++) {
                const int8_t *source = tile + v / TILE_VECTORS * tile_bytes + v % TILE_VECTORS * sizeof(vint);
                memcpy(&weights[v], source, sizeof(vint));
            }
#pragma clang loop unroll(full)
            for (size_t r = 0; r < rows; r++) {
                const vint inputs = broadcast_inputs(a[r] + i);
#pragma clang loop unroll(full)
                for (size_t v = 0; v < vectors; v++) add_dot_products(&sums[r][v], inputs, weights[v]);
            }
        }
    }
}
