// The fibers: made once, switched by setjmp and longjmp, which unlike swapcontext ask nothing of the system.
#include "emulation.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

Index threadIdx, blockIdx, gridDim;

namespace emulation {

Slot slots[MOST_THREADS];

enum State { READY, AT_BLOCK, AT_WARP, DONE };
enum { STACK_BYTES = 1 << 18 };

struct Fiber {
    State state;
    bool started;
    jmp_buf place;
    ucontext_t context;
    void *stack;
};

static Fiber fibers[MOST_THREADS];
static jmp_buf scheduler;
static unsigned current, thread_count;
static void (*body)(void *);
static void *argument;

static void leave(State state) {
    fibers[current].state = state;
    if (!_setjmp(fibers[current].place)) _longjmp(scheduler, 1);
}

void wait_for_block() { leave(AT_BLOCK); }
void wait_for_warp() { leave(AT_WARP); }

static void work() {
    for (;;) {
        body(argument);
        leave(DONE);
    }
}

static void resume(unsigned thread) {
    Fiber *fiber = &fibers[thread];
    current = thread;
    threadIdx = Index{thread, 0, 0};
    if (_setjmp(scheduler)) return;
    if (fiber->started) _longjmp(fiber->place, 1);
    fiber->started = true;
    fiber->stack = mmap(0, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&fiber->context, work, 0);
    setcontext(&fiber->context);
}

static unsigned count(unsigned first, unsigned last, State state) {
    unsigned sum = 0;
    for (unsigned i = first; i < last; i++) sum += fibers[i].state == state;
    return sum;
}

static void release(unsigned first, unsigned last, State state) {
    for (unsigned i = first; i < last; i++) {
        if (fibers[i].state == state) fibers[i].state = READY;
    }
}

// Lets go those whose others have all arrived. Threads that have ended are not waited for by blocks.
static bool release_waiting() {
    bool released = false;
    for (unsigned first = 0; first < thread_count; first += WARP) {
        const unsigned last = first + WARP;
        if (count(first, last, AT_WARP) != WARP) continue;
        release(first, last, AT_WARP);
        released = true;
    }
    if (!released && count(0, thread_count, AT_BLOCK) + count(0, thread_count, DONE) == thread_count) {
        released = count(0, thread_count, AT_BLOCK) > 0;
        release(0, thread_count, AT_BLOCK);
    }
    return released;
}

static void run_block(bool reverse) {
    for (unsigned i = 0; i < thread_count; i++) fibers[i].state = READY;
    do {
        for (unsigned i = 0; i < thread_count; i++) {
            const unsigned thread = reverse ? thread_count - 1 - i : i;
            if (fibers[thread].state == READY) resume(thread);
        }
    } while (release_waiting());
    if (count(0, thread_count, DONE) == thread_count) return;
    fprintf(stderr, "emulation: threads of a block wait at different places\n");
    abort();
}

void run(Index grid, unsigned threads, void (*work)(void *), void *arguments) {
    const char *order = getenv("FAKE_CUDA_ORDER");
    const bool reverse = order && !strcmp(order, "reverse");
    gridDim = grid;
    thread_count = threads;
    body = work;
    argument = arguments;
    for (blockIdx.z = 0; blockIdx.z < grid.z; blockIdx.z++) {
        for (blockIdx.y = 0; blockIdx.y < grid.y; blockIdx.y++) {
            for (blockIdx.x = 0; blockIdx.x < grid.x; blockIdx.x++) run_block(reverse);
        }
    }
}

} // namespace emulation
