#include "cpu.h"
#include "tables.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// What this build has, best first.
static const kernels *const tables[] = {
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

static const kernels *choose(void) {
    const char *requested = kernels_requested_name();
    const kernels *best = NULL;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (!kernels_cpu_supports(tables[i]->tier)) continue;
        if (requested && strcmp(requested, tables[i]->name) == 0) return tables[i];
        if (!best) best = tables[i];
    }
    return best;
}

const kernels *kernels_current(void) {
    // Threads that race here choose the same table.
    static _Atomic(const kernels *) current;
    const kernels *table = atomic_load_explicit(&current, memory_order_relaxed);
    if (!table) {
        table = choose();
        atomic_store_explicit(&current, table, memory_order_relaxed);
    }
    return table;
}
