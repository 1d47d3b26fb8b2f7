// Nothing here needs libFuzzer or a sanitizer to link: their functions are weak references, and null without them.

#include "fuzz_driver.h"

#include <malloc.h>
#include <stdatomic.h>

extern int LLVMFuzzerRunDriver(int *, char ***, fuzz_callback) __attribute__((weak));
extern int __sanitizer_install_malloc_and_free_hooks(
    void (*)(const volatile void *, size_t), void (*)(const volatile void *)) __attribute__((weak));
extern size_t __sanitizer_get_allocated_size(const volatile void *) __attribute__((weak));

int fuzz_has_engine(void) { return LLVMFuzzerRunDriver != 0; }

int fuzz_run(int *argc, char ***argv, fuzz_callback callback) {
    return fuzz_has_engine() ? LLVMFuzzerRunDriver(argc, argv, callback) : -1;
}

void fuzz_release_memory(void) { malloc_trim(0); }

// Parsers may use threads. No order between them matters.
static _Atomic(int64_t) now, ground, peak;

static void add(const volatile void *start, size_t count) {
    (void)start;
    int64_t total = atomic_fetch_add_explicit(&now, (int64_t)count, memory_order_relaxed) + (int64_t)count;
    int64_t most = atomic_load_explicit(&peak, memory_order_relaxed);
    while (total > most &&
           !atomic_compare_exchange_weak_explicit(&peak, &most, total, memory_order_relaxed, memory_order_relaxed)) {
    }
}

static void take(const volatile void *start) {
    if (!start) return;
    atomic_fetch_sub_explicit(&now, (int64_t)__sanitizer_get_allocated_size(start), memory_order_relaxed);
}

int fuzz_count_memory(void) {
    if (!__sanitizer_install_malloc_and_free_hooks || !__sanitizer_get_allocated_size) return 0;
    return __sanitizer_install_malloc_and_free_hooks(add, take);
}

void fuzz_begin_peak(void) {
    int64_t start = atomic_load_explicit(&now, memory_order_relaxed);
    atomic_store_explicit(&ground, start, memory_order_relaxed);
    atomic_store_explicit(&peak, start, memory_order_relaxed);
}

int64_t fuzz_peak(void) {
    return atomic_load_explicit(&peak, memory_order_relaxed) - atomic_load_explicit(&ground, memory_order_relaxed);
}
