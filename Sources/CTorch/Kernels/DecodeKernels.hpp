// What generating is made of: products of a weight matrix with a few or many rows, norms, attention and gates. libtorch's own
// products reach a fraction of the memory's speed at some shapes (its bfloat16 product by a vocabulary head among them), and with
// few rows the memory is the limit. Each kernel exists for AVX-512 (with VNNI dot products of bytes) and in plain C++ that the
// compiler turns into AVX2 or NEON; which one runs is chosen once, by what the processor can do.
//
// Every kernel but `bfloat16Product` computes a row by the same operations in the same order whatever rows are beside it: so a
// reply does not depend on what it is batched with, nor on how its prompt was cut.
#ifndef CTORCH_DECODE_KERNELS_HPP
#define CTORCH_DECODE_KERNELS_HPP

#include "PackedWeight.hpp"
#include "ProductRows.hpp"

#include <vector>

namespace ctorch {

// More rows than this go to libtorch's matrix product, where the kernels are the portable ones or the weight is not packed.
constexpr int64_t mostDecodeRows = 8;

// Most queries that `attend` takes at once.
constexpr int64_t mostQueries = 6;

// What a norm does, statistics in float32.
struct NormWeights {
    // Root mean square alone, or centred too.
    bool isCentred = false;
    float epsilon = 0;
    // Null where the family learns none.
    const float *weight = nullptr;
    const float *bias = nullptr;
};

// Curves of a feed-forward.
enum class Curve { relu = 0, gelu = 1, geluTanh = 2, silu = 3, tanh = 4 };

// Queries of one sequence that share a head of keys and values.
struct Attended {
    // At most `mostQueries`.
    int64_t count;
    // bfloat16 [size] each.
    const uint16_t *queries[mostQueries];
    // Each looks at the keys [first, last).
    int64_t first[mostQueries], last[mostQueries];
    // float32 [size] each.
    float *out[mostQueries];
    // bfloat16 [places][size].
    const uint16_t *keys, *values;
    int64_t size;
    float scale;
    // Room for `mostQueries` rows of the largest `last`, rounded up to 16.
    float *scratch;
};

struct DecodeKernels {
    // Puts the groups [from, to) of a row in place; `x` is the whole row, [inputs].
    void (*fillRow)(ProductRows &rows, int64_t row, int64_t from, int64_t to, const float *x);
    // out[row][output] = Σ W x (+ bias), or added to what is there, for rows [rowFrom, rowTo) and blocks of outputs [from, to).
    void (*product)(
        const PackedWeight &weight, const ProductRows &x, int64_t rowFrom, int64_t rowTo, int64_t from, int64_t to,
        const float *bias, float *out, int64_t stride, bool adds);
    // out[row][o] = Σ w[o][i] x[row][i] (+ bias) for the outputs [from, to); bfloat16 in and out, sums in float32.
    void (*bfloat16Product)(
        const uint16_t *weight, const uint16_t *x, int64_t rows, int64_t inputs, int64_t outputs, int64_t from, int64_t to,
        const float *bias, uint16_t *out);
    // The first `rows` outputs of a block as bfloat16 [rows, in].
    void (*unpackBFloat16)(const PackedWeight &weight, int64_t block, int64_t rows, uint16_t *out);
    // A row's norm, in place too.
    void (*norm)(const NormWeights &norm, const float *x, int64_t width, float *out);
    // Halves turned by the angles ([size], or null for none), rounded to bfloat16.
    void (*turn)(const float *x, const float *cosine, const float *sine, int64_t size, uint16_t *out);
    // softmax(q kᵀ · scale) v.
    void (*attend)(const Attended &what);
    // curve(gate) · up, or curve(gate) where `up` is null; in place too.
    void (*gate)(Curve curve, const float *gate, const float *up, int64_t count, float *out);
    // ln Σ exp of a row.
    float (*logSum)(const float *x, int64_t count);
    const char *name;
};

// Those for this processor. LOAM_KERNELS=portable takes the plain ones, LOAM_KERNELS=avx512 those without products of float16, for
// comparison.
const DecodeKernels &kernels();
const DecodeKernels &portableKernels();
// Null where the processor or the compiler lacks them.
const DecodeKernels *avx512Kernels();
const DecodeKernels *avx512HalfKernels();
// Whether they are made for many rows too.
inline bool areFast(const DecodeKernels &kernels) { return &kernels != &portableKernels(); }

// One number through a curve.
float curved(Curve curve, float x);

// The first `rows` outputs of a block as float32 [rows, in].
void unpackBlock(const PackedWeight &weight, int64_t block, int64_t rows, float *out);

} // namespace ctorch

#endif
