// The kernels for x86-64 with AVX-512, VNNI (dot products of bytes) and bfloat16 dot products.
//
// No prefetch is asked for: each thread reads one stream from first to last, which the hardware follows by itself; asking ahead was
// measured to be a fifth slower.
#include "DecodeKernels.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>

#define CTORCH_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,f16c,fma")))
#define CTORCH_INLINE CTORCH_AVX512 inline __attribute__((always_inline))

namespace ctorch {

namespace {

CTORCH_INLINE __m512 halves(const uint16_t *from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from)));
}

CTORCH_INLINE __m512i quad(const int8_t *x) {
    int32_t four;
    __builtin_memcpy(&four, x, 4);
    return _mm512_set1_epi32(four);
}

// One block of 16 outputs with `rows` rows of activations: weights are read once, the sums of every row stay in registers.
template <int bits, int rows>
CTORCH_AVX512 void blockProduct(
    const PackedWeight &weight, const QuantisedRows &x, int64_t firstRow, int64_t block, const float *bias, float *out) {
    const uint8_t *codes = weight.block(block);
    const uint16_t *scales = weight.scale(block);
    const uint16_t *offsets = weight.offset(block);
    const __m512i low = _mm512_set1_epi8(15);
    __m512 totals[rows];
    for (int row = 0; row < rows; row++) { totals[row] = _mm512_setzero_ps(); }
    for (int64_t group = 0; group < weight.groups; group++) {
        const int8_t *values[rows];
        // Two chains per row hide the latency of the dot product.
        __m512i even[rows], odd[rows];
        for (int row = 0; row < rows; row++) {
            values[row] = x.codes.data() + ((firstRow + row) * x.groups + group) * groupSize;
            even[row] = _mm512_setzero_si512();
            odd[row] = _mm512_setzero_si512();
        }
        for (int pair = 0; pair < groupSize / 8; pair++) {
            __m512i first, second;
            if constexpr (bits == 8) {
                first = _mm512_load_si512(codes);
                second = _mm512_load_si512(codes + 64);
                codes += 128;
            } else {
                __m512i both = _mm512_load_si512(codes);
                first = _mm512_and_si512(both, low);
                second = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
                codes += 64;
            }
            for (int row = 0; row < rows; row++) {
                even[row] = _mm512_dpbusd_epi32(even[row], first, quad(values[row] + pair * 8));
                odd[row] = _mm512_dpbusd_epi32(odd[row], second, quad(values[row] + pair * 8 + 4));
            }
        }
        __m512 factor = halves(scales);
        __m512 offset;
        if constexpr (bits == 8) {
            offset = _mm512_mul_ps(factor, _mm512_set1_ps(-128));
        } else {
            offset = halves(offsets);
            offsets += blockRows;
        }
        scales += blockRows;
        for (int row = 0; row < rows; row++) {
            int64_t at = (firstRow + row) * x.groups + group;
            __m512 sum = _mm512_cvtepi32_ps(_mm512_add_epi32(even[row], odd[row]));
            totals[row] = _mm512_fmadd_ps(_mm512_mul_ps(factor, _mm512_set1_ps(x.scales[at])), sum, totals[row]);
            totals[row] = _mm512_fmadd_ps(offset, _mm512_set1_ps(x.sums[at]), totals[row]);
        }
    }
    int64_t outputs = std::min(blockRows, weight.outputs - block * blockRows);
    auto mask = static_cast<__mmask16>((1u << outputs) - 1);
    for (int row = 0; row < rows; row++) {
        __m512 total = totals[row];
        if (bias) { total = _mm512_add_ps(total, _mm512_maskz_loadu_ps(mask, bias + block * blockRows)); }
        _mm512_mask_storeu_ps(out + (firstRow + row) * weight.outputs + block * blockRows, mask, total);
    }
}

template <int bits>
CTORCH_AVX512 void blocks(
    const PackedWeight &weight, const QuantisedRows &x, int64_t from, int64_t to, const float *bias, float *out) {
    for (int64_t block = from; block < to; block++) {
        int64_t row = 0;
        for (; row + 4 <= x.rows; row += 4) { blockProduct<bits, 4>(weight, x, row, block, bias, out); }
        switch (x.rows - row) {
        case 3: blockProduct<bits, 3>(weight, x, row, block, bias, out); break;
        case 2: blockProduct<bits, 2>(weight, x, row, block, bias, out); break;
        case 1: blockProduct<bits, 1>(weight, x, row, block, bias, out); break;
        default: break;
        }
    }
}

void packedProduct(
    const PackedWeight &weight, const QuantisedRows &x, int64_t from, int64_t to, const float *bias, float *out) {
    if (weight.bits == 8) {
        blocks<8>(weight, x, from, to, bias, out);
    } else {
        blocks<4>(weight, x, from, to, bias, out);
    }
}

CTORCH_INLINE __m512bh line(const uint16_t *from) {
    return reinterpret_cast<__m512bh>(_mm512_loadu_si512(from));
}
CTORCH_INLINE __m512bh line(const uint16_t *from, __mmask32 mask) {
    return reinterpret_cast<__m512bh>(_mm512_maskz_loadu_epi16(mask, from));
}

