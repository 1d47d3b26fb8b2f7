#include "filter.h"
#include "calls.h"
#include "faults.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

enum { LENGTH = 256 };

bool filter_install(unsigned kinds) {
    struct sock_filter program[LENGTH];
    unsigned short count = 0;
    const struct sock_filter load = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    program[count++] = load;
    for (const struct call *call = calls_begin(); call < calls_end(); call++) {
        if (!(call->kind & kinds) || kinds & FAULTS_ANY) continue;
        const struct sock_filter equal = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call->number, 0, 1);
        const struct sock_filter trace = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
        if (count + 3 > LENGTH) {
            errno = E2BIG;
            return false;
        }
        program[count++] = equal;
        program[count++] = trace;
    }
    const struct sock_filter last =
        BPF_STMT(BPF_RET | BPF_K, kinds & FAULTS_ANY ? SECCOMP_RET_TRACE : SECCOMP_RET_ALLOW);
    program[count++] = last;
    struct sock_fprog whole = {count, program};
    // What an unprivileged process has to promise first.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) == 0;
}
