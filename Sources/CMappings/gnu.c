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
