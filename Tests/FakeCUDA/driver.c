// A driver, a compiler and a monitor for machines without a GPU: memory is the host's, kernels are emulated.
//
//   FAKE_CUDA_DEVICES      how many devices there are (1)
//   FAKE_CUDA_CAPABILITY   of the devices, times ten (80)
//   FAKE_CUDA_MEMORY       bytes that a device has (1 GiB)
//   FAKE_CUDA_WRONG        a kernel whose launches do nothing
//   FAKE_CUDA_FAILING      a call of those about graphs that fails
//   FAKE_CUDA_LOG          a file to which each compilation and each launch of a graph adds a line
#define _GNU_SOURCE
#include "graphs.h"
#include "kernels.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, INVALID_IMAGE = 200, NOT_FOUND = 500 };

static const char image_mark[] = "emulated kernels for --gpu-architecture=sm_";
static atomic_size_t used;
// Kernels run one at a time.
static pthread_mutex_t running = PTHREAD_MUTEX_INITIALIZER;

static size_t setting(const char *name, size_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static size_t memory(void) { return setting("FAKE_CUDA_MEMORY", (size_t)1 << 30); }

// MARK: Driver

int cuInit(unsigned flags) { return flags ? INVALID_VALUE : 0; }

int cuDriverGetVersion(int *version) {
    *version = 13000;
    return 0;
}

int cuGetErrorName(int result, const char **name) {
    *name = result == OUT_OF_MEMORY    ? "CUDA_ERROR_OUT_OF_MEMORY"
            : result == INVALID_DEVICE ? "CUDA_ERROR_INVALID_DEVICE"
            : result == INVALID_IMAGE  ? "CUDA_ERROR_INVALID_IMAGE"
            : result == NOT_FOUND      ? "CUDA_ERROR_NOT_FOUND"
            : result == ILLEGAL_ADDRESS     ? "CUDA_ERROR_ILLEGAL_ADDRESS"
            : result == CAPTURE_UNSUPPORTED ? "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"
            : result == CAPTURE_INVALIDATED ? "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"
                                            : "CUDA_ERROR_INVALID_VALUE";
    return 0;
}

int cuDeviceGetCount(int *count) {
    *count = (int)setting("FAKE_CUDA_DEVICES", 1);
    return 0;
}

int cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return ordinal < (int)setting("FAKE_CUDA_DEVICES", 1) ? 0 : INVALID_DEVICE;
}

int cuDeviceGetName(char *name, int length, int device) {
    snprintf(name, (size_t)length, "Emulated GPU %d", device);
    return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
    (void)device;
    const int capability = (int)setting("FAKE_CUDA_CAPABILITY", 80);
    *value = attribute == 75 ? capability / 10 : attribute == 76 ? capability % 10 : 4;
    return 0;
}

int cuDeviceGetPCIBusId(char *id, int length, int device) {
    snprintf(id, (size_t)length, "0000:%02d:00.0", device);
    return 0;
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
    *context = (void *)(intptr_t)(device + 1);
    return 0;
}

int cuDevicePrimaryCtxRelease_v2(int device) { return device < 0 ? INVALID_DEVICE : 0; }

int cuCtxSetCurrent(void *context) { return context ? 0 : INVALID_VALUE; }

int cuMemGetInfo_v2(size_t *available, size_t *total) {
    *total = memory();
    *available = *total - used;
    return 0;
}

int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
    const int refused = refuse_while_recording(NULL);
    if (refused) return refused;
    if (bytes > memory() - used) return OUT_OF_MEMORY;
    void *pointer = aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (!pointer) return OUT_OF_MEMORY;
    // Whoever reads before writing gets what is not a number.
    memset(pointer, 0xff, bytes);
    used += malloc_usable_size(pointer);
    *address = (uintptr_t)pointer;
    return 0;
}

int cuMemFree_v2(uint64_t address) {
    const int refused = refuse_while_recording(NULL);
    if (refused) return refused;
    forget_memory(address, malloc_usable_size((void *)(uintptr_t)address));
    used -= malloc_usable_size((void *)(uintptr_t)address);
    free((void *)(uintptr_t)address);
    return 0;
}

int cuMemcpyHtoDAsync_v2(uint64_t address, const void *source, size_t bytes, void *stream) {
    if (!stream || refuse_while_recording(stream)) return stream ? CAPTURE_UNSUPPORTED : INVALID_VALUE;
    memcpy((void *)(uintptr_t)address, source, bytes);
    return 0;
}

