// A driver and a monitor for machines without a GPU: memory is the host's, kernels are emulated.
//
//   FAKE_CUDA_DEVICES      how many devices there are (1)
//   FAKE_CUDA_CAPABILITY   of the devices, times ten (80); "52,80": the last is that of all further ones
//   FAKE_CUDA_VERSION      of CUDA, times 1000 (13000)
//   FAKE_CUDA_MEMORY       bytes that the devices have (1 GiB); "1000000,2000000": the last is that of all further ones
//   FAKE_CUDA_WRONG        a kernel whose launches do nothing, or cuGraphLaunch; on FAKE_CUDA_WRONG_DEVICE, or on all
//   FAKE_CUDA_FAILING      a call that fails
//   FAKE_CUDA_LOG          a file to which each compilation and each launch of a graph adds a line
#define _GNU_SOURCE
#include "graphs.h"
#include "kernels.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    STUB_LIBRARY = 34,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_IMAGE = 200,
    NO_BINARY = 209,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500
};
enum { MOST_KERNELS = 64 };

static const char image_mark[] = "emulated kernels for --gpu-architecture=";
// Bytes of allocations that share pages, and of those that have pages of their own.
static atomic_size_t shared[MOST_DEVICES], own[MOST_DEVICES], peak[MOST_DEVICES];
// Kernels run one at a time.
static pthread_mutex_t running = PTHREAD_MUTEX_INITIALIZER;
// Of the context that the calling thread has.
static _Thread_local int device;
// How often this thread ran each kernel.
static _Thread_local int launches[MOST_KERNELS];
// What tests in this process set for their own thread in the place of FAKE_CUDA_CAPABILITY and FAKE_CUDA_DEVICES: 0 is
// not set, less than that many devices are none, and −2 is a library that is there to link to, and no driver.
_Thread_local long fake_cuda_capability, fake_cuda_devices;
// And in the place of FAKE_CUDA_WRONG.
_Thread_local const char *fake_cuda_wrong;

int fake_cuda_launches(const char *kernel) {
    const int number = find_kernel(kernel);
    return number < 0 ? -1 : launches[number];
}

// Memory comes in pages of 2 MiB.
enum { PAGE = 2 << 20, FRONT = 256 };

static size_t used(int ordinal) { return own[ordinal] + (shared[ordinal] + PAGE - 1) / PAGE * PAGE; }

// What an allocation takes, and of which kind.
static size_t taken(size_t bytes, atomic_size_t **kind) {
    const int is_large = bytes > PAGE / 2;
    const size_t step = is_large ? PAGE : 512;
    *kind = is_large ? &own[device] : &shared[device];
    return (bytes + step - 1) / step * step;
}

// The most memory that a device had in use since this was last asked.
size_t fake_cuda_peak(int ordinal) { return atomic_exchange(&peak[ordinal], used(ordinal)); }

