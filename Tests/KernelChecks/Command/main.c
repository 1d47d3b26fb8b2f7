// Runs every check of every table that this CPU has; for machines where the Swift test suite does not run. An argument
// names the table that must be in use.
#include "../include/kernel_checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments) {
    size_t failures = 0;
    for (kernels_tier tier = KERNELS_SCALAR; tier <= KERNELS_NEON_I8MM; tier++) {
        const kernels *table = kernels_for_tier(tier);
        if (!table) continue;
        for (size_t i = 0; i < kernel_check_count; i++) {
            kernel_report report = {0};
            const kernel_check *check = kernel_check_at(i);
            check->run(table, &report);
            printf("%-11s %-18s %9zu comparisons, %zu failures%s%s\n", table->name, check->name,
                   report.comparisons, report.failures, report.failures ? ": " : "", report.first_failure);
            failures += report.failures;
        }
    }
    const char *in_use = kernels_current()->name;
    printf("in use: %s\n", in_use);
    if (count > 1 && strcmp(arguments[1], in_use) != 0) {
        printf("expected in use: %s\n", arguments[1]);
        failures++;
    }
    return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
