// Products of a weight matrix with one to eight rows: what decoding does for every token. libtorch's own reach a fraction of
// the memory's speed at some shapes (its bfloat16 product by a vocabulary head among them), and with so few rows the memory is
// the limit. Each kernel exists for AVX-512 (with VNNI and bfloat16 dot products) and in plain C++ that the compiler turns into
// AVX2 or NEON; which one runs is chosen once, by what the processor can do.
#ifndef CTORCH_DECODE_KERNELS_HPP
#define CTORCH_DECODE_KERNELS_HPP

#include "PackedWeight.hpp"

#include <vector>

namespace ctorch {

// More rows than this go to libtorch's matrix product.
constexpr int64_t mostDecodeRows = 8;

// Rows of activations in 8 bits, a scale per group of 64: x ≈ scale · q, q in −127…127. Padded to whole groups with nought.
struct QuantisedRows {
    int64_t rows;
    int64_t groups;
    // [rows][groups][64]
    std::vector<int8_t> codes;
    // [rows][groups]
    std::vector<float> scales;
    // Scale times the sum of a group's codes: what an offset of the weights is multiplied by.
    std::vector<float> sums;

    QuantisedRows(const float *x, int64_t rows, int64_t inputs, int64_t groups);
};

struct DecodeKernels {
    // Outputs of the blocks [from, to) for every row: out[row][output] = Σ W x (+ bias).
    void (*packedProduct)(
        const PackedWeight &weight, const QuantisedRows &x, int64_t from, int64_t to, const float *bias, float *out);
    // out[row][o] = Σ w[o][i] x[row][i] (+ bias) for the outputs [from, to); bfloat16 in and out, sums in float32.
    void (*bfloat16Product)(
        const uint16_t *weight, const uint16_t *x, int64_t rows, int64_t inputs, int64_t outputs, int64_t from, int64_t to,
        const float *bias, uint16_t *out);
    // The first `rows` outputs of a block as bfloat16 [rows, in].
    void (*unpackBFloat16)(const PackedWeight &weight, int64_t block, int64_t rows, uint16_t *out);
    const char *name;
};

// Those for this processor. LOAM_KERNELS=portable takes the plain ones, for comparison.
const DecodeKernels &kernels();
const DecodeKernels &portableKernels();
// Null where the processor or the compiler lacks them.
const DecodeKernels *avx512Kernels();

// The first `rows` outputs of a block as float32 [rows, in].
void unpackBlock(const PackedWeight &weight, int64_t block, int64_t rows, float *out);

} // namespace ctorch

#endif