static size_t setting(const char *name, size_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

// The last number of a list is that of all further devices.
static size_t listed(const char *text, int ordinal) {
    for (const char *comma; ordinal-- > 0 && (comma = strchr(text, ',')); text = comma + 1) {}
    return strtoull(text, NULL, 10);
}

static size_t memory(int ordinal) {
    const char *text = getenv("FAKE_CUDA_MEMORY");
    return text ? listed(text, ordinal) : (size_t)1 << 30;
}

static int devices(void) {
    if (fake_cuda_devices) return fake_cuda_devices > 0 ? (int)fake_cuda_devices : 0;
    return (int)setting("FAKE_CUDA_DEVICES", 1);
}

int current_device(void) { return device; }

static int capability_of(int ordinal) {
    if (fake_cuda_capability) return (int)fake_cuda_capability;
    const char *text = getenv("FAKE_CUDA_CAPABILITY");
    return text ? (int)listed(text, ordinal) : 80;
}

// What this thread has told a stream to bring from the host, which need not be page-locked: it is read as late as the
// driver may, when the stream's next work begins.
static _Thread_local struct {
    void *target;
    const void *source;
    size_t bytes;
} upload;

// Why a call that is given a stream fails; 0 if it does not.
static int refusal(const char *call, void *stream) {
    if (upload.bytes) memcpy(upload.target, upload.source, upload.bytes);
    upload.bytes = 0;
    if (fails(call)) return ILLEGAL_ADDRESS;
    if (!stream) return INVALID_VALUE;
    return stream_device(stream) == device ? 0 : INVALID_HANDLE;
}

// MARK: Driver

int cuInit(unsigned flags) {
    if (fails("cuInit")) return ILLEGAL_ADDRESS;
    if (fake_cuda_devices == -2) return STUB_LIBRARY;
    return flags ? INVALID_VALUE : devices() ? 0 : NO_DEVICE;
}

int cuDriverGetVersion(int *version) {
    *version = (int)setting("FAKE_CUDA_VERSION", 13000);
    return 0;
}

int cuGetErrorName(int result, const char **name) {
    *name = result == OUT_OF_MEMORY         ? "CUDA_ERROR_OUT_OF_MEMORY"
            : result == NO_DEVICE           ? "CUDA_ERROR_NO_DEVICE"
            : result == INVALID_HANDLE      ? "CUDA_ERROR_INVALID_HANDLE"
            : result == INVALID_DEVICE      ? "CUDA_ERROR_INVALID_DEVICE"
            : result == INVALID_IMAGE       ? "CUDA_ERROR_INVALID_IMAGE"
            : result == NOT_FOUND           ? "CUDA_ERROR_NOT_FOUND"
            : result == ILLEGAL_ADDRESS     ? "CUDA_ERROR_ILLEGAL_ADDRESS"
            : result == CAPTURE_UNSUPPORTED ? "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"
            : result == CAPTURE_INVALIDATED ? "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"
                                            : "CUDA_ERROR_INVALID_VALUE";
    return 0;
}

int cuDeviceGetCount(int *count) {
    *count = devices();
    return 0;
}

int cuDeviceGet(int *found, int ordinal) {
    *found = ordinal;
    return ordinal < devices() && ordinal < MOST_DEVICES ? 0 : INVALID_DEVICE;
}

int cuDeviceGetName(char *name, int length, int ordinal) {
    snprintf(name, (size_t)length, "Emulated GPU %d", ordinal);
    return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int ordinal) {
    const int capability = capability_of(ordinal);
    *value = attribute == 75 ? capability / 10 : attribute == 76 ? capability % 10 : 4;
    return 0;
}

int cuDeviceGetPCIBusId(char *id, int length, int ordinal) {
    snprintf(id, (size_t)length, "0000:%02d:00.0", ordinal);
    return 0;
}

int cuDevicePrimaryCtxRetain(void **context, int ordinal) {
    if (fails("cuDevicePrimaryCtxRetain")) return OUT_OF_MEMORY;
    *context = (void *)(intptr_t)(ordinal + 1);
    return 0;
}

int cuDevicePrimaryCtxRelease_v2(int ordinal) { return ordinal < 0 ? INVALID_DEVICE : 0; }

int cuCtxSetCurrent(void *context) {
    if (!context) return INVALID_VALUE;
    device = (int)(intptr_t)context - 1;
    return 0;
}

int cuMemGetInfo_v2(size_t *available, size_t *total) {
    *total = memory(device);
    *available = *total > used(device) ? *total - used(device) : 0;
    return 0;
}

int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
    const int refused = refuse_while_recording(NULL);
    if (refused) return refused;
    if (fails("cuMemAlloc")) return ILLEGAL_ADDRESS;
    atomic_size_t *kind;
    const size_t size = taken(bytes, &kind);
    *kind += size;
    // The number of bytes stands in front.
    char *start = used(device) > memory(device) ? NULL : aligned_alloc(256, FRONT + (bytes + 255) / 256 * 256);
    if (!start) {
        *kind -= size;
        return OUT_OF_MEMORY;
    }
    *(size_t *)start = bytes;
    char *pointer = start + FRONT;
    // Whoever reads before writing gets what is not a number.
    memset(pointer, 0xff, bytes);
    if (used(device) > peak[device]) peak[device] = used(device);
    *address = (uintptr_t)pointer;
    return 0;
}

int cuMemFree_v2(uint64_t address) {
    const int refused = refuse_while_recording(NULL);
    if (refused) return refused;
    char *start = (char *)(uintptr_t)address - FRONT;
    const size_t bytes = *(size_t *)start;
    forget_memory(address, bytes);
    atomic_size_t *kind;
    const size_t size = taken(bytes, &kind);
    *kind -= size;
    free(start);
    return 0;
}

int cuMemcpyHtoDAsync_v2(uint64_t address, const void *source, size_t bytes, void *stream) {
    const int refused = refusal("cuMemcpyHtoDAsync", stream);
    if (refused) return refused;
    if (refuse_while_recording(stream)) return CAPTURE_UNSUPPORTED;
    upload.target = (void *)(uintptr_t)address;
    upload.source = source;
    upload.bytes = bytes;
    return 0;
}

