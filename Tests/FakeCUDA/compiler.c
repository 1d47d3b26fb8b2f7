// A compiler (and, with REFUSING, a newer one that knows no device before sm_75) whose programs only say for which architecture they are; the driver has the kernels.
#include "graphs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct program {
    char architecture[64];
};

int nvrtcVersion(int *major, int *minor) {
    *major = 13;
#ifdef REFUSING
    *minor = 1;
#else
    *minor = 0;
#endif
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
#ifdef REFUSING
    if (count && atoi(options[0] + sizeof "--gpu-architecture=sm_" - 1) < 75) return 5;
#endif
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
