// The fibers: made once, switched by setjmp and longjmp, which unlike swapcontext ask nothing of the system.
#include "emulation.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

// A place in a stack to go back to. The compiler's own are faster by far, where it has them.
#if defined(__x86_64__)
typedef void *Jump[5];
#define REMEMBER(jump) __builtin_setjmp(jump)
#define GO_BACK(jump) __builtin_longjmp(jump, 1)
#else
typedef jmp_buf Jump;
#define REMEMBER(jump) _setjmp(jump)
#define GO_BACK(jump) _longjmp(jump, 1)
#endif

Index threadIdx, blockIdx, gridDim;
int emulation_is_reversed;

namespace emulation {

Slot slots[2][MOST_THREADS];
unsigned char turns[MOST_THREADS];

enum State { READY, AT_BLOCK, AT_WARP, DONE, STATE_COUNT };
enum { STACK_BYTES = 1 << 18 };

struct Fiber {
    State state;
    bool started;
    Jump place;
    ucontext_t context;
    void *stack;
};

static Fiber fibers[MOST_THREADS];
// How many threads of each warp are in each state.
static unsigned counts[MOST_THREADS / WARP][STATE_COUNT];
static Jump scheduler;
static unsigned current, thread_count;
static void (*body)(void *);
static void *argument;

static void change(unsigned thread, State state) {
    counts[thread / WARP][fibers[thread].state]--;
    counts[thread / WARP][state]++;
    fibers[thread].state = state;
}

__attribute__((noinline)) static void leave(State state) {
    change(current, state);
    if (!REMEMBER(fibers[current].place)) GO_BACK(scheduler);
}

void wait_for_block() { leave(AT_BLOCK); }
void wait_for_warp() { leave(AT_WARP); }

static void work() {
    for (;;) {
        body(argument);
        leave(DONE);
    }
}

__attribute__((noinline)) static void resume(unsigned thread) {
    Fiber *fiber = &fibers[thread];
    current = thread;
    threadIdx = Index{thread, 0, 0};
    if (REMEMBER(scheduler)) return;
    if (fiber->started) GO_BACK(fiber->place);
    fiber->started = true;
    fiber->stack = mmap(0, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&fiber->context, work, 0);
    setcontext(&fiber->context);
}

static void resume_warp(unsigned warp, bool reverse) {
    for (unsigned i = 0; i < WARP; i++) {
        const unsigned thread = warp * WARP + (reverse ? WARP - 1 - i : i);
        if (fibers[thread].state == READY) resume(thread);
    }
}

static void release(unsigned warp, State state) {
    for (unsigned i = warp * WARP; i < (warp + 1) * WARP; i++) {
        if (fibers[i].state == state) change(i, READY);
    }
}

// A warp runs until all of its threads wait for the block, or have ended, which blocks do not wait for.
static void run_warp(unsigned warp, bool reverse) {
    do {
        resume_warp(warp, reverse);
        if (counts[warp][AT_WARP] == WARP) release(warp, AT_WARP);
    } while (counts[warp][READY] > 0);
    if (counts[warp][AT_WARP] == 0) return;
    fprintf(stderr, "emulation: some threads of a warp do not reach a shuffle\n");
    abort();
}

static void run_block(bool reverse) {
    const unsigned warps = thread_count / WARP;
    for (unsigned i = 0; i < thread_count; i++) change(i, READY);
    for (bool waiting = true; waiting;) {
        waiting = false;
        for (unsigned i = 0; i < warps; i++) {
            const unsigned warp = reverse ? warps - 1 - i : i;
            run_warp(warp, reverse);
            waiting = waiting || counts[warp][AT_BLOCK] > 0;
        }
        for (unsigned warp = 0; waiting && warp < warps; warp++) release(warp, AT_BLOCK);
    }
}

void run(Index grid, unsigned threads, void (*work)(void *), void *arguments) {
    gridDim = grid;
    thread_count = threads;
    body = work;
    argument = arguments;
    memset(counts, 0, sizeof counts);
    memset(turns, 0, sizeof turns);
    for (unsigned i = 0; i < threads; i++) counts[i / WARP][fibers[i].state]++;
    for (blockIdx.z = 0; blockIdx.z < grid.z; blockIdx.z++) {
        for (blockIdx.y = 0; blockIdx.y < grid.y; blockIdx.y++) {
            for (blockIdx.x = 0; blockIdx.x < grid.x; blockIdx.x++) run_block(emulation_is_reversed);
        }
    }
}

} // namespace emulation