int cuMemcpyDtoHAsync_v2(void *target, uint64_t address, size_t bytes, void *stream) {
    if (!stream || refuse_while_recording(stream)) return stream ? CAPTURE_UNSUPPORTED : INVALID_VALUE;
    memcpy(target, (const void *)(uintptr_t)address, bytes);
    return 0;
}

int cuStreamSynchronize(void *stream) { return stream ? refuse_while_recording(stream) : INVALID_VALUE; }

int cuModuleLoadData(void **module, const void *image) {
    *module = (void *)image_mark;
    return memcmp(image, image_mark, sizeof image_mark - 1) ? INVALID_IMAGE : 0;
}

int cuModuleUnload(void *module) { return module == image_mark ? 0 : INVALID_VALUE; }

int cuModuleGetFunction(void **function, void *module, const char *name) {
    *function = (void *)(intptr_t)(find_kernel(name) + 1);
    return module == image_mark && *function ? 0 : NOT_FOUND;
}

int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned block_y,
                   unsigned block_z, unsigned shared_bytes, void *stream, void **parameters, void **extra) {
    const int kernel = (int)(intptr_t)function - 1;
    if (!x || !y || !z || y > 65535 || z > 65535 || threads != 256 || block_y * block_z != 1 || shared_bytes ||
        !stream || extra) {
        return INVALID_VALUE;
    }
    int result;
    const unsigned grid[] = {x, y, z};
    if (records_launch(stream, kernel, grid, threads, parameters[0], &result)) return result;
    run_kernel(kernel, grid, threads, parameters[0]);
    return 0;
}

void run_kernel(int kernel, const unsigned grid[3], unsigned threads, void *arguments) {
    const char *wrong = getenv("FAKE_CUDA_WRONG");
    if (wrong && find_kernel(wrong) == kernel) return;
    pthread_mutex_lock(&running);
    launch_kernel(kernel, grid, threads, arguments);
    pthread_mutex_unlock(&running);
}

void log_line(const char *line) {
    const char *log = getenv("FAKE_CUDA_LOG");
    FILE *file = log ? fopen(log, "a") : NULL;
    if (file) fclose((fputs(line, file), file));
}

// MARK: Compiler

struct program {
    char architecture[64];
};

int nvrtcVersion(int *major, int *minor) {
    *major = 13;
    *minor = 0;
    return 0;
}

const char *nvrtcGetErrorString(int result) { return result ? "NVRTC_ERROR_COMPILATION" : "NVRTC_SUCCESS"; }

int nvrtcCreateProgram(void **program, const char *source, const char *name, int count, const char *const *headers,
                       const char *const *names) {
    (void)name, (void)headers, (void)names;
    *program = calloc(1, sizeof(struct program));
    return !*program || count || !strstr(source, "product_float32") ? 1 : 0;
}

int nvrtcDestroyProgram(void **program) {
    free(*program);
    return 0;
}

int nvrtcCompileProgram(void *program, int count, const char *const *options) {
    log_line("compiled\n");
    snprintf(((struct program *)program)->architecture, 64, "%s", count ? options[0] : "");
    return 0;
}

int nvrtcGetProgramLogSize(void *program, size_t *size) {
    *size = program ? 1 : 0;
    return 0;
}

int nvrtcGetProgramLog(void *program, char *log) {
    *log = 0;
    return program ? 0 : 1;
}

int nvrtcGetCUBINSize(void *program, size_t *size) {
    *size = sizeof "emulated kernels for " + strlen(((struct program *)program)->architecture);
    return 0;
}

int nvrtcGetCUBIN(void *program, char *binary) {
    sprintf(binary, "emulated kernels for %s", ((struct program *)program)->architecture);
    return 0;
}

// MARK: Monitor

int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }

int nvmlDeviceGetHandleByPciBusId_v2(const char *id, void **device) {
    *device = (void *)image_mark;
    return strncmp(id, "0000:", 5) ? 1 : 0;
}

int nvmlDeviceGetMemoryInfo(void *device, unsigned long long *totalAvailableUsed) {
    totalAvailableUsed[0] = memory();
    totalAvailableUsed[1] = memory() - used;
    totalAvailableUsed[2] = used;
    return device ? 0 : 1;
}

int nvmlDeviceGetUtilizationRates(void *device, unsigned *percents) {
    percents[0] = 50;
    percents[1] = 25;
    return device ? 0 : 1;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) {
    *milliwatts = 100000;
    return device ? 0 : 1;
}
