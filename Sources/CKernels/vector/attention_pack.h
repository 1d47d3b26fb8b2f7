// Keys and values as attention reads them.
#ifndef AUDIOLDM2_VECTOR_ATTENTION_PACK_H
#define AUDIOLDM2_VECTOR_ATTENTION_PACK_H

INLINE void column_means(const float *x, size_t stride, const kernels_context *c, float *means) {
    for (size_t i = 0; i < c->width; i += LANES) {
        const size_t count = c->width - i < LANES ? c->width - i : LANES;
        vfloat sum = 0;
        for (size_t j = 0; j < c->keys; j++) sum += load_up_to(x + j * stride + i, count);
        const vfloat mean = sum / (float)c->keys;
        memcpy(means + i, &mean, count * sizeof *means);
    }
    for (size_t i = c->width; i % 4 > 0; i++) means[i] = 0;
}

INLINE void pack_key(const float *key, size_t j, const kernels_context *c) {
    const size_t padded_width = (c->width + 3) / 4 * 4;
    vfloat maxima = 0;
    for (size_t i = 0; i < c->width; i += LANES) {
        const vfloat difference = load_up_to(key + i, c->width - i) - load_up_to(c->key_means + i, c->width - i);
        maxima = larger(magnitude(difference), maxima);
    }
    const float scale = largest(maxima) / 127, inverse_scale = scale > 0 ? 1 / scale : 0;
    vint sums = 0;
    for (size_t i = 0; i < c->width; i += LANES) {
        const vfloat difference = load_up_to(key + i, c->width - i) - load_up_to(c->key_means + i, c->width - i);
        const vint rounded = rounded_bytes(difference, (vfloat)inverse_scale);
        const vbyte bytes = __builtin_convertvector(rounded, vbyte);
        sums += rounded;
        const size_t left = padded_width - i;
        memcpy(c->key_bytes + j * padded_width + i, &bytes, left < LANES ? left : LANES);
    }
    c->key_scales[j] = scale;
    c->key_sums[j] = __builtin_reduce_add(sums);
}

INLINE void pack_keys(const float *k, size_t stride, const float *mask, const kernels_context *c) {
    const size_t padded_width = (c->width + 3) / 4 * 4;
    for (size_t j = 0; j < c->keys; j++) {
        pack_key(k + j * stride, j, c);
        const float offset = mask ? mask[j] * INVERSE_LN_2 : 0;
        c->key_offsets[j] = offset > LEAST_OFFSET ? offset : LEAST_OFFSET;
    }
    for (size_t j = c->keys; j % 4 > 0; j++) {
        memset(c->key_bytes + j * padded_width, 0, padded_width);
        c->key_scales[j] = 0;
        c->key_sums[j] = 0;
        c->key_offsets[j] = NO_KEY;
    }
}

// LANES channels from i on.
INLINE void pack_channels(const float *v, size_t stride, size_t i, const kernels_context *c) {
    const size_t padded_width = (c->width + 3) / 4 * 4, count = padded_width - i < LANES ? padded_width - i : LANES;
    const vfloat mean = load_up_to(c->value_means + i, c->width - i);
    vfloat maxima = 0;
    for (size_t j = 0; j < c->keys; j++) {
        maxima = larger(magnitude(load_up_to(v + j * stride + i, c->width - i) - mean), maxima);
    }
    const vfloat scale = maxima / 127.0f, inverse_scale = select(scale > 0, 1 / scale, (vfloat)0);
    memcpy(c->value_scales + i, &scale, count * sizeof(float));
    vint sums = 0;
    for (size_t j = 0; j < c->keys; j += 4) {
        vint bytes[4];
#pragma clang loop unroll(full)
        for (size_t k = 0; k < 4; k++) {
            bytes[k] = 0;
            if (j + k >= c->keys) continue;
            const vfloat difference = load_up_to(v + (j + k) * stride + i, c->width - i) - mean;
            bytes[k] = rounded_bytes(difference, inverse_scale);
        }
        sums += (bytes[0] + bytes[1]) + (bytes[2] + bytes[3]);
        const vint word = joined_bytes(bytes);
        memcpy(c->value_bytes + j * padded_width + i * 4, &word, count * 4);
        if ((j + 4) % KERNELS_KEY_BLOCK == 0 || j + 4 >= c->keys) {
            memcpy(c->value_sums + j / KERNELS_KEY_BLOCK * padded_width + i, &sums, count * sizeof(int32_t));
            sums = 0;
        }
    }
}

static void pack_context(const float *k, size_t k_stride, const float *v, size_t v_stride, const float *mask,
                         const kernels_context *c) {
    column_means(k, k_stride, c, c->key_means);
    column_means(v, v_stride, c, c->value_means);
    pack_keys(k, k_stride, mask, c);
    for (size_t i = 0; i < c->width; i += LANES) pack_channels(v, v_stride, i, c);
}

#endif
