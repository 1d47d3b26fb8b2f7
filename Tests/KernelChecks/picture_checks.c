#include "support.h"

#include <math.h>
#include <stdlib.h>

static void check_pool(const kernels *table, kernel_report *report, random_source *random, size_t rows, size_t columns,
                       size_t channels) {
    const size_t stride = columns * channels + random_below(random, 9), count = (rows - 1) * stride + columns * channels;
    float *x = allocate_floats(count), *y = allocate_floats(channels + 1);
    fill_floats(random, x, count, 3);
    for (int takes_largest = 0; takes_largest < 2; takes_largest++) {
        y[channels] = untouched;
        table->pool(x, rows, stride, columns, channels, takes_largest, y);
        for (size_t c = 0; c < channels; c++) {
            double sum = 0, most = -INFINITY;
            for (size_t r = 0; r < rows; r++) {
                for (size_t k = 0; k < columns; k++) {
                    const double value = (double)x[r * stride + k * channels + c];
                    sum += value, most = value > most ? value : most;
                }
            }
            const double mean = sum / (double)(rows * columns);
            expect_close(report, y[c], takes_largest ? most : mean, 0, takes_largest ? 0 : 1e-5, "pool", c);
        }
        expect(report, y[channels] == untouched, "pool wrote past %zu channels", channels);
    }
    free(x), free(y);
}

void check_pooling(const kernels *table, kernel_report *report) {
    random_source random = {.state = 31};
    for (size_t i = 0; i < 60; i++) {
        check_pool(table, report, &random, 1 + random_below(&random, 5), 1 + random_below(&random, 5),
                   1 + random_below(&random, 70));
    }
}

// One tile of one output channel: transforms of the table, products in floats, against the definition in doubles.
static void check_tile(const kernels *table, kernel_report *report, random_source *random, size_t height, size_t width,
                       size_t channels) {
    const size_t rows = height + 2, columns = width + 2, places = rows * columns;
    const size_t stride = channels + random_below(random, 5);
    float *x = allocate_floats(places * channels), *w = allocate_floats(9 * channels);
    float *inputs = allocate_floats(places * stride), *weights = allocate_floats(places * stride);
    float *sums = allocate_floats(places), y[16];
    const float *read[36];
    float *written[16];
    fill_floats(random, x, places * channels, 2);
    fill_floats(random, w, 9 * channels, 1);
    fill_untouched(inputs, places * stride);
    fill_untouched(weights, places * stride);
    fill_untouched(y, 16);
    for (size_t i = 0; i < places; i++) read[i] = x + i * channels;
    // One output that nobody wants.
    for (size_t i = 0; i < height * width; i++) written[i] = i == 1 ? NULL : y + i;
    kernels_winograd_tile tile = {.height = height, .width = width, .channels = channels, .stride = stride};
    table->winograd_input(&tile, read, inputs);
    table->winograd_weight(&tile, w, weights);
    for (size_t i = 0; i < places; i++) {
        sums[i] = 0;
        for (size_t c = 0; c < channels; c++) sums[i] += inputs[i * stride + c] * weights[i * stride + c];
        for (size_t c = channels; c < stride && i + 1 < places; c++) {
            expect(report, inputs[i * stride + c] == untouched, "winograd_input wrote past %zu channels", channels);
            expect(report, weights[i * stride + c] == untouched, "winograd_weight wrote past %zu channels", channels);
        }
    }
    tile.channels = 1, tile.stride = 1;
    table->winograd_output(&tile, sums, written);
    for (size_t i = 0; i < height * width; i++) {
        double expected = 0;
        for (size_t tap = 0; tap < 9; tap++) {
            const size_t place = (i / width + tap / 3) * columns + i % width + tap % 3;
            for (size_t c = 0; c < channels; c++) {
                expected += (double)x[place * channels + c] * (double)w[tap * channels + c];
            }
        }
        if (written[i]) {
            expect_close(report, y[i], expected, 0, 2e-5 * sqrt((double)channels) + 2e-5, "winograd", i);
        } else {
            expect(report, y[i] == untouched, "winograd_output wrote what nobody wanted");
        }
    }
    free(x), free(w), free(inputs), free(weights), free(sums);
}

void check_winograd(const kernels *table, kernel_report *report) {
    random_source random = {.state = 32};
    for (size_t i = 0; i < 200; i++) {
        check_tile(table, report, &random, 2 + 2 * random_below(&random, 2), 2 + 2 * random_below(&random, 2),
                   1 + random_below(&random, 50));
    }
}
