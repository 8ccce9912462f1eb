// The kernels in plain C++: loops that a compiler turns into AVX2 (where the processor has it) or NEON.
#include "DecodeKernels.hpp"

#include <c10/util/Half.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

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

void fillRow(ProductRows &rows, int64_t row, int64_t from, int64_t to, const float *x) {
    for (int64_t group = from; group < to; group++) {
        const float *source = x + group * groupSize;
        int64_t count = std::min(groupSize, rows.inputs - group * groupSize), at = row * rows.groups + group;
        if (rows.isWide) {
            float *target = rows.values.data() + at * groupSize;
            for (int64_t i = 0; i < groupSize; i++) { target[i] = i < count ? source[i] : 0; }
            continue;
        }
        // As whole numbers, whose order without signs is that of the numbers, and NaN above all of them.
        int32_t largest = 0;
        for (int64_t i = 0; i < count; i++) {
            int32_t bits;
            std::memcpy(&bits, source + i, sizeof bits);
            largest = std::max(largest, bits & 0x7FFFFFFF);
        }
        float most;
        std::memcpy(&most, &largest, sizeof most);
        int8_t *target = rows.codes.data() + at * groupSize;
        if (!std::isfinite(most)) {
            // No code stands for it: the scale says what the group is worth.
            std::memset(target, 0, groupSize);
            rows.scales.data()[at] = most;
            rows.sums.data()[at] = most;
            rows.shifts.data()[at] = 0;
            continue;
        }
        float inverse = most > 0 ? 127 / most : 0;
        int32_t sum = 0;
        for (int64_t i = 0; i < groupSize; i++) {
            auto code = i < count ? static_cast<int32_t>(std::nearbyint(source[i] * inverse)) : 0;
            target[i] = static_cast<int8_t>(code);
            sum += code;
        }
        rows.scales.data()[at] = most / 127;
        rows.sums.data()[at] = most / 127 * static_cast<float>(sum);
        rows.shifts.data()[at] = -128 * sum;
    }
}

// The 16 outputs of a block for one row.
CTORCH_INLINE void blockProduct(const PackedWeight &weight, const ProductRows &x, int64_t row, int64_t block, float *totals) {
    int64_t groupBytes = blockRows * groupSize * weight.bits / 8;
    for (int64_t group = 0; group < weight.groups; group++) {
        int64_t at = row * x.groups + group;
        const uint8_t *codes = weight.block(block) + group * groupBytes;
        if (weight.bits == 16) {
            const auto *pairs = reinterpret_cast<const uint16_t *>(codes);
            const float *values = x.values.data() + at * groupSize;
            for (int64_t i = 0; i < groupSize; i++) {
                float value = values[i];
                for (int output = 0; output < blockRows; output++) {
                    totals[output] += half(pairs[i / 2 * 32 + output * 2 + i % 2]) * value;
                }
            }
            continue;
        }
        int32_t sums[blockRows] = {};
        groupProduct(codes, x.codes.data() + at * groupSize, weight.bits, sums);
        float scale = x.scales.data()[at], sum = x.sums.data()[at];
        const uint16_t *scales = weight.scale(block) + group * blockRows;
        for (int output = 0; output < blockRows; output++) {
            float factor = half(scales[output]);
            if (weight.bits == 8) {
                totals[output] += factor * scale * static_cast<float>(sums[output] + x.shifts.data()[at]);
            } else {
                totals[output] += factor * scale * static_cast<float>(sums[output]) +
                                  half(weight.offset(block)[group * blockRows + output]) * sum;
            }
        }
    }
}

