// Runs every check of every table that this CPU has; for machines where the Swift test suite does not run.
#include "../include/kernel_checks.h"

#include <stdio.h>
#include <stdlib.h>

int main(void) {
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
    printf("in use: %s\n", kernels_current()->name);
    return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
