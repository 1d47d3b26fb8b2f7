// Streams that record, and what they recorded.
#ifndef FAKE_GRAPHS_H
#define FAKE_GRAPHS_H

#include <stddef.h>
#include <stdint.h>

enum { MOST_DEVICES = 8 };
enum { CAPTURE_UNSUPPORTED = 900, CAPTURE_INVALIDATED = 901, ILLEGAL_ADDRESS = 700 };

// A call that the driver does not record: 0 if nothing is recorded on `stream`, NULL standing for any stream of this
// thread; otherwise the error, after which the recording is of no use.
int refuse_while_recording(void *stream);
// Whether a launch was recorded, or refused with `*result`, rather than to be made now.
int records_launch(void *stream, int kernel, const unsigned grid[3], unsigned threads, const void *arguments,
                   int *result);
// Memory is gone: graphs that point into it are broken.
void forget_memory(uint64_t address, size_t bytes);
// The device of the context that the calling thread has, and the one that a stream was made for.
int current_device(void);
int stream_device(void *stream);
// Whether a call is to fail: fake_cuda_failing names it.
int fails(const char *call);
// Whether what is called so does nothing on this device: FAKE_CUDA_WRONG names it.
int does_nothing(const char *call);
// Adds a line to FAKE_CUDA_LOG.
void log_line(const char *line);
// Runs a kernel now.
void run_kernel(int kernel, const unsigned grid[3], unsigned threads, void *arguments);

#endif
