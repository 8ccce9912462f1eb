// What the files of AVX-512 kernels share.
#ifndef CTORCH_AVX512_HPP
#define CTORCH_AVX512_HPP

#if defined(__x86_64__)

#include "DecodeKernels.hpp"

#include <immintrin.h>

#define CTORCH_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,f16c,fma")))
// With products of float16 too.
#define CTORCH_HALVES \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,avx512fp16,f16c,fma")))
#define CTORCH_INLINE CTORCH_AVX512 inline __attribute__((always_inline))

namespace ctorch::avx512 {

CTORCH_INLINE __m512 halves(const uint16_t *from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from)));
}

// The first `count` of 16 lanes, or of 32.
CTORCH_INLINE __mmask16 first16(int64_t count) {
    return static_cast<__mmask16>(count >= 16 ? 0xFFFF : count <= 0 ? 0 : (1u << count) - 1);
}
CTORCH_INLINE __mmask32 first32(int64_t count) {
    return static_cast<__mmask32>(count >= 32 ? ~0u : count <= 0 ? 0 : (1u << count) - 1);
}

CTORCH_INLINE __m512bh line(const uint16_t *from) { return reinterpret_cast<__m512bh>(_mm512_loadu_si512(from)); }
CTORCH_INLINE __m512bh line(const uint16_t *from, __mmask32 mask) {
    return reinterpret_cast<__m512bh>(_mm512_maskz_loadu_epi16(mask, from));
}

// 16 numbers of bfloat16 as float32.
CTORCH_INLINE __m512 widened(const uint16_t *from, __mmask16 mask) {
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

CTORCH_INLINE void storeNarrow(uint16_t *to, __mmask16 mask, __m512 values) {
    _mm256_mask_storeu_epi16(to, mask, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(values)));
}

void fillRow(ProductRows &rows, int64_t row, int64_t from, int64_t to, const float *x);
void fillRowWithHalves(ProductRows &rows, int64_t row, int64_t from, int64_t to, const float *x);
void norm(const NormWeights &norm, const float *x, int64_t width, float *out);
void turn(const float *x, const float *cosine, const float *sine, int64_t size, uint16_t *out);
void attend(const Attended &what);
void gate(Curve curve, const float *gate, const float *up, int64_t count, float *out);
float logSum(const float *x, int64_t count);
void product(
    const PackedWeight &weight, const ProductRows &x, int64_t rowFrom, int64_t rowTo, int64_t from, int64_t to,
    const float *bias, float *out, int64_t stride, bool adds);
void productInHalves(
    const PackedWeight &weight, const ProductRows &x, int64_t rowFrom, int64_t rowTo, int64_t from, int64_t to,
    const float *bias, float *out, int64_t stride, bool adds);

} // namespace ctorch::avx512

#endif

#endif
