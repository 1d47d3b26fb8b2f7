// Checks of one table of kernels: against scalar C where numbers must be equal, against doubles elsewhere.
//
// Plain C, so that the same checks run in the Swift test suite and, cross-compiled, under an emulator.
#ifndef KERNEL_CHECKS_H
#define KERNEL_CHECKS_H

#include "kernels.h"

typedef struct kernel_report {
    size_t comparisons;
    size_t failures;
    char first_failure[240];
} kernel_report;

typedef struct kernel_check {
    const char *name;
    void (*run)(const kernels *table, kernel_report *report);
} kernel_check;

extern const size_t kernel_check_count;
const kernel_check *kernel_check_at(size_t index);

#endif
