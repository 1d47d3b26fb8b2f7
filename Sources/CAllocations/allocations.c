// Swift's runtime takes for granted that there is memory: what it asks for and does not get, it writes to all the same, or it
// stops the process with a trace of its stack. Nothing of that can be caught, so a program stands before the allocator.

#define _GNU_SOURCE

#include "callocations.h"

#include <cmappings.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// A checked build has an allocator of its own.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#else

/// Libraries that cannot go on: how their names begin. Dispatch tries again for ever.
static const char *const helpless[] = {
    "libswift", "libFoundation", "lib_Foundation", "libBlocksRuntime", "libdispatch", "libstdc++",
    // The loader, whom the C library asks for what a thread's end takes, and aborts without.
    "ld-linux",
    // It writes to the table of a file's chunks whether it got one or not.
    "libsndfile", "libFLAC", "libvorbis", "libogg", "libopus", "libmpg123", "libmp3lame",
};

/// - Parameter is_own: whether the program itself is: where Swift's runtime is part of it.
static bool is_helpless(const void *caller, bool is_own) {
    Dl_info info, own;
    if (!dladdr(caller, &info) || !info.dli_fname) return false;
    if (dladdr((void *)is_helpless, &own) && own.dli_fbase == info.dli_fbase) return is_own;
    const char *slash = strrchr(info.dli_fname, '/');
    const char *name = slash ? slash + 1 : info.dli_fname;
    for (size_t index = 0; index < sizeof helpless / sizeof helpless[0]; index++) {
        if (strncmp(name, helpless[index], strlen(helpless[index])) == 0) return true;
    }
    return false;
}

/// Without memory.
_Noreturn static void end(size_t size) {
    char digits[24];
    char *start = digits + sizeof digits;
    do {
        *--start = (char)('0' + size % 10);
        size /= 10;
    } while (size > 0);
    char line[160] = "Error: not enough memory: ";
    size_t length = strlen(line);
    const size_t count = (size_t)(digits + sizeof digits - start);
    memcpy(line + length, start, count);
    length += count;
    static const char rest[] = " bytes could not be allocated; free some, or raise the limit (ulimit -d, ulimit -v)\n";
    memcpy(line + length, rest, sizeof rest - 1);
    length += sizeof rest - 1;
    cmappings_end(line, length);
}

static void *refused(size_t size, const void *caller, bool is_own) {
    if (size == 0 || !is_helpless(caller, is_own)) return NULL;
    end(size);
}

/// The function of a name that stands behind: the C library's, or that of an allocator which somebody has put before it.
#define BEHIND(type, name, none)                                                                                          \
    static _Atomic(type *) found;                                                                                      \
    type *behind = atomic_load_explicit(&found, memory_order_relaxed);                                                 \
    if (__builtin_expect(!behind, 0)) {                                                                                \
        behind = (type *)dlsym(RTLD_NEXT, name);                                                                       \
        if (!behind) return none;                                                                                      \
        atomic_store_explicit(&found, behind, memory_order_relaxed);                                                   \
    }

/// Who calls this function. Taken where it begins: compilers move what happens rarely to functions of its own, whose caller
/// is another.
#define CALLER(name)                                                                                                   \
    const void *name = __builtin_return_address(0);                                                                    \
    __asm__ volatile("" : "+r"(name));

typedef void *allocate_function(size_t);
typedef void *clear_function(size_t, size_t);
typedef void *resize_function(void *, size_t);
typedef int align_function(void **, size_t, size_t);

void *malloc(size_t size) {
    BEHIND(allocate_function, "malloc", NULL)
    CALLER(caller)
    void *memory = behind(size);
    return __builtin_expect(memory != NULL, 1) ? memory : refused(size, caller, true);
}

void *calloc(size_t count, size_t size) {
    BEHIND(clear_function, "calloc", NULL)
    CALLER(caller)
    void *memory = behind(count, size);
    if (__builtin_expect(memory != NULL, 1)) return memory;
    size_t product;
    if (__builtin_mul_overflow(count, size, &product)) product = SIZE_MAX;
    return refused(product, caller, true);
}

void *realloc(void *old, size_t size) {
    BEHIND(resize_function, "realloc", NULL)
    CALLER(caller)
    void *memory = behind(old, size);
    return __builtin_expect(memory != NULL, 1) ? memory : refused(size, caller, true);
}

/// Our own tensors are asked for by this one, and are told.
int posix_memalign(void **memory, size_t alignment, size_t size) {
    BEHIND(align_function, "posix_memalign", ENOMEM)
    CALLER(caller)
    const int code = behind(memory, alignment, size);
    if (__builtin_expect(code == ENOMEM, 0)) refused(size, caller, false);
    return code;
}

#endif
