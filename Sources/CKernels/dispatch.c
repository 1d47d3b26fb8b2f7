#include "cpu.h"
#include "tables.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// What this build has, best first.
static const kernels *const tables[] = {
#if defined(__x86_64__)
    &kernels_avx512_vnni,
    &kernels_avx_vnni,
    &kernels_avx2,
#elif defined(__aarch64__)
    &kernels_neon_i8mm,
    &kernels_neon_dotprod,
#endif
    &kernels_scalar,
};

enum { TABLE_COUNT = sizeof tables / sizeof tables[0] };

const kernels *kernels_for_tier(kernels_tier tier) {
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (tables[i]->tier == tier) return kernels_cpu_supports(tier) ? tables[i] : NULL;
    }
    return NULL;
}

const char *kernels_requested_name(void) { return getenv("AUDIOLDM2_CPU"); }

bool kernels_is_tier_name(const char *name) {
    static const char *const names[] = {"scalar", "avx2", "avxvnni", "avx512vnni", "dotprod", "i8mm"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) return true;
    }
    return false;
}

const kernels *kernels_for_request(const char *name) {
    const kernels *best = NULL;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (!kernels_cpu_supports(tables[i]->tier)) continue;
        if (name && strcmp(name, tables[i]->name) == 0) return tables[i];
        if (!best) best = tables[i];
    }
    return best;
}

const kernels *kernels_current(void) {
    // Threads that race here choose the same table.
    static _Atomic(const kernels *) current;
    const kernels *table = atomic_load_explicit(&current, memory_order_relaxed);
    if (!table) {
        table = kernels_for_request(kernels_requested_name());
        atomic_store_explicit(&current, table, memory_order_relaxed);
    }
    return table;
}
