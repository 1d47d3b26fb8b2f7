// Our kernels by name.
#ifndef FAKE_KERNELS_H
#define FAKE_KERNELS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// The number of a kernel, or −1.
int find_kernel(const char *name);
// Of the one structure that it is given.
size_t argument_bytes(int kernel);
void launch_kernel(int kernel, const unsigned grid[3], unsigned threads, void *arguments);

#ifdef __cplusplus
}
#endif
#endif
