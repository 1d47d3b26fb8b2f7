// What ThreadSanitizer cannot see of Swift's Mutex on Linux, told to it.
//
// Synchronization's Mutex takes a free lock by an atomic operation that is compiled into our code, which the sanitizer
// watches. A lock that is taken goes to the kernel (FUTEX_LOCK_PI): the Swift library calls that, which was built without the
// sanitizer, and the kernel itself writes who holds the lock. So what one thread did before it gave the lock up seems not to
// have happened before what the next one does, and every value behind a contended Mutex is reported as a race. It is none:
// the kernel orders both. Here the two functions of the library are replaced by such as say so; races beside locks are
// reported as ever, which a list of suppressions would hide.
//
// Loaded before others (LD_PRELOAD) by Tests/Sanitizers/run.

#define _GNU_SOURCE

#include <dlfcn.h>
#include <stdint.h>

#define SWIFT_CALL __attribute__((swiftcall))
#define SELF __attribute__((swift_context))
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

typedef SWIFT_CALL void lock_function(uint32_t thread, SELF void *word);
typedef SWIFT_CALL void unlock_function(SELF void *word);
typedef void tell_function(void *word);

static void tell(const char *name, void *word) {
    tell_function *function = (tell_function *)dlsym(RTLD_DEFAULT, name);
    if (function) function(word);
}

SWIFT_CALL void lock_slow(uint32_t thread, SELF void *word) __asm__(LOCK);
SWIFT_CALL void unlock_slow(SELF void *word) __asm__(UNLOCK);

SWIFT_CALL void lock_slow(uint32_t thread, SELF void *word) {
    ((lock_function *)dlsym(RTLD_NEXT, LOCK))(thread, word);
    tell("__tsan_acquire", word);
}

SWIFT_CALL void unlock_slow(SELF void *word) {
    tell("__tsan_release", word);
    ((unlock_function *)dlsym(RTLD_NEXT, UNLOCK))(word);
}
