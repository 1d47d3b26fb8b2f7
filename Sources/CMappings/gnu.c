// What the system offers only to C that asks for GNU's extensions.
#define _GNU_SOURCE

#include "cmappings.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

int cmappings_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

static char *library;

const char *cmappings_library(void) { return library; }

/// While the folder is still the one that a relative name (LD_LIBRARY_PATH=lib) is relative to.
__attribute__((constructor)) static void keep_library(void) {
    Dl_info info;
    if (!dladdr((void *)cmappings_library, &info) || !info.dli_fname) return;
    // A program's own name is as it was called; the kernel knows where that was found.
    const char *name = strchr(info.dli_fname, '/') ? info.dli_fname : (const char *)getauxval(AT_EXECFN);
    if (name) library = realpath(name, NULL);
}

static int argument_count;
static char **arguments;

/// GNU's C library hands them to whatever runs before main.
__attribute__((constructor)) static void keep_arguments(int count, char **values) {
    argument_count = count;
    arguments = values;
}

int cmappings_argument_count(void) { return argument_count; }

const char *cmappings_argument(int index) { return index >= 0 && index < argument_count ? arguments[index] : NULL; }
