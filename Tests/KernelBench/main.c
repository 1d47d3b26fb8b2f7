// Times every table's kernels:
//
//     KernelBench [TABLE [REPETITIONS]]
//
// The best of several runs counts, and the peak is measured between them, so that a busy machine disturbs both alike.
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *allocate(size_t count, size_t size) {
    void *memory = aligned_alloc(64, (count * size + 63) / 64 * 64);
    if (!memory) {
        fprintf(stderr, "not enough memory\n");
        exit(EXIT_FAILURE);
    }
    memset(memory, 1, count * size);
    return memory;
}

void release(void *memory) { free(memory); }

static void time_tables(const char *only, int repetitions, kernels_tier lowest,
                        void (*time)(const kernels *table, int repetitions)) {
    for (kernels_tier tier = KERNELS_NEON_I8MM; tier + 1 > lowest; tier--) {
        const kernels *table = kernels_for_tier(tier);
        if (table && (!only || strcmp(only, table->name) == 0)) time(table, repetitions);
        if (tier == KERNELS_SCALAR) break;
    }
}

int main(int count, char **arguments) {
    const char *only = count > 1 ? arguments[1] : NULL;
    const int repetitions = count > 2 ? atoi(arguments[2]) : 5;
    printf("product      rows  taps inputs  outputs   GMAC/s     peak   ratio\n");
    time_tables(only, repetitions, KERNELS_AVX2, time_products);
    printf("\nattention   queries  keys width   GMAC/s     peak   ratio\n");
    time_tables(only, repetitions, KERNELS_AVX2, time_attention);
    printf("\nfloats      kernel               10⁹ elements/s\n");
    time_tables(only, repetitions, KERNELS_SCALAR, time_floats);
    return 0;
}
