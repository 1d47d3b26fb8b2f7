#include "calls.h"
#include "faults.h"

#include <sys/syscall.h>

#define CALL(name, kind, descriptor, path) {SYS_##name, #name, kind, descriptor, path},

static const struct call table[] = {
    CALL(openat, FAULTS_OPEN, -1, 1)
    CALL(openat2, FAULTS_OPEN, -1, 1)
    CALL(memfd_create, FAULTS_OPEN, -1, 0)
    CALL(read, FAULTS_READ, 0, -1)
    CALL(pread64, FAULTS_READ, 0, -1)
    CALL(readv, FAULTS_READ, 0, -1)
    CALL(preadv, FAULTS_READ, 0, -1)
    CALL(getdents64, FAULTS_READ, 0, -1)
    CALL(write, FAULTS_WRITE, 0, -1)
    CALL(pwrite64, FAULTS_WRITE, 0, -1)
    CALL(writev, FAULTS_WRITE, 0, -1)
    CALL(pwritev, FAULTS_WRITE, 0, -1)
    CALL(sendfile, FAULTS_WRITE, 0, -1)
    CALL(copy_file_range, FAULTS_WRITE, 2, -1)
    CALL(fsync, FAULTS_SYNC, 0, -1)
    CALL(fdatasync, FAULTS_SYNC, 0, -1)
    CALL(renameat, FAULTS_PLACE, -1, 3)
    CALL(renameat2, FAULTS_PLACE, -1, 3)
    CALL(linkat, FAULTS_PLACE, -1, 3)
    CALL(ftruncate, FAULTS_SIZE, 0, -1)
    CALL(fallocate, FAULTS_SIZE, 0, -1)
    CALL(close, FAULTS_CLOSE, 0, -1)
    CALL(mmap, FAULTS_MAP, 4, -1)
    CALL(mremap, FAULTS_MAP, -1, -1)
    CALL(clone, FAULTS_THREAD, -1, -1)
    CALL(clone3, FAULTS_THREAD, -1, -1)
    CALL(unlinkat, FAULTS_NAME, -1, 1)
    CALL(mkdirat, FAULTS_NAME, -1, 1)
    CALL(socket, FAULTS_SOCKET, -1, -1)
    CALL(bind, FAULTS_SOCKET, 0, -1)
    CALL(listen, FAULTS_SOCKET, 0, -1)
    CALL(accept4, FAULTS_SOCKET, 0, -1)
    CALL(setsockopt, FAULTS_SOCKET, 0, -1)
    CALL(recvfrom, FAULTS_SOCKET, 0, -1)
    CALL(sendto, FAULTS_SOCKET, 0, -1)
    CALL(recvmsg, FAULTS_SOCKET, 0, -1)
    CALL(sendmsg, FAULTS_SOCKET, 0, -1)
    CALL(shutdown, FAULTS_SOCKET, 0, -1)
    CALL(madvise, FAULTS_ADVICE, -1, -1)
// Older calls, which newer processors never had.
#ifdef SYS_open
    CALL(open, FAULTS_OPEN, -1, 0)
    CALL(creat, FAULTS_OPEN, -1, 0)
    CALL(rename, FAULTS_PLACE, -1, 1)
    CALL(link, FAULTS_PLACE, -1, 1)
    CALL(fork, FAULTS_THREAD, -1, -1)
    CALL(vfork, FAULTS_THREAD, -1, -1)
    CALL(unlink, FAULTS_NAME, -1, 0)
    CALL(mkdir, FAULTS_NAME, -1, 0)
    CALL(rmdir, FAULTS_NAME, -1, 0)
#endif
};

const struct call *calls_begin(void) { return table; }

const struct call *calls_end(void) { return table + sizeof table / sizeof table[0]; }

const struct call *call_of(long number) {
    for (const struct call *call = table; call < calls_end(); call++) {
        if (call->number == number) return call;
    }
    return NULL;
}
