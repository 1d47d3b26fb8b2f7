// XXH64 as its specification describes it: four lanes over stripes of 32 bytes, then the remainder, then an avalanche.
#include "include/kernels.h"

#include <string.h>

static const uint64_t prime1 = 0x9E3779B185EBCA87u;
static const uint64_t prime2 = 0xC2B2AE3D27D4EB4Fu;
static const uint64_t prime3 = 0x165667B19E3779F9u;
static const uint64_t prime4 = 0x85EBCA77C2B2AE63u;
static const uint64_t prime5 = 0x27D4EB2F165667C5u;

static uint64_t rotate_left(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

static uint64_t read_u64(const uint8_t *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

static uint32_t read_u32(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    return value;
}

static uint64_t lane_round(uint64_t accumulator, uint64_t lane) {
    return rotate_left(accumulator + lane * prime2, 31) * prime1;
}

static uint64_t merge_lane(uint64_t hash, uint64_t accumulator) {
    return (hash ^ lane_round(0, accumulator)) * prime1 + prime4;
}

static uint64_t hash_stripes(const uint8_t **bytes, size_t *remaining, uint64_t seed) {
    uint64_t lanes[4] = {seed + prime1 + prime2, seed + prime2, seed, seed - prime1};
    const uint8_t *stripe = *bytes;
    for (; *remaining >= 32; *remaining -= 32, stripe += 32) {
        for (int i = 0; i < 4; i++) lanes[i] = lane_round(lanes[i], read_u64(stripe + 8 * i));
    }
    *bytes = stripe;
    uint64_t hash = rotate_left(lanes[0], 1) + rotate_left(lanes[1], 7) + rotate_left(lanes[2], 12) +
                    rotate_left(lanes[3], 18);
    for (int i = 0; i < 4; i++) hash = merge_lane(hash, lanes[i]);
    return hash;
}

static uint64_t hash_remainder(uint64_t hash, const uint8_t *bytes, size_t remaining) {
    for (; remaining >= 8; remaining -= 8, bytes += 8) {
        hash = rotate_left(hash ^ lane_round(0, read_u64(bytes)), 27) * prime1 + prime4;
    }
    if (remaining >= 4) {
        hash = rotate_left(hash ^ read_u32(bytes) * prime1, 23) * prime2 + prime3;
        remaining -= 4;
        bytes += 4;
    }
    for (; remaining > 0; remaining--, bytes++) hash = rotate_left(hash ^ *bytes * prime5, 11) * prime1;
    return hash;
}

uint64_t kernels_xxh64(const void *data, size_t length, uint64_t seed) {
    const uint8_t *bytes = data;
    size_t remaining = length;
    uint64_t hash = length >= 32 ? hash_stripes(&bytes, &remaining, seed) : seed + prime5;
    hash = hash_remainder(hash + length, bytes, remaining);
    hash = (hash ^ hash >> 33) * prime2;
    hash = (hash ^ hash >> 29) * prime3;
    return hash ^ hash >> 32;
}
