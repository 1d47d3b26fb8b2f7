// A compiler (and, with REFUSING, a newer one that knows no device before sm_75) whose programs only say for which
// architecture they are; the driver has the kernels.
#include "graphs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct program {
    char architecture[64];
};

#ifdef REFUSING
static const int known[] = {75, 80, 86, 89, 90, 100, 120};
#else
static const int known[] = {61, 70, 75, 80, 86, 89, 90, 100, 120};
#endif
// What tests in this process set for their own thread: the newest architecture that the compiler knows; 0 for all.
_Thread_local long fake_nvrtc_newest;

int nvrtcGetNumSupportedArchs(int *count) {
    *count = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!fake_nvrtc_newest || known[i] <= fake_nvrtc_newest) ++*count;
    }
    return 0;
}

int nvrtcGetSupportedArchs(int *architectures) {
    int count;
    nvrtcGetNumSupportedArchs(&count);
    memcpy(architectures, known, (size_t)count * sizeof known[0]);
    return 0;
}

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
    const char *number = count ? strchr(options[0], '_') : NULL;
    int is_known = 0, known_count;
    nvrtcGetNumSupportedArchs(&known_count);
    for (int i = 0; i < known_count; i++) is_known |= number && atoi(number + 1) == known[i];
    if (!is_known) return 5;
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

// A program in machine code is one for sm_…, and one in PTX for compute_….
static int is_text(const struct program *program) { return strstr(program->architecture, "compute_") != NULL; }

static int program_size(const struct program *program, size_t *size) {
    *size = sizeof "emulated kernels for " + strlen(program->architecture);
    return 0;
}

static int program_text(const struct program *program, char *text) {
    sprintf(text, "emulated kernels for %s", program->architecture);
    return 0;
}

int nvrtcGetCUBINSize(void *program, size_t *size) { return is_text(program) ? 1 : program_size(program, size); }
int nvrtcGetCUBIN(void *program, char *binary) { return is_text(program) ? 1 : program_text(program, binary); }
int nvrtcGetPTXSize(void *program, size_t *size) { return program_size(program, size); }
int nvrtcGetPTX(void *program, char *text) { return program_text(program, text); }