int cuMemcpyDtoHAsync_v2(void *target, uint64_t address, size_t bytes, void *stream) {
    const int refused = refusal("cuMemcpyDtoHAsync", stream);
    if (refused) return refused;
    if (refuse_while_recording(stream)) return CAPTURE_UNSUPPORTED;
    memcpy(target, (const void *)(uintptr_t)address, bytes);
    return 0;
}

int cuStreamSynchronize(void *stream) {
    const int refused = refusal("cuStreamSynchronize", stream);
    return refused ? refused : refuse_while_recording(stream);
}

int cuModuleLoadData(void **module, const void *image) {
    if (fails("cuModuleLoadData")) return OUT_OF_MEMORY;
    *module = (void *)image_mark;
    if (memcmp(image, image_mark, sizeof image_mark - 1)) return INVALID_IMAGE;
    // Machine code is for devices of its generation, PTX for all newer ones.
    const char *architecture = (const char *)image + sizeof image_mark - 1, *number = strchr(architecture, '_');
    const int is_text = !strncmp(architecture, "compute", 7);
    const int own = capability_of(device), made = number ? atoi(number + 1) : 0;
    return made && made <= own && (is_text || made / 10 == own / 10) ? 0 : NO_BINARY;
}

int cuModuleUnload(void *module) { return module == image_mark ? 0 : INVALID_VALUE; }

int cuModuleGetFunction(void **function, void *module, const char *name) {
    *function = (void *)(intptr_t)(find_kernel(name) + 1);
    return module == image_mark && *function ? 0 : NOT_FOUND;
}

int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned block_y,
                   unsigned block_z, unsigned shared_bytes, void *stream, void **parameters, void **extra) {
    const int kernel = (int)(intptr_t)function - 1;
    const int refused = refusal("cuLaunchKernel", stream);
    if (refused) return refused;
    if (!x || !y || !z || y > 65535 || z > 65535 || threads != 256 || block_y * block_z != 1 || shared_bytes || extra) {
        return INVALID_VALUE;
    }
    int result;
    const unsigned grid[] = {x, y, z};
    if (records_launch(stream, kernel, grid, threads, parameters[0], &result)) return result;
    run_kernel(kernel, grid, threads, parameters[0]);
    return 0;
}

static const char *wrong_call(void) {
    const char *wrong = fake_cuda_wrong ? fake_cuda_wrong : getenv("FAKE_CUDA_WRONG");
    return wrong && (int)setting("FAKE_CUDA_WRONG_DEVICE", (size_t)device) == device ? wrong : NULL;
}

int does_nothing(const char *call) {
    const char *wrong = wrong_call();
    return wrong && !strcmp(wrong, call);
}

void run_kernel(int kernel, const unsigned grid[3], unsigned threads, void *arguments) {
    const char *wrong = wrong_call();
    if (wrong && find_kernel(wrong) == kernel) return;
    launches[kernel]++;
    pthread_mutex_lock(&running);
    launch_kernel(kernel, grid, threads, arguments);
    pthread_mutex_unlock(&running);
}

void log_line(const char *line) {
    const char *log = getenv("FAKE_CUDA_LOG");
    FILE *file = log ? fopen(log, "a") : NULL;
    if (file) fclose((fputs(line, file), file));
}

// MARK: Monitor

int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }

// A device's handle is its number, and one more.
int nvmlDeviceGetHandleByPciBusId_v2(const char *id, void **found) {
    const int ordinal = strncmp(id, "0000:", 5) ? MOST_DEVICES : atoi(id + 5);
    *found = ordinal < MOST_DEVICES ? (void *)(intptr_t)(ordinal + 1) : NULL;
    return *found ? 0 : 1;
}

int nvmlDeviceGetMemoryInfo(void *handle, unsigned long long *totalAvailableUsed) {
    const int ordinal = (int)(intptr_t)handle - 1;
    totalAvailableUsed[0] = memory(ordinal);
    totalAvailableUsed[1] = memory(ordinal) - used(ordinal);
    totalAvailableUsed[2] = used(ordinal);
    return 0;
}

int nvmlDeviceGetUtilizationRates(void *handle, unsigned *percents) {
    percents[0] = 50;
    percents[1] = 25;
    return handle && !fails("nvmlDeviceGetUtilizationRates") ? 0 : 1;
}

int nvmlDeviceGetPowerUsage(void *handle, unsigned *milliwatts) {
    *milliwatts = 100000;
    return handle && !fails("nvmlDeviceGetPowerUsage") ? 0 : 1;
}
