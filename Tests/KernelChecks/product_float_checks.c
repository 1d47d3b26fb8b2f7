#include "support.h"

#include <math.h>
#include <stdlib.h>

static void check_size(const kernels *table, kernel_report *report, random_source *random, size_t rows, size_t outputs,
                       size_t inputs) {
    float *a = allocate_floats(rows * inputs), *b = allocate_floats(outputs * inputs);
    float *y = allocate_floats(rows * outputs);
    fill_floats(random, a, rows * inputs, 2);
    fill_floats(random, b, outputs * inputs, 2);
    fill_untouched(y, rows * outputs);
    const kernels_float_product product = {.rows = rows, .outputs = outputs, .inputs = inputs, .a = a,
                                           .a_stride = inputs, .b = b, .b_stride = inputs, .y = y,
                                           .y_stride = outputs};
    table->product_f32(&product);
    for (size_t m = 0; m < rows; m++) {
        for (size_t n = 0; n < outputs; n++) {
            double sum = 0;
            for (size_t k = 0; k < inputs; k++) {
                sum += (double)a[m * inputs + k] * b[n * inputs + k];
            }
            expect_close(report, y[m * outputs + n], sum, 1e-5, 1e-6 * (double)(inputs + 1), "float product", n);
        }
    }
    // One row alone gives the same bits.
    float *single = allocate_floats(outputs);
    kernels_float_product last = product;
    last.rows = 1;
    last.a = a + (rows - 1) * inputs;
    last.y = single;
    table->product_f32(&last);
    for (size_t n = 0; n < outputs; n++) {
        expect(report, single[n] == y[(rows - 1) * outputs + n], "float product: a row of %zu differs alone", rows);
    }
    free(a), free(b), free(y), free(single);
}

static void check_tiles(const kernels *table, kernel_report *report, random_source *random, size_t rows, size_t outputs,
                        size_t inputs) {
    const size_t padded = (outputs + 15) / 16 * 16, padded_inputs = (inputs + 3) / 4 * 4;
    float *x = allocate_floats(rows * inputs), *scales = allocate_floats(outputs);
    float *y = allocate_floats(rows * outputs + 1), *single = allocate_floats(outputs);
    int8_t *tiles = allocate(padded * padded_inputs);
    fill_floats(random, x, rows * inputs, 2);
    fill_floats(random, scales, outputs, 0.01f);
    for (size_t i = 0; i < padded * padded_inputs; i++) tiles[i] = (int8_t)(random_below(random, 255) - 127);
    fill_untouched(y, rows * outputs + 1);
    kernels_tile_product product = {.rows = rows, .outputs = outputs, .inputs = inputs, .padded_inputs = padded_inputs,
                                    .x = x, .x_stride = inputs, .tiles = tiles, .scales = scales, .y = y,
                                    .y_stride = outputs};
    table->product_tiles(&product);
    for (size_t m = 0; m < rows; m++) {
        for (size_t n = 0; n < outputs; n++) {
            double sum = 0;
            for (size_t i = 0; i < inputs; i++) {
                sum += (double)x[m * inputs + i] * tiles[(n / 16 * padded_inputs / 4 + i / 4) * 64 + n % 16 * 4 + i % 4];
            }
            expect_close(report, y[m * outputs + n], scales[n] * sum, 1e-5, 1e-6 * (double)(inputs + 1), "tiles", n);
        }
    }
    expect(report, y[rows * outputs] == untouched, "product_tiles wrote past %zu elements", rows * outputs);
    product.rows = 1;
    product.x = x + (rows - 1) * inputs;
    product.y = single;
    table->product_tiles(&product);
    for (size_t n = 0; n < outputs; n++) {
        expect(report, single[n] == y[(rows - 1) * outputs + n], "product_tiles: a row of %zu differs alone", rows);
    }
    free(x), free(scales), free(y), free(single), free(tiles);
}

void check_float_products(const kernels *table, kernel_report *report) {
    random_source random = {11};
    const size_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33, 66};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    for (size_t i = 0; i < 300; i++) {
        const size_t rows = sizes[random_below(&random, COUNT)], outputs = sizes[random_below(&random, COUNT)];
        check_size(table, report, &random, rows, outputs, sizes[random_below(&random, COUNT)]);
        check_tiles(table, report, &random, rows, outputs, sizes[random_below(&random, COUNT)]);
    }
}
