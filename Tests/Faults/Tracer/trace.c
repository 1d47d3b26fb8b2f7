// Runs a process and stops it at its system calls: Linux' ptrace, told by a seccomp filter which calls matter. Needs no
// root, and sees the calls of every library and of the C library itself, whoever linked them.

#define _GNU_SOURCE

#include "calls.h"
#include "disk.h"
#include "faults.h"
#include "filter.h"
#include "registers.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// Kinds that tell what is on the disk.
enum { DISK_KINDS = FAULTS_WRITE | FAULTS_SIZE | FAULTS_SYNC | FAULTS_PLACE };

struct run {
    const struct faults_plan *plan;
    struct faults_outcome *outcome;
    pid_t process;
    bool has_started;
    struct disk disk;
    /// Thread whose `close` is under way and will have failed; 0 for none.
    pid_t failing;
};

// MARK: The deadline

struct watch {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool has_ended, came;
    pid_t process;
    int deadline;
};

static void *wait_for_deadline(void *argument) {
    struct watch *watch = argument;
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += watch->deadline / 1000;
    end.tv_nsec += watch->deadline % 1000 * 1000000L;
    if (end.tv_nsec >= 1000000000L) {
        end.tv_nsec -= 1000000000L;
        end.tv_sec += 1;
    }
    pthread_mutex_lock(&watch->lock);
    int code = 0;
    while (!watch->has_ended && code == 0) code = pthread_cond_timedwait(&watch->ended, &watch->lock, &end);
    if (!watch->has_ended) {
        watch->came = true;
        kill(watch->process, SIGKILL);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

static void end_watch(struct watch *watch) {
    pthread_mutex_lock(&watch->lock);
    watch->has_ended = true;
    pthread_cond_signal(&watch->ended);
    pthread_mutex_unlock(&watch->lock);
}

// MARK: The process

static bool redirect(const char *name, int descriptor, int flags) {
    int file = open(name, flags, 0666);
    return file >= 0 && dup2(file, descriptor) == descriptor && (file == descriptor || close(file) == 0);
}

/// What the process does before it is the program; never returns.
static void become(const struct faults_plan *plan, int gate) {
    char byte;
    bool ready = read(gate, &byte, 1) == 1 && close(gate) == 0 && setpgid(0, 0) == 0 && chdir(plan->folder) == 0;
    ready = ready && redirect("/dev/null", STDIN_FILENO, O_RDONLY);
    ready = ready && redirect(plan->output, STDOUT_FILENO, O_WRONLY | O_CREAT | O_TRUNC);
    ready = ready && redirect(plan->errors, STDERR_FILENO, O_WRONLY | O_CREAT | O_TRUNC);
    if (ready && plan->user != 0) {
        ready = setgroups(0, NULL) == 0 && setgid(plan->user) == 0 && setuid(plan->user) == 0;
    }
    signal(SIGPIPE, SIG_DFL);
    ready = ready && filter_install(plan->kinds | DISK_KINDS | FAULTS_OPEN);
    for (size_t index = 0; index < plan->limit_count; index++) {
        const struct rlimit limit = {plan->limits[index].value, plan->limits[index].value};
        ready = ready && setrlimit((unsigned)plan->limits[index].resource, &limit) == 0;
    }
    // Addresses, and so callers of the allocator, are the same in every run.
    personality(ADDR_NO_RANDOMIZE);
    if (ready) execve(plan->arguments[0], plan->arguments, plan->environment);
    _exit(126);
}

// MARK: Calls

static void describe(struct run *run, pid_t thread, const struct call *call, const struct registers *registers) {
    char target[256] = "";
    if (call && call->path >= 0) {
        if (!disk_text(thread, registers->arguments[call->path], target, sizeof target)) target[0] = 0;
    } else if (call && call->descriptor >= 0) {
        if (!disk_target(thread, (int)registers->arguments[call->descriptor], target, sizeof target)) target[0] = 0;
    }
    char number[32];
    snprintf(number, sizeof number, "call %ld", registers->number);
    snprintf(run->outcome->place, sizeof run->outcome->place, "%s %s", call ? call->name : number, target);
}

/// Descriptors that the runtime talks to itself by are no files.
static bool is_counted(pid_t thread, const struct call *call, const struct registers *registers) {
    if (!call || call->descriptor < 0 || !(call->kind & (FAULTS_READ | FAULTS_WRITE | FAULTS_CLOSE))) return true;
    char target[256];
    if (!disk_target(thread, (int)registers->arguments[call->descriptor], target, sizeof target)) return true;
    return strncmp(target, "anon_inode:", 11) != 0;
}

static bool asks_for_unnamed(const struct call *call, const struct registers *registers) {
    return call && call->number == SYS_openat && (registers->arguments[2] & O_TMPFILE) == O_TMPFILE;
}

/// - Returns: false for a call that has no length, or none to halve.
static bool halve(pid_t thread, const struct call *call, const struct registers *registers) {
    const long number = call ? call->number : -1;
    const bool has_length =
        number == SYS_read || number == SYS_write || number == SYS_pread64 || number == SYS_pwrite64;
    return has_length && registers->arguments[2] > 1 && registers_replace(thread, 2, registers->arguments[2] / 2);
}

/// - Returns: how the thread goes on.
static enum __ptrace_request meet(struct run *run, pid_t thread, const struct call *call,
                                  const struct registers *registers) {
    const struct faults_plan *plan = run->plan;
    if (!run->outcome->was_met) describe(run, thread, call, registers);
    bool is_met = true;
    enum __ptrace_request next = PTRACE_CONT;
    switch (plan->action) {
    case FAULTS_FAIL:
        if (call && call->kind == FAULTS_CLOSE) {
            run->failing = thread;
            next = PTRACE_SYSCALL;
        } else {
            is_met = registers_skip(thread, -plan->code);
        }
        break;
    case FAULTS_HALVE: is_met = halve(thread, call, registers); break;
    case FAULTS_SIGNAL: is_met = kill(run->process, plan->code) == 0; break;
    case FAULTS_CALL: plan->call(plan->context); break;
    case FAULTS_COUNT: break;
    }
    run->outcome->was_met |= is_met;
    return next;
}

static enum __ptrace_request handle_call(struct run *run, pid_t thread) {
    struct registers registers;
    if (!run->has_started || !registers_read(thread, &registers)) return PTRACE_CONT;
    const struct faults_plan *plan = run->plan;
    struct faults_outcome *outcome = run->outcome;
    const struct call *call = call_of(registers.number);
    if (plan->refuses_unnamed && asks_for_unnamed(call, &registers)) {
        registers_skip(thread, -EOPNOTSUPP);
        return PTRACE_CONT;
    }
    const bool matches = plan->kinds & FAULTS_ANY || (call && call->kind & plan->kinds);
    bool meets = false;
    if (matches && is_counted(thread, call, &registers)) {
        outcome->calls += 1;
        const bool is_asked = outcome->calls == plan->number || (plan->onwards && outcome->calls > plan->number);
        meets = plan->action != FAULTS_COUNT && plan->number > 0 && is_asked;
        if (plan->call && plan->number == 0) plan->call(plan->context);
    }
    // What fails does not reach the disk.
    if (call && !(meets && plan->action == FAULTS_FAIL)) {
        disk_note(&run->disk, thread, call, &registers, outcome->unsynced, sizeof outcome->unsynced);
    }
    return meets ? meet(run, thread, call, &registers) : PTRACE_CONT;
}

static void handle_stop(struct run *run, pid_t thread, int status) {
    enum __ptrace_request next = PTRACE_CONT;
    long signal = 0;
    const int event = status >> 16;
    if (event == PTRACE_EVENT_SECCOMP) {
        next = handle_call(run, thread);
    } else if (event == PTRACE_EVENT_EXEC) {
        run->has_started = true;
    } else if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
        // After the `close`, and once before it on some systems.
        if (run->failing == thread) {
            registers_return(thread, -run->plan->code);
            run->failing = 0;
        }
    } else if (event == 0) {
        signal = WSTOPSIG(status);
    }
    ptrace(next, thread, 0, signal);
}

static void follow(struct run *run) {
    int status;
    pid_t thread;
    // Of this thread's processes alone: the bench may have others.
    while ((thread = waitpid(-1, &status, __WALL | __WNOTHREAD)) > 0 || errno == EINTR) {
        if (thread <= 0) continue;
        if (WIFSTOPPED(status)) {
            handle_stop(run, thread, status);
        } else if (thread == run->process) {
            run->outcome->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
            run->outcome->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        }
    }
}

static double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int faults_run(const struct faults_plan *plan, struct faults_outcome *outcome, volatile int *started) {
    memset(outcome, 0, sizeof *outcome);
    outcome->status = -1;
    struct run *run = calloc(1, sizeof *run);
    int gate[2];
    if (!run || pipe2(gate, O_CLOEXEC) != 0) {
        free(run);
        return errno;
    }
    run->plan = plan;
    run->outcome = outcome;
    const double start = seconds_now();
    run->process = fork();
    if (run->process == 0) become(plan, gate[0]);
    int code = run->process < 0 ? errno : 0;
    const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
    if (code == 0 && ptrace(PTRACE_SEIZE, run->process, 0, options) != 0) code = errno;
    struct watch watch = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false, run->process,
                          plan->deadline};
    pthread_t thread;
    if (code == 0) code = pthread_create(&thread, NULL, wait_for_deadline, &watch);
    if (code == 0) {
        if (started) *started = run->process;
        if (write(gate[1], "", 1) != 1) code = errno;
        follow(run);
        end_watch(&watch);
        pthread_join(thread, NULL);
    } else if (run->process > 0) {
        kill(run->process, SIGKILL);
        waitpid(run->process, NULL, 0);
    }
    close(gate[0]);
    close(gate[1]);
    outcome->timed_out = watch.came;
    outcome->seconds = seconds_now() - start;
    outcome->unsynced_folders = run->disk.folder_count;
    free(run);
    return code;
}
