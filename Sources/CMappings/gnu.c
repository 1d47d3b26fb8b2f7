// What the system offers only to C that asks for GNU's extensions.
#define _GNU_SOURCE

#include "cmappings.h"

#include <dlfcn.h>
#include <sys/mman.h>

int cmappings_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

const char *cmappings_library(void) {
    Dl_info info;
    return dladdr((void *)cmappings_library, &info) ? info.dli_fname : NULL;
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
