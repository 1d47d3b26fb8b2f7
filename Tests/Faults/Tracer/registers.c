#define _GNU_SOURCE

#include "registers.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#if defined(__x86_64__)

typedef struct user_regs_struct machine;

static unsigned long long *argument_of(machine *state, int index) {
    switch (index) {
    case 0: return &state->rdi;
    case 1: return &state->rsi;
    case 2: return &state->rdx;
    case 3: return &state->r10;
    case 4: return &state->r8;
    default: return &state->r9;
    }
}

static long number_of(pid_t thread, machine *state) {
    (void)thread;
    return (long)state->orig_rax;
}

static void set_result(machine *state, long result) { state->rax = (unsigned long long)result; }

static bool set_number(pid_t thread, machine *state, long number) {
    (void)thread;
    state->orig_rax = (unsigned long long)number;
    return true;
}

#elif defined(__aarch64__)

typedef struct user_regs_struct machine;

static unsigned long long *argument_of(machine *state, int index) { return &state->regs[index]; }

static long number_of(pid_t thread, machine *state) {
    (void)thread;
    return (long)state->regs[8];
}

static void set_result(machine *state, long result) { state->regs[0] = (unsigned long long)result; }

static bool set_number(pid_t thread, machine *state, long number) {
    (void)state;
    int value = (int)number;
    struct iovec part = {&value, sizeof value};
    return ptrace(PTRACE_SETREGSET, thread, (void *)NT_ARM_SYSTEM_CALL, &part) == 0;
}

#else
#error "registers of this processor are not known"
#endif

static bool load(pid_t thread, machine *state) {
    struct iovec part = {state, sizeof *state};
    return ptrace(PTRACE_GETREGSET, thread, (void *)NT_PRSTATUS, &part) == 0;
}

static bool store(pid_t thread, machine *state) {
    struct iovec part = {state, sizeof *state};
    return ptrace(PTRACE_SETREGSET, thread, (void *)NT_PRSTATUS, &part) == 0;
}

bool registers_read(pid_t thread, struct registers *registers) {
    machine state;
    if (!load(thread, &state)) return false;
    registers->number = number_of(thread, &state);
    for (int index = 0; index < 6; index++) registers->arguments[index] = *argument_of(&state, index);
    return true;
}

bool registers_skip(pid_t thread, long result) {
    machine state;
    if (!load(thread, &state) || !set_number(thread, &state, -1)) return false;
    set_result(&state, result);
    return store(thread, &state);
}

bool registers_return(pid_t thread, long result) {
    machine state;
    if (!load(thread, &state)) return false;
    set_result(&state, result);
    return store(thread, &state);
}

bool registers_replace(pid_t thread, int argument, unsigned long value) {
    machine state;
    if (!load(thread, &state)) return false;
    *argument_of(&state, argument) = value;
    return store(thread, &state);
}
