// The kernels for x86-64 with AVX-512, VNNI (dot products of bytes) and bfloat16 dot products: the table of them, the product with
// an unpacked bfloat16 matrix, and unpacking.
#include "AVX512.hpp"

#if defined(__x86_64__)

#include <algorithm>

namespace ctorch {

using namespace avx512;

namespace {

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
    if (weight.bits == 16) {
        // 16 pairs of inputs of a row at a time.
        const auto *pairs = reinterpret_cast<const int32_t *>(weight.block(block));
        const __m512i steps = _mm512_mullo_epi32(
            _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi32(blockRows));
        for (int64_t row = 0; row < rows; row++) {
            for (int64_t i = 0; i < weight.inputs; i += 32) {
                __m512i both = _mm512_i32gather_epi32(steps, pairs + i / 2 * blockRows + row, 4);
                for (int part = 0; part < 2; part++) {
                    __m256i sixteen = part == 0 ? _mm512_castsi512_si256(both) : _mm512_extracti64x4_epi64(both, 1);
                    storeNarrow(
                        out + row * weight.inputs + i + 16 * part, first16(weight.inputs - i - 16 * part),
                        _mm512_cvtph_ps(sixteen));
                }
            }
        }
        return;
    }
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
    static const DecodeKernels table{
        avx512::fillRow, avx512::product, bfloat16Product, unpackBFloat16, avx512::norm, avx512::turn, avx512::attend, avx512::gate,
        avx512::logSum, "avx512"};
    return supported ? &table : nullptr;
}

const DecodeKernels *avx512HalfKernels() {
    static const bool supported = avx512Kernels() && __builtin_cpu_supports("avx512fp16");
    static const DecodeKernels table{
        avx512::fillRowWithHalves, avx512::productInHalves, bfloat16Product, unpackBFloat16, avx512::norm, avx512::turn,
        avx512::attend, avx512::gate, avx512::logSum, "avx512-float16"};
    return supported ? &table : nullptr;
}

} // namespace ctorch

#else

namespace ctorch {
const DecodeKernels *avx512Kernels() { return nullptr; }
const DecodeKernels *avx512HalfKernels() { return nullptr; }
} // namespace ctorch

#endif
