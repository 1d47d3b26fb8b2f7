// What we use of NVIDIA's driver, its compiler and its management library, found at run time: our own declarations after
// their documented interfaces, so that nothing of CUDA is needed to build, and nothing of it to run on a CPU.
#ifndef AUDIOLDM2_CCUDA_H
#define AUDIOLDM2_CCUDA_H

#include <stddef.h>
#include <stdint.h>

#include "arguments.h"

#ifdef __clang__
#pragma clang assume_nonnull begin
#else
#define _Nullable
#define _Nonnull
#endif

// CUresult; 0 is success.
typedef int cuda_result;
// CUdevice and CUdeviceptr.
typedef int cuda_device;
typedef uint64_t cuda_address;
// CUcontext, CUstream, CUmodule, CUfunction, CUgraph, CUgraphExec.
typedef void *_Nullable cuda_handle;

enum {
    CUDA_SUCCESS_RESULT = 0,
    CUDA_OUT_OF_MEMORY_RESULT = 2,
    CUDA_STUB_LIBRARY_RESULT = 34,
    CUDA_NO_DEVICE_RESULT = 100,
    // CUstreamCaptureMode: of what other threads do, nothing disturbs, and nothing is recorded.
    CUDA_CAPTURE_THREAD_LOCAL = 1,
    // CUdevice_attribute
    CUDA_MULTIPROCESSOR_COUNT = 16,
    CUDA_CAPABILITY_MAJOR = 75,
    CUDA_CAPABILITY_MINOR = 76,
};

// libcuda.so.1: https://docs.nvidia.com/cuda/cuda-driver-api/
typedef struct cuda_driver {
    cuda_result (*init)(unsigned flags);
    cuda_result (*driver_version)(int *version);
    cuda_result (*error_name)(cuda_result, const char *_Nullable *_Nonnull name);
    cuda_result (*device_count)(int *count);
    cuda_result (*device_get)(cuda_device *device, int ordinal);
    cuda_result (*device_name)(char *name, int length, cuda_device);
    cuda_result (*device_attribute)(int *value, int attribute, cuda_device);
    cuda_result (*device_bus_id)(char *id, int length, cuda_device);
    cuda_result (*context_retain)(cuda_handle *_Nonnull context, cuda_device);
    cuda_result (*context_release)(cuda_device);
    cuda_result (*context_set)(cuda_handle context);
    cuda_result (*memory_info)(size_t *available, size_t *total);
    cuda_result (*allocate)(cuda_address *address, size_t bytes);
    cuda_result (*release)(cuda_address);
    cuda_result (*copy_in)(cuda_address, const void *source, size_t bytes, cuda_handle stream);
    cuda_result (*copy_out)(void *target, cuda_address, size_t bytes, cuda_handle stream);
    cuda_result (*stream_create)(cuda_handle *_Nonnull stream, unsigned flags);
    cuda_result (*stream_destroy)(cuda_handle stream);
    cuda_result (*stream_synchronize)(cuda_handle stream);
    cuda_result (*module_load)(cuda_handle *_Nonnull module, const void *image);
    cuda_result (*module_unload)(cuda_handle module);
    cuda_result (*module_function)(cuda_handle *_Nonnull function, cuda_handle module, const char *name);
    cuda_result (*launch)(cuda_handle function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                          unsigned block_y, unsigned block_z, unsigned shared_bytes, cuda_handle stream,
                          void *_Nullable *_Nullable parameters, void *_Nullable *_Nullable extra);
} cuda_driver;

// The driver's graphs: what a stream is told, recorded once and launched as a whole. Since CUDA 11.4.
typedef struct cuda_graphs {
    cuda_result (*begin)(cuda_handle stream, int mode);
    cuda_result (*end)(cuda_handle stream, cuda_handle *_Nonnull graph);
    cuda_result (*instantiate)(cuda_handle *_Nonnull executable, cuda_handle graph, unsigned long long flags);
    cuda_result (*launch)(cuda_handle executable, cuda_handle stream);
    cuda_result (*destroy_executable)(cuda_handle executable);
    cuda_result (*destroy)(cuda_handle graph);
} cuda_graphs;

// libnvrtc, since CUDA 11.2: https://docs.nvidia.com/cuda/nvrtc/
typedef struct cuda_compiler {
    int (*version)(int *major, int *minor);
    const char *_Nonnull (*_Nonnull error_string)(int result);
    int (*create)(cuda_handle *_Nonnull program, const char *source, const char *name, int header_count,
                  const char *_Nullable const *_Nullable headers, const char *_Nullable const *_Nullable include_names);
    int (*destroy)(cuda_handle *_Nonnull program);
    int (*compile)(cuda_handle program, int option_count, const char *_Nullable const *_Nullable options);
    int (*log_size)(cuda_handle program, size_t *size);
    int (*log)(cuda_handle program, char *log);
    // 80 for sm_80.
    int (*architecture_count)(int *count);
    int (*architectures)(int *architectures);
    int (*binary_size)(cuda_handle program, size_t *size);
    int (*binary)(cuda_handle program, char *binary);
    // PTX, and the zero behind it.
    int (*text_size)(cuda_handle program, size_t *size);
    int (*text)(cuda_handle program, char *text);
} cuda_compiler;

typedef struct cuda_memory_use {
    unsigned long long total, available, used;
} cuda_memory_use;

typedef struct cuda_utilization {
    unsigned device, memory; // percent
} cuda_utilization;

// libnvidia-ml.so.1: https://docs.nvidia.com/deploy/nvml-api/
typedef struct cuda_monitor {
    int (*init)(void);
    int (*shutdown)(void);
    int (*device)(const char *bus_id, cuda_handle *_Nonnull device);
    int (*memory)(cuda_handle device, cuda_memory_use *memory);
    int (*utilization)(cuda_handle device, cuda_utilization *utilization);
    int (*power)(cuda_handle device, unsigned *milliwatts);
} cuda_monitor;

// Each opens the library at `path`, or by its name, and returns a table of its functions; library and table stay. On
// failure returns NULL, and in `missing` the function that the library lacks, or NULL if there is no library.
const cuda_driver *_Nullable cuda_load_driver(const char *path, const char *_Nullable *_Nonnull missing);
const cuda_graphs *_Nullable cuda_load_graphs(const char *path, const char *_Nullable *_Nonnull missing);
const cuda_compiler *_Nullable cuda_load_compiler(const char *path, const char *_Nullable *_Nonnull missing);
const cuda_monitor *_Nullable cuda_load_monitor(const char *path, const char *_Nullable *_Nonnull missing);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif
#endif
