#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum fill { RANDOM, SATURATING } fill;

typedef struct product_case {
    size_t rows, taps, inputs, first, last;
    fill fill;
    bool scaled, bias, sample_bias, residual, row_ranges, in_place;
    kernels_activation activation;
} product_case;

// Everything that a product reads, in memory of exactly the promised sizes.
typedef struct operands {
    uint8_t *bytes;
    const uint8_t **a;
    int8_t *tiles;
    int32_t *sums;
    kernels_range *ranges;
    float *scales, *bias, *sample_bias, *residual;
    size_t y_stride;
} operands;

static size_t rounded_up(size_t n) { return (n + 15) / 16 * 16; }

static void fill_weights(random_source *random, const product_case *c, operands *o) {
    const size_t padded = rounded_up(c->last), depth = c->taps * c->inputs;
    o->tiles = allocate(padded * depth);
    o->sums = allocate(padded * sizeof *o->sums);
    memset(o->tiles, 0, padded * depth);
    memset(o->sums, 0, padded * sizeof *o->sums);
    for (size_t n = 0; n < c->last; n++) {
        for (size_t k = 0; k < depth; k++) {
            const int weight = c->fill == SATURATING ? (random_below(random, 8) ? 127 : -127)
                                                     : (int)random_below(random, 255) - 127;
            const size_t tap = k / c->inputs, i = k % c->inputs;
            o->tiles[((n / 16 * c->taps + tap) * c->inputs / 4 + i / 4) * 64 + n % 16 * 4 + i % 4] = (int8_t)weight;
            o->sums[n] += weight;
        }
    }
}

static void fill_rows(random_source *random, const product_case *c, operands *o) {
    // Rows begin at any byte, overlap, and one in eight is padding.
    const size_t size = c->inputs * 4;
    o->bytes = allocate(size + c->inputs);
    for (size_t i = 0; i < size; i++) {
        const uint8_t byte = (uint8_t)random_bits(random);
        o->bytes[i] = c->fill == RANDOM ? byte : byte & 1 ? 255 : 0;
    }
    memset(o->bytes + size, random_below(random, 2) ? 128 : 3, c->inputs);
    o->a = allocate(c->taps * c->rows * sizeof *o->a);
    for (size_t i = 0; i < c->taps * c->rows; i++) {
        o->a[i] = o->bytes + (random_below(random, 8) ? random_below(random, size - c->inputs + 1) : size);
    }
}

static operands make_operands(random_source *random, const product_case *c) {
    operands o = {.y_stride = c->last + random_below(random, 3)};
    fill_weights(random, c, &o);
    fill_rows(random, c, &o);
    const size_t padded = rounded_up(c->last), ranges = c->row_ranges ? c->rows : 1;
    o.scales = allocate_floats(padded);
    o.ranges = allocate(ranges * sizeof *o.ranges);
    o.bias = allocate_floats(c->last);
    o.sample_bias = allocate_floats(c->last);
    o.residual = allocate_floats((c->rows - 1) * o.y_stride + c->last);
    // Scaled sums are of the order of one.
    const float scale = 1e-4f / sqrtf((float)(c->taps * c->inputs));
    for (size_t n = 0; n < padded; n++) o.scales[n] = c->scaled ? scale * (1.5f + random_float(random, 1)) : 1;
    const int32_t zeros[] = {0, 128, 255, (int32_t)random_below(random, 256)};
    for (size_t m = 0; m < ranges; m++) {
        o.ranges[m].scale = c->scaled ? 1.5f + random_float(random, 1) : 1;
        o.ranges[m].zero = zeros[random_below(random, 4)];
    }
    fill_floats(random, o.bias, c->last, 1);
    fill_floats(random, o.sample_bias, c->last, 1);
    fill_floats(random, o.residual, (c->rows - 1) * o.y_stride + c->last, 1);
    return o;
}

static void free_operands(operands *o) {
    void *const buffers[] = {o->bytes,  o->a,    o->tiles,       o->sums,    o->ranges,
                             o->scales, o->bias, o->sample_bias, o->residual};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) free(buffers[i]);
}

