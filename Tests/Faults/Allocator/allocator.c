// Stands before the C library's allocator (LD_PRELOAD): counts what is asked of it, by who asks, and lets one request fail.
//
// The environment says which:
//
//     FAULTS_REPORT    file that gets a line per caller at the end: address, requests, least and most bytes; and, when a
//                      request failed, a line "met" with its address and its bytes
//     FAULTS_CALLER    address of the caller whose requests count; nobody's: all count
//     FAULTS_NUMBER    the request that fails, from 1; 0 for none
//     FAULTS_LEAST     requests of fewer bytes do not count
//     FAULTS_FROM      if it is set, later requests fail too
//
// A caller is the instruction that a request returns to. Addresses are the same in every run where they are not randomized
// (the tracer sees to that). Nothing here may allocate: what it needs lies in tables of fixed size.

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALLERS = 1 << 14, EARLY = 1 << 16 };

static struct {
    _Atomic(uintptr_t) address;
    atomic_long count;
    atomic_size_t least, most;
} callers[CALLERS];

static struct {
    const char *report;
    uintptr_t caller;
    long number;
    size_t least;
    bool onwards, is_ready;
} plan;

/// Whether the program has an allocator of its own, which asks us.
static bool stands_behind_program;

/// Who asks: the caller of the program's allocator, or ours. Both have to keep frame pointers.
#define CALLER (stands_behind_program ? __builtin_return_address(1) : __builtin_return_address(0))

static atomic_long counted;
static atomic_bool was_met;

// MARK: What stands behind

typedef void *allocate_function(size_t);
typedef void *clear_function(size_t, size_t);
typedef void *resize_function(void *, size_t);
typedef int align_function(void **, size_t, size_t);
typedef void *align_simply_function(size_t, size_t);
typedef void release_function(void *);

static struct {
    allocate_function *allocate;
    clear_function *clear;
    resize_function *resize;
    align_function *align;
    align_simply_function *align_simply;
    release_function *release;
} behind;

/// What is asked for while `dlsym` looks for the functions behind.
static _Alignas(16) char early[EARLY];
static atomic_size_t early_taken;

static void *take_early(size_t size) {
    size_t start = atomic_fetch_add(&early_taken, (size + 15) / 16 * 16);
    return start + size <= EARLY ? early + start : NULL;
}

static bool is_early(const void *memory) { return (const char *)memory >= early && (const char *)memory < early + EARLY; }

static bool find(void) {
    static atomic_bool is_finding;
    if (behind.release) return true;
    if (atomic_exchange(&is_finding, true)) return false;
    behind.allocate = (allocate_function *)dlsym(RTLD_NEXT, "malloc");
    behind.clear = (clear_function *)dlsym(RTLD_NEXT, "calloc");
    behind.resize = (resize_function *)dlsym(RTLD_NEXT, "realloc");
    behind.align = (align_function *)dlsym(RTLD_NEXT, "posix_memalign");
    behind.align_simply = (align_simply_function *)dlsym(RTLD_NEXT, "aligned_alloc");
    behind.release = (release_function *)dlsym(RTLD_NEXT, "free");
    return behind.release != NULL;
}

// MARK: The plan

static unsigned long number_of(const char *name) {
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 0) : 0;
}

__attribute__((constructor)) static void begin(void) {
    find();
    Dl_info first, own;
    void *function = dlsym(RTLD_DEFAULT, "malloc");
    stands_behind_program = dladdr(function, &first) && dladdr(&plan, &own) && first.dli_fbase != own.dli_fbase;
    plan.report = getenv("FAULTS_REPORT");
    plan.caller = number_of("FAULTS_CALLER");
    plan.number = (long)number_of("FAULTS_NUMBER");
    plan.least = number_of("FAULTS_LEAST");
    plan.onwards = getenv("FAULTS_FROM") != NULL;
    plan.is_ready = plan.report != NULL;
}

