#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/// Kinds of system calls, a bit each.
enum faults_kind {
    FAULTS_OPEN = 1 << 0,
    FAULTS_READ = 1 << 1,
    FAULTS_WRITE = 1 << 2,
    FAULTS_SYNC = 1 << 3,
    /// What gives a file its name: rename, link.
    FAULTS_PLACE = 1 << 4,
    /// What makes a file longer or shorter.
    FAULTS_SIZE = 1 << 5,
    FAULTS_CLOSE = 1 << 6,
    FAULTS_MAP = 1 << 7,
    /// Threads and processes.
    FAULTS_THREAD = 1 << 8,
    /// What takes names away or makes folders.
    FAULTS_NAME = 1 << 9,
    FAULTS_SOCKET = 1 << 10,
    /// Advice on memory, which programs have to do without.
    FAULTS_ADVICE = 1 << 11,
    /// Every call that there is.
    FAULTS_ANY = 1 << 12,
};

enum faults_action {
    /// Nothing: calls are counted.
    FAULTS_COUNT,
    /// The call does nothing and returns an error; `close` does its work first, as the system's does.
    FAULTS_FAIL,
    /// It gets half of the bytes that it was to read or write.
    FAULTS_HALVE,
    /// A signal for the process: SIGKILL ends it before the call.
    FAULTS_SIGNAL,
    /// A function of the bench is called, while the process waits.
    FAULTS_CALL,
};

/// A limit that the process gets, as `setrlimit` has them.
struct faults_limit {
    int resource;
    unsigned long value;
};

/// What to run, and what is to happen to it.
struct faults_plan {
    char *const *arguments;
    char *const *environment;
    const char *folder;
    /// Names of files for standard output and error, which are made anew.
    const char *output, *errors;
    const struct faults_limit *limits;
    size_t limit_count;
    /// User to run as; 0 for the bench's own.
    uid_t user;
    /// Kinds of calls that count.
    unsigned kinds;
    enum faults_action action;
    /// The call that the fault meets, from 1.
    long number;
    /// Whether every later one fails too.
    bool onwards;
    /// An error's number, or a signal's.
    int code;
    /// Whether files without a name are refused, as some file systems do.
    bool refuses_unnamed;
    /// Called at the call with the number; at every one if that is 0. NULL for none.
    void (*call)(void *context);
    void *context;
    /// After which the process is ended, in milliseconds.
    int deadline;
};

/// What became of it.
struct faults_outcome {
    /// Exit status, or −1.
    int status;
    /// Signal that ended it, or 0.
    int signal;
    /// Calls that counted.
    long calls;
    bool was_met, timed_out;
    double seconds;
    /// What the fault met: the call's name, and the file's.
    char place[300];
    /// Names that were given to files before their contents were on the disk, or to none if that is empty.
    char unsynced[300];
    /// Folders whose new names were not on the disk at the end.
    int unsynced_folders;
};

/// Runs a process to its end. One run at a time on a thread.
/// - Parameter started: gets the process' number before its first call; NULL for nobody.
/// - Returns: 0, or an error's number if it could not be started or traced.
int faults_run(const struct faults_plan *plan, struct faults_outcome *outcome, volatile int *started);

/// Puts a small disk, which lives in memory, at a folder, for this process and those it starts. Needs root; before there
/// are threads.
/// - Returns: 0, or an error's number.
int faults_own_mounts(void);
int faults_mount_small(const char *folder, size_t bytes);
int faults_unmount(const char *folder);

#endif