static float *result(const kernels *table, const product_case *c, const operands *o) {
    const size_t count = (c->rows - 1) * o->y_stride + c->last;
    float *y = allocate_floats(count);
    fill_untouched(y, count);
    if (c->in_place) memcpy(y, o->residual, count * sizeof *y);
    const kernels_product product = {
        .rows = c->rows,
        .taps = c->taps,
        .inputs = c->inputs,
        .first_output = c->first,
        .last_output = c->last,
        .a = o->a,
        .tiles = o->tiles,
        .scales = o->scales,
        .sums = o->sums,
        .ranges = o->ranges,
        .range_stride = c->row_ranges ? 1 : 0,
        .bias = c->bias ? o->bias : NULL,
        .sample_bias = c->sample_bias ? o->sample_bias : NULL,
        .residual = c->in_place ? y : c->residual ? o->residual : NULL,
        .residual_stride = o->y_stride,
        .activation = c->activation,
        .slope = 0.1f,
        .y = y,
        .y_stride = o->y_stride,
    };
    table->product_u8s8(&product);
    return y;
}

static void check_case(const kernels *table, kernel_report *report, random_source *random, product_case c) {
    operands o = make_operands(random, &c);
    float *found = result(table, &c, &o), *expected = result(kernels_for_tier(KERNELS_SCALAR), &c, &o);
    char what[160];
    snprintf(what, sizeof what, "rows %zu, taps %zu, inputs %zu, outputs %zu..<%zu, %s%s%s%s%s%s", c.rows, c.taps,
             c.inputs, c.first, c.last, activation_name(c.activation), c.bias ? ", bias" : "",
             c.sample_bias ? ", sample bias" : "", c.residual ? ", residual" : "", c.in_place ? ", in place" : "",
             c.row_ranges ? ", row ranges" : "");
    for (size_t i = 0; i < (c.rows - 1) * o.y_stride + c.last; i++) {
        const size_t n = i % o.y_stride;
        const bool exact = !c.scaled || n < c.first || n >= c.last;
        expect_close(report, found[i], expected[i], 0, exact ? 0 : 4e-6 + 4e-6 * fabs(expected[i]), what, i);
    }
    free(found);
    free(expected);
    free_operands(&o);
}

static product_case random_shape(random_source *random, size_t rows) {
    const size_t last = 1 + random_below(random, 70);
    return (product_case){
        .rows = rows,
        .taps = 1 + random_below(random, 9),
        .inputs = 4 * (1 + random_below(random, 12)),
        .first = 16 * random_below(random, (last + 15) / 16),
        .last = last,
    };
}

// Sums must be equal to the last bit.
void check_product(const kernels *table, kernel_report *report) {
    random_source random = {1};
    for (size_t rows = 1; rows <= 30; rows++) {
        for (int i = 0; i < 8; i++) {
            product_case c = random_shape(&random, rows);
            c.fill = i % 2 ? SATURATING : RANDOM;
            c.row_ranges = i % 4 > 1;
            check_case(table, report, &random, c);
        }
    }
    const size_t outputs[] = {1, 15, 16, 17, 31, 32, 33, 48, 64, 70};
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        for (size_t inputs = 4; inputs <= 68; inputs += 16) {
            const product_case c = {.rows = 13, .taps = 2, .inputs = inputs, .last = outputs[i], .fill = SATURATING};
            check_case(table, report, &random, c);
        }
    }
    // As deep as the models go.
    check_case(table, report, &random,
               (product_case){.rows = 7, .taps = 9, .inputs = 1280, .last = 33, .fill = SATURATING});
}

void check_product_epilogues(const kernels *table, kernel_report *report) {
    random_source random = {2};
    for (kernels_activation activation = KERNELS_NONE; activation <= KERNELS_TANH; activation++) {
        for (unsigned options = 0; options < 32; options++) {
            for (int i = 0; i < 3; i++) {
                product_case c = random_shape(&random, 1 + random_below(&random, 30));
                c.activation = activation;
                c.scaled = true;
                c.bias = options & 1;
                c.sample_bias = options & 2;
                c.row_ranges = options & 4;
                c.residual = options & 8;
                c.in_place = options & 16;
                check_case(table, report, &random, c);
            }
        }
    }
}
