// Our kernels, compiled for the emulation, and called by name.
#include "kernels.h"
#include "emulation.h"

#include "../../Sources/CCUDA/include/arguments.h"

#include "../../Sources/ComputeCUDA/Kernels/common.cuh"
#include "../../Sources/ComputeCUDA/Kernels/fragments.cuh"
#include "../../Sources/ComputeCUDA/Kernels/product.cu"
#include "../../Sources/ComputeCUDA/Kernels/product_mma.cu"
#include "../../Sources/ComputeCUDA/Kernels/product_halves.cu"
#include "../../Sources/ComputeCUDA/Kernels/quantize.cu"
#include "../../Sources/ComputeCUDA/Kernels/attention.cu"
#include "../../Sources/ComputeCUDA/Kernels/attention_mma.cu"
#include "../../Sources/ComputeCUDA/Kernels/norms.cu"
#include "../../Sources/ComputeCUDA/Kernels/elements.cu"

namespace {

template <class Arguments, void (*kernel)(Arguments)> void call(void *arguments) {
    kernel(*(const Arguments *)arguments);
}

#define KERNEL_ENTRY(name, arguments) {#name, call<arguments, name>, sizeof(arguments)}

const struct {
    const char *name;
    void (*call)(void *);
    size_t bytes;
} table[] = {
    KERNEL_ENTRY(product_float32, cuda_product),
    KERNEL_ENTRY(product_float16, cuda_product),
    KERNEL_ENTRY(product_expanded, cuda_product),
    KERNEL_ENTRY(product_int8, cuda_int8_product),
    KERNEL_ENTRY(product_mma, cuda_int8_product),
    KERNEL_ENTRY(product_mma_sum, cuda_int8_product),
    KERNEL_ENTRY(product_float16_mma, cuda_product),
    KERNEL_ENTRY(product_float16_mma_sum, cuda_product),
    KERNEL_ENTRY(product_expanded_mma, cuda_product),
    KERNEL_ENTRY(product_expanded_mma_sum, cuda_product),
    KERNEL_ENTRY(quantize_rows, cuda_quantize),
    KERNEL_ENTRY(quantize_tiles, cuda_quantize),
    KERNEL_ENTRY(attention_64, cuda_attention),
    KERNEL_ENTRY(attention_128, cuda_attention),
    KERNEL_ENTRY(attention_512, cuda_attention),
    KERNEL_ENTRY(attention_1024, cuda_attention),
    KERNEL_ENTRY(attention_mma_32, cuda_attention),
    KERNEL_ENTRY(attention_mma_48, cuda_attention),
    KERNEL_ENTRY(attention_mma_64, cuda_attention),
    KERNEL_ENTRY(attention_mma_80, cuda_attention),
    KERNEL_ENTRY(layer_norm, cuda_row_norm),
    KERNEL_ENTRY(rms_norm, cuda_row_norm),
    KERNEL_ENTRY(l2_normalize, cuda_row_norm),
    KERNEL_ENTRY(group_moments, cuda_group_norm),
    KERNEL_ENTRY(group_factors, cuda_group_norm),
    KERNEL_ENTRY(scale_shift, cuda_group_norm),
    KERNEL_ENTRY(apply, cuda_apply),
    KERNEL_ENTRY(gate, cuda_gate),
    KERNEL_ENTRY(combine, cuda_combine),
    KERNEL_ENTRY(copy_runs, cuda_copy),
    KERNEL_ENTRY(normalize_channels, cuda_normalize),
    KERNEL_ENTRY(blend, cuda_blend),
    KERNEL_ENTRY(pool, cuda_pool),
    KERNEL_ENTRY(accumulate_rows, cuda_accumulate),
    KERNEL_ENTRY(divide_rows, cuda_divide),
    KERNEL_ENTRY(copy_rows, cuda_rows),
};

enum { KERNEL_COUNT = sizeof table / sizeof table[0] };

} // namespace

int find_kernel(const char *name) {
    for (int i = 0; i < KERNEL_COUNT; i++) {
        if (!strcmp(table[i].name, name)) return i;
    }
    return -1;
}

size_t argument_bytes(int kernel) { return table[kernel].bytes; }

void launch_kernel(int kernel, const unsigned grid[3], unsigned threads, void *arguments) {
    emulation::run(Index{grid[0], grid[1], grid[2]}, threads, table[kernel].call, arguments);
}
