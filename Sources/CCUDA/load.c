#define _GNU_SOURCE
#include "ccuda.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// A function of a library and its place in a table of pointers.
struct entry {
    const char *symbol;
    size_t offset;
};

#define COUNT(entries) (sizeof(entries) / sizeof(entries)[0])

static void *load(const char *path, const struct entry *entries, size_t count, size_t size, const char **missing) {
    *missing = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return NULL;
    char *table = calloc(1, size);
    for (size_t i = 0; table && i < count; i++) {
        void *function = dlsym(library, entries[i].symbol);
        *missing = entries[i].symbol;
        if (!function) {
            free(table);
            table = NULL;
        } else {
            memcpy(table + entries[i].offset, &function, sizeof function);
        }
    }
    if (!table) dlclose(library);
    return table;
}

#define DRIVER(symbol, member) {symbol, offsetof(cuda_driver, member)}

const cuda_driver *cuda_load_driver(const char *path, const char **missing) {
    // The names that the documented functions have in the library since CUDA 4.
    static const struct entry entries[] = {
        DRIVER("cuInit", init),
        DRIVER("cuDriverGetVersion", driver_version),
        DRIVER("cuGetErrorName", error_name),
        DRIVER("cuDeviceGetCount", device_count),
        DRIVER("cuDeviceGet", device_get),
        DRIVER("cuDeviceGetName", device_name),
        DRIVER("cuDeviceGetAttribute", device_attribute),
        DRIVER("cuDeviceGetPCIBusId", device_bus_id),
        DRIVER("cuDevicePrimaryCtxRetain", context_retain),
        DRIVER("cuDevicePrimaryCtxRelease_v2", context_release),
        DRIVER("cuCtxSetCurrent", context_set),
        DRIVER("cuMemGetInfo_v2", memory_info),
        DRIVER("cuMemAlloc_v2", allocate),
        DRIVER("cuMemFree_v2", release),
        DRIVER("cuMemcpyHtoDAsync_v2", copy_in),
        DRIVER("cuMemcpyDtoHAsync_v2", copy_out),
        DRIVER("cuStreamCreate", stream_create),
        DRIVER("cuStreamDestroy_v2", stream_destroy),
        DRIVER("cuStreamSynchronize", stream_synchronize),
        DRIVER("cuModuleLoadData", module_load),
        DRIVER("cuModuleUnload", module_unload),
        DRIVER("cuModuleGetFunction", module_function),
        DRIVER("cuLaunchKernel", launch),
    };
    return load(path, entries, COUNT(entries), sizeof(cuda_driver), missing);
}

#define GRAPHS(symbol, member) {symbol, offsetof(cuda_graphs, member)}

const cuda_graphs *cuda_load_graphs(const char *path, const char **missing) {
    static const struct entry entries[] = {
        GRAPHS("cuStreamBeginCapture_v2", begin),
        GRAPHS("cuStreamEndCapture", end),
        GRAPHS("cuGraphInstantiateWithFlags", instantiate),
        GRAPHS("cuGraphLaunch", launch),
        GRAPHS("cuGraphExecDestroy", destroy_executable),
        GRAPHS("cuGraphDestroy", destroy),
    };
    return load(path, entries, COUNT(entries), sizeof(cuda_graphs), missing);
}

#define COMPILER(symbol, member) {symbol, offsetof(cuda_compiler, member)}

const cuda_compiler *cuda_load_compiler(const char *path, const char **missing) {
    static const struct entry entries[] = {
        COMPILER("nvrtcVersion", version),
        COMPILER("nvrtcGetErrorString", error_string),
        COMPILER("nvrtcCreateProgram", create),
        COMPILER("nvrtcDestroyProgram", destroy),
        COMPILER("nvrtcCompileProgram", compile),
        COMPILER("nvrtcGetProgramLogSize", log_size),
        COMPILER("nvrtcGetProgramLog", log),
        COMPILER("nvrtcGetNumSupportedArchs", architecture_count),
        COMPILER("nvrtcGetSupportedArchs", architectures),
        COMPILER("nvrtcGetCUBINSize", binary_size),
        COMPILER("nvrtcGetCUBIN", binary),
        COMPILER("nvrtcGetPTXSize", text_size),
        COMPILER("nvrtcGetPTX", text),
    };
    return load(path, entries, COUNT(entries), sizeof(cuda_compiler), missing);
}

#define MONITOR(symbol, member) {symbol, offsetof(cuda_monitor, member)}

const cuda_monitor *cuda_load_monitor(const char *path, const char **missing) {
    static const struct entry entries[] = {
        MONITOR("nvmlInit_v2", init),
        MONITOR("nvmlShutdown", shutdown),
        MONITOR("nvmlDeviceGetHandleByPciBusId_v2", device),
        MONITOR("nvmlDeviceGetMemoryInfo", memory),
        MONITOR("nvmlDeviceGetUtilizationRates", utilization),
        MONITOR("nvmlDeviceGetPowerUsage", power),
    };
    return load(path, entries, COUNT(entries), sizeof(cuda_monitor), missing);
}