void product(
    const PackedWeight &weight, const ProductRows &x, int64_t rowFrom, int64_t rowTo, int64_t from, int64_t to,
    const float *bias, float *out, int64_t stride, bool adds) {
    for (int64_t block = from; block < to; block++) {
        int64_t outputs = std::min(blockRows, weight.outputs - block * blockRows);
        for (int64_t row = rowFrom; row < rowTo; row++) {
            float totals[blockRows] = {};
            blockProduct(weight, x, row, block, totals);
            float *target = out + row * stride + block * blockRows;
            for (int64_t output = 0; output < outputs; output++) {
                float total = totals[output] + (bias ? bias[block * blockRows + output] : 0);
                target[output] = adds ? target[output] + total : total;
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

void norm(const NormWeights &norm, const float *x, int64_t width, float *out) {
    float mean = 0, squares = 0;
    if (norm.isCentred) {
        for (int64_t i = 0; i < width; i++) { mean += x[i]; }
        mean /= static_cast<float>(width);
    }
    for (int64_t i = 0; i < width; i++) { squares += (x[i] - mean) * (x[i] - mean); }
    float factor = 1 / std::sqrt(squares / static_cast<float>(width) + norm.epsilon);
    for (int64_t i = 0; i < width; i++) {
        out[i] = (x[i] - mean) * factor * (norm.weight ? norm.weight[i] : 1) + (norm.bias ? norm.bias[i] : 0);
    }
}

void turn(const float *x, const float *cosine, const float *sine, int64_t size, uint16_t *out) {
    int64_t half = size / 2;
    for (int64_t i = 0; i < size; i++) {
        float turned = cosine ? (i < half ? -x[i + half] : x[i - half]) : 0;
        out[i] = narrowed(cosine ? x[i] * cosine[i] + turned * sine[i] : x[i]);
    }
}

void attend(const Attended &what) {
    for (int64_t query = 0; query < what.count; query++) {
        const uint16_t *q = what.queries[query];
        float *out = what.out[query], *scores = what.scratch;
        float most = -INFINITY, total = 0;
        for (int64_t key = what.first[query]; key < what.last[query]; key++) {
            float sum = 0;
            for (int64_t i = 0; i < what.size; i++) { sum += widened(q[i]) * widened(what.keys[key * what.size + i]); }
            scores[key] = sum * what.scale;
            most = std::max(most, scores[key]);
        }
        std::fill(out, out + what.size, 0.f);
        for (int64_t key = what.first[query]; key < what.last[query]; key++) {
            float weight = std::exp(scores[key] - most);
            total += weight;
            for (int64_t i = 0; i < what.size; i++) { out[i] += weight * widened(what.values[key * what.size + i]); }
        }
        for (int64_t i = 0; i < what.size; i++) { out[i] /= total; }
    }
}

void gate(Curve curve, const float *gate, const float *up, int64_t count, float *out) {
    for (int64_t i = 0; i < count; i++) { out[i] = curved(curve, gate[i]) * (up ? up[i] : 1); }
}

float logSum(const float *x, int64_t count) {
    float highest = *std::max_element(x, x + count), total = 0;
    if (!std::isfinite(highest)) { return highest; }
    for (int64_t i = 0; i < count; i++) { total += std::exp(x[i] - highest); }
    return highest + std::log(total);
}

} // namespace

float curved(Curve curve, float x) {
    switch (curve) {
    case Curve::relu: return std::max(x, 0.f);
    case Curve::gelu: return 0.5f * x * (1 + std::erf(x * 0.70710678f));
    case Curve::geluTanh: return 0.5f * x * (1 + std::tanh(0.7978845608f * (x + 0.044715f * x * x * x)));
    case Curve::silu: return x / (1 + std::exp(-x));
    case Curve::tanh: return std::tanh(x);
    }
    return x;
}

void unpackBlock(const PackedWeight &weight, int64_t block, int64_t rows, float *out) {
    if (weight.bits == 16) {
        const auto *values = reinterpret_cast<const uint16_t *>(weight.block(block));
        for (int64_t row = 0; row < rows; row++) {
            for (int64_t i = 0; i < weight.inputs; i++) {
                out[row * weight.inputs + i] = half(values[i / 2 * 32 + row * 2 + i % 2]);
            }
        }
        return;
    }
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
    static const DecodeKernels table{
        fillRow, product, bfloat16Product, unpackBFloat16, norm, turn, attend, gate, logSum, "portable"};
    return table;
}

} // namespace ctorch
