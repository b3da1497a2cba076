// libyuv for Swift, and the one loop that it has not in a vector form: rows made shorter or longer by any ratio (Sources/Video/RowScaler.swift).
#pragma once
#include <libyuv.h>
#include <stdint.h>

/// One block of eight pixels: each from a pair among the 16 bytes at `source`, by weights in 64ths.
static inline void nc_scale_block(const uint8_t *source, uint8_t *target, const uint8_t *shuffle, const int8_t *weights) {
    for (int i = 0; i < 8; i++)
        target[i] = (uint8_t)((source[shuffle[2 * i]] * weights[2 * i] + source[shuffle[2 * i + 1]] * weights[2 * i + 1] + 32) >> 6);
}

#if defined(__x86_64__)
#include <tmmintrin.h>
__attribute__((target("ssse3"))) static inline void nc_scale_rows_ssse3(
    const uint8_t *source, int source_stride, uint8_t *target, int target_stride, int rows, int blocks, const int32_t *sources,
    const int32_t *targets, const uint8_t *shuffles, const int8_t *weights) {
    const __m128i half = _mm_set1_epi16(32);
    for (int row = 0; row < rows; row++, source += source_stride, target += target_stride) {
        for (int block = 0; block < blocks; block++) {
            __m128i pixels = _mm_loadu_si128((const __m128i *)(source + sources[block]));
            __m128i pairs = _mm_shuffle_epi8(pixels, _mm_loadu_si128((const __m128i *)(shuffles + 16 * block)));
            __m128i sums = _mm_maddubs_epi16(pairs, _mm_loadu_si128((const __m128i *)(weights + 16 * block)));
            __m128i done = _mm_srli_epi16(_mm_add_epi16(sums, half), 6);
            _mm_storel_epi64((__m128i *)(target + targets[block]), _mm_packus_epi16(done, done));
        }
    }
}
#endif

/// Rows of `blocks` blocks: `sources` and `targets` say where each begins, `shuffles` and `weights` have 16 entries for each.
static inline void nc_scale_rows(
    const uint8_t *source, int source_stride, uint8_t *target, int target_stride, int rows, int blocks, const int32_t *sources,
    const int32_t *targets, const uint8_t *shuffles, const int8_t *weights) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("ssse3")) {
        nc_scale_rows_ssse3(source, source_stride, target, target_stride, rows, blocks, sources, targets, shuffles, weights);
        return;
    }
#endif
    for (int row = 0; row < rows; row++, source += source_stride, target += target_stride)
        for (int block = 0; block < blocks; block++)
            nc_scale_block(source + sources[block], target + targets[block], shuffles + 16 * block, weights + 16 * block);
}