static void note_met(uintptr_t caller, size_t size) {
    char line[64];
    int length = snprintf(line, sizeof line, "met %#lx %zu\n", (unsigned long)caller, size);
    int file = open(plan.report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0) return;
    if (write(file, line, (size_t)length) < 0) _exit(125);
    close(file);
}

static void count(uintptr_t caller, size_t size) {
    size_t index = caller * 0x9E3779B97F4A7C15u >> 40;
    for (size_t step = 0; step < CALLERS; step++) {
        index = (index + 1) % CALLERS;
        uintptr_t there = atomic_load(&callers[index].address);
        if (there == 0 && atomic_compare_exchange_strong(&callers[index].address, &there, caller)) there = caller;
        if (there != caller) continue;
        size_t least = atomic_load(&callers[index].least);
        // Least is kept one larger, so that 0 is for none.
        if (least == 0 || size + 1 < least) atomic_store(&callers[index].least, size + 1);
        if (size > atomic_load(&callers[index].most)) atomic_store(&callers[index].most, size);
        atomic_fetch_add(&callers[index].count, 1);
        return;
    }
}

/// Whether a request is to fail.
static bool fails(void *return_address, size_t size) {
    const uintptr_t caller = (uintptr_t)return_address;
    if (!plan.is_ready || size < plan.least || (plan.caller && plan.caller != caller)) return false;
    if (plan.number == 0) {
        count(caller, size);
        return false;
    }
    const long number = atomic_fetch_add(&counted, 1) + 1;
    if (number < plan.number || (number > plan.number && !plan.onwards)) return false;
    if (!atomic_exchange(&was_met, true)) note_met(caller, size);
    errno = ENOMEM;
    return true;
}

__attribute__((destructor)) static void end(void) {
    if (!plan.is_ready || plan.number != 0) return;
    plan.is_ready = false;
    int file = open(plan.report, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return;
    for (size_t index = 0; index < CALLERS; index++) {
        if (atomic_load(&callers[index].address) == 0) continue;
        char line[128];
        int length = snprintf(line, sizeof line, "%#lx %ld %zu %zu\n",
                              (unsigned long)atomic_load(&callers[index].address), atomic_load(&callers[index].count),
                              atomic_load(&callers[index].least) - 1, atomic_load(&callers[index].most));
        if (write(file, line, (size_t)length) < 0) break;
    }
    // Where programs and libraries lie.
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    char block[4096];
    ssize_t length;
    while ((length = read(maps, block, sizeof block)) > 0) {
        if (write(file, block, (size_t)length) < 0) break;
    }
    close(maps);
    close(file);
}

// MARK: What stands before

void *malloc(size_t size) {
    if (!find()) return take_early(size);
    return fails(CALLER, size) ? NULL : behind.allocate(size);
}

void *calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    // Static memory is zeros.
    if (!find()) return take_early(bytes);
    return fails(CALLER, bytes) ? NULL : behind.clear(count, size);
}

void *realloc(void *memory, size_t size) {
    if (!find() || is_early(memory)) {
        void *copy = find() ? behind.allocate(size) : take_early(size);
        size_t rest = (size_t)(early + EARLY - (char *)memory);
        if (copy && memory) memcpy(copy, memory, size < rest ? size : rest);
        return copy;
    }
    if (size > 0 && fails(CALLER, size)) return NULL;
    return behind.resize(memory, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (!find()) return ENOMEM;
    return fails(CALLER, size) ? ENOMEM : behind.align(memory, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    if (!find()) return NULL;
    return fails(CALLER, size) ? NULL : behind.align_simply(alignment, size);
}

void *memalign(size_t alignment, size_t size) {
    if (!find()) return NULL;
    return fails(CALLER, size) ? NULL : behind.align_simply(alignment, size);
}

void free(void *memory) {
    if (is_early(memory)) return;
    if (find()) behind.release(memory);
}