// One output with `rows` rows of activations. Outputs are taken one after the other, so that the weights are one stream from
// first to last, which is what the hardware's prefetch is best at; several sums per row hide the latency of the dot product.
template <int rows>
CTORCH_AVX512 void outputsOf(
    const uint16_t *weight, const uint16_t *x, int64_t inputs, int64_t width, int64_t from, int64_t to, const float *bias,
    uint16_t *out) {
    constexpr int chains = rows == 1 ? 4 : rows <= 4 ? 2 : 1;
    for (int64_t output = from; output < to; output++) {
        const uint16_t *w = weight + output * inputs;
        __m512 sums[chains][rows];
        for (int chain = 0; chain < chains; chain++) {
            for (int row = 0; row < rows; row++) { sums[chain][row] = _mm512_setzero_ps(); }
        }
        int64_t i = 0;
        for (; i + 32 * chains <= inputs; i += 32 * chains) {
            for (int chain = 0; chain < chains; chain++) {
                __m512bh value = line(w + i + 32 * chain);
                for (int row = 0; row < rows; row++) {
                    sums[chain][row] =
                        _mm512_dpbf16_ps(sums[chain][row], value, line(x + row * inputs + i + 32 * chain));
                }
            }
        }
        for (; i < inputs; i += 32) {
            auto mask = static_cast<__mmask32>(inputs - i >= 32 ? ~uint64_t(0) : (uint64_t(1) << (inputs - i)) - 1);
            __m512bh value = line(w + i, mask);
            for (int row = 0; row < rows; row++) {
                sums[0][row] = _mm512_dpbf16_ps(sums[0][row], value, line(x + row * inputs + i, mask));
            }
        }
        for (int row = 0; row < rows; row++) {
            __m512 total = sums[0][row];
            for (int chain = 1; chain < chains; chain++) { total = _mm512_add_ps(total, sums[chain][row]); }
            float sum = _mm512_reduce_add_ps(total) + (bias ? bias[output] : 0);
            __m128bh narrow = _mm_cvtneps_pbh(_mm_set_ss(sum));
            out[row * width + output] = static_cast<uint16_t>(_mm_extract_epi16(reinterpret_cast<__m128i>(narrow), 0));
        }
    }
}

void bfloat16Product(
    const uint16_t *weight, const uint16_t *x, int64_t rows, int64_t inputs, int64_t outputs, int64_t from, int64_t to,
    const float *bias, uint16_t *out) {
    switch (rows) {
    case 1: return outputsOf<1>(weight, x, inputs, outputs, from, to, bias, out);
    case 2: return outputsOf<2>(weight, x, inputs, outputs, from, to, bias, out);
    case 3: return outputsOf<3>(weight, x, inputs, outputs, from, to, bias, out);
    case 4: return outputsOf<4>(weight, x, inputs, outputs, from, to, bias, out);
    case 5: return outputsOf<5>(weight, x, inputs, outputs, from, to, bias, out);
    case 6: return outputsOf<6>(weight, x, inputs, outputs, from, to, bias, out);
    case 7: return outputsOf<7>(weight, x, inputs, outputs, from, to, bias, out);
    default: return outputsOf<8>(weight, x, inputs, outputs, from, to, bias, out);
    }
}

// Each quad gives 4 inputs of 16 outputs; they are put in place a row at a time through a small buffer of the group.
CTORCH_AVX512 void unpackBFloat16(const PackedWeight &weight, int64_t block, int64_t rows, uint16_t *out) {
    const uint8_t *codes = weight.block(block);
    const __m512i low = _mm512_set1_epi8(15);
    alignas(64) uint8_t quads[groupSize / 4][64];
    // Row r's four bytes of each quad are lane r: gathered as 16 lanes, one per quad.
    const __m512i lanes =
        _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi32(16));
    for (int64_t group = 0; group < weight.groups; group++) {
        const uint8_t *source = codes;
        if (weight.bits == 4) {
            for (int pair = 0; pair < groupSize / 8; pair++) {
                __m512i both = _mm512_load_si512(codes + pair * 64);
                _mm512_store_si512(quads[pair * 2], _mm512_and_si512(both, low));
                _mm512_store_si512(quads[pair * 2 + 1], _mm512_and_si512(_mm512_srli_epi16(both, 4), low));
            }
            source = quads[0];
            codes += 512;
        } else {
            codes += 1024;
        }
        int64_t count = std::min(groupSize, weight.inputs - group * groupSize);
        alignas(64) float scales[blockRows], offsets[blockRows];
        __m512 factor = halves(weight.scale(block) + group * blockRows);
        _mm512_store_ps(scales, factor);
        _mm512_store_ps(
            offsets, weight.bits == 8 ? _mm512_mul_ps(factor, _mm512_set1_ps(-128))
                                      : halves(weight.offset(block) + group * blockRows));
        for (int64_t row = 0; row < rows; row++) {
            alignas(64) uint8_t bytes[groupSize];
            _mm512_store_si512(bytes, _mm512_i32gather_epi32(lanes, source + row * 4, 4));
            __m512 scale = _mm512_set1_ps(scales[row]), offset = _mm512_set1_ps(offsets[row]);
            uint16_t *target = out + row * weight.inputs + group * groupSize;
            for (int64_t i = 0; i < count; i += 16) {
                __m512 wide = _mm512_cvtepi32_ps(
                    _mm512_cvtepu8_epi32(_mm_load_si128(reinterpret_cast<const __m128i *>(bytes + i))));
                auto narrow = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_fmadd_ps(wide, scale, offset)));
                auto mask = static_cast<__mmask16>(count - i >= 16 ? 0xFFFF : (1u << (count - i)) - 1);
                _mm256_mask_storeu_epi16(target + i, mask, narrow);
            }
        }
    }
}

} // namespace

const DecodeKernels *avx512Kernels() {
    static const bool supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                                  __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
    static const DecodeKernels table{packedProduct, bfloat16Product, unpackBFloat16, "avx512"};
    return supported ? &table : nullptr;
}

} // namespace ctorch

#else

namespace ctorch {
const DecodeKernels *avx512Kernels() { return nullptr; }
} // namespace ctorch

#endif
