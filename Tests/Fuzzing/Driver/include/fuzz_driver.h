#ifndef FUZZ_DRIVER_H
#define FUZZ_DRIVER_H

#include <stddef.h>
#include <stdint.h>

/// Called with each input; returns 0.
typedef int (*fuzz_callback)(const uint8_t *bytes, size_t count);

/// Whether libFuzzer was linked, which `Tests/Fuzzing/run` does and an ordinary build does not.
int fuzz_has_engine(void);

/// Hands the command line to libFuzzer.
/// - Returns: its exit status; -1 if it was not linked.
int fuzz_run(int *argc, char ***argv, fuzz_callback callback);

/// From now on memory is counted, where a sanitizer's allocator is linked.
/// - Returns: 0 if there is none.
int fuzz_count_memory(void);

/// Gives what was freed back to the system, where the C library's own allocator is in use.
void fuzz_release_memory(void);

/// Makes what is allocated now the ground that the peak is measured from.
void fuzz_begin_peak(void);

/// Bytes that were allocated at once at most since `fuzz_begin_peak`, beyond what was allocated then.
int64_t fuzz_peak(void);

#endif
