// The kernels in plain C++: loops that a compiler turns into AVX2 (where the processor has it) or NEON.
#include "DecodeKernels.hpp"

#include <c10/util/Half.h>

#include <cstring>

#if defined(__x86_64__)
// One copy for AVX2 and one for every x86-64; the loader picks.
#define CTORCH_CLONES __attribute__((target_clones("avx2,fma", "default")))
#define CTORCH_INLINE inline __attribute__((always_inline))
#else
#define CTORCH_CLONES
#define CTORCH_INLINE inline __attribute__((always_inline))
#endif

namespace ctorch {

namespace {

CTORCH_INLINE float widened(uint16_t bits) {
    uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &wide, sizeof value);
    return value;
}

// Rounds to nearest, ties to even. Written out, because a clone for another processor cannot call libtorch's inline one.
CTORCH_INLINE uint16_t narrowed(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    if (value != value) { return 0x7FC0; }
    return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

float half(uint16_t bits) { return static_cast<float>(c10::Half(bits, c10::Half::from_bits())); }

// Sums over a group for the 16 outputs of a block: `sums[output] += Σ code · x`.
CTORCH_INLINE void groupProduct(const uint8_t *codes, const int8_t *x, int bits, int32_t *sums) {
    for (int quad = 0; quad < groupSize / 4; quad++) {
        const uint8_t *from = codes + (bits == 8 ? quad : quad / 2) * 64;
        int shift = quad % 2 * 4;
        for (int output = 0; output < blockRows; output++) {
            int32_t sum = 0;
            for (int i = 0; i < 4; i++) {
                int32_t code = bits == 8 ? from[output * 4 + i] : (from[output * 4 + i] >> shift) & 15;
                sum += code * x[quad * 4 + i];
            }
            sums[output] += sum;
        }
    }
}

void packedProduct(
    const PackedWeight &weight, const QuantisedRows &x, int64_t from, int64_t to, const float *bias, float *out) {
    int64_t groupBytes = blockRows * groupSize * weight.bits / 8;
    for (int64_t block = from; block < to; block++) {
        int64_t outputs = std::min(blockRows, weight.outputs - block * blockRows);
        for (int64_t row = 0; row < x.rows; row++) {
            float totals[blockRows] = {};
            for (int64_t group = 0; group < weight.groups; group++) {
                int32_t sums[blockRows] = {};
                groupProduct(
                    weight.block(block) + group * groupBytes, x.codes.data() + (row * x.groups + group) * groupSize,
                    weight.bits, sums);
                float scale = x.scales[row * x.groups + group], sum = x.sums[row * x.groups + group];
                const uint16_t *scales = weight.scale(block) + group * blockRows;
                for (int output = 0; output < blockRows; output++) {
                    float factor = half(scales[output]);
                    float offset = weight.bits == 8 ? -128 * factor : half(weight.offset(block)[group * blockRows + output]);
                    totals[output] += factor * scale * static_cast<float>(sums[output]) + offset * sum;
                }
            }
            float *target = out + row * weight.outputs + block * blockRows;
            for (int64_t output = 0; output < outputs; output++) {
                target[output] = totals[output] + (bias ? bias[block * blockRows + output] : 0);
            }
        }
    }
}

CTORCH_CLONES void bfloat16Product(
    const uint16_t *weight, const uint16_t *x, int64_t rows, int64_t inputs, int64_t outputs, int64_t from, int64_t to,
    const float *bias, uint16_t *out) {
    for (int64_t output = from; output < to; output++) {
        const uint16_t *w = weight + output * inputs;
        for (int64_t row = 0; row < rows; row++) {
            const uint16_t *v = x + row * inputs;
            float parts[16] = {};
            int64_t i = 0;
            for (; i + 16 <= inputs; i += 16) {
                for (int lane = 0; lane < 16; lane++) { parts[lane] += widened(w[i + lane]) * widened(v[i + lane]); }
            }
            float sum = bias ? bias[output] : 0;
            for (int lane = 0; lane < 16; lane++) { sum += parts[lane]; }
            for (; i < inputs; i++) { sum += widened(w[i]) * widened(v[i]); }
            out[row * outputs + output] = narrowed(sum);
        }
    }
}

void unpackBFloat16(const PackedWeight &weight, int64_t block, int64_t rows, uint16_t *out) {
    std::vector<float> wide(rows * weight.inputs);
    unpackBlock(weight, block, rows, wide.data());
    for (size_t i = 0; i < wide.size(); i++) { out[i] = narrowed(wide[i]); }
}

} // namespace

void unpackBlock(const PackedWeight &weight, int64_t block, int64_t rows, float *out) {
    int64_t groupBytes = blockRows * groupSize * weight.bits / 8;
    for (int64_t group = 0; group < weight.groups; group++) {
        const uint8_t *codes = weight.block(block) + group * groupBytes;
        int64_t count = std::min(groupSize, weight.inputs - group * groupSize);
        for (int64_t row = 0; row < rows; row++) {
            float scale = half(weight.scale(block)[group * blockRows + row]);
            float offset = weight.bits == 8 ? -128 * scale : half(weight.offset(block)[group * blockRows + row]);
            float *target = out + row * weight.inputs + group * groupSize;
            for (int64_t i = 0; i < count; i++) {
                int64_t quad = i / 4, within = row * 4 + i % 4;
                int code = weight.bits == 8 ? codes[quad * 64 + within]
                                            : (codes[quad / 2 * 64 + within] >> (quad % 2 * 4)) & 15;
                target[i] = scale * static_cast<float>(code) + offset;
            }
        }
    }
}

const DecodeKernels &portableKernels() {
    static const DecodeKernels table{packedProduct, bfloat16Product, unpackBFloat16, "portable"};
    return table;
}

} // namespace ctorch
