// A weight matrix in 16, 8 or 4 bits, laid out for products with rows of activations.
#ifndef CTORCH_PACKED_WEIGHT_HPP
#define CTORCH_PACKED_WEIGHT_HPP

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

namespace ctorch {

// Outputs of one block: one 32-bit lane of a 512-bit register each.
constexpr int64_t blockRows = 16;
// Inputs that share a scale.
constexpr int64_t groupSize = 64;

// 8 and 4 bits: W[o, i] = scale[o, g] · q[o, i] + offset[o, g], g = i / 64: q in 0…255 (8 bits; the offset is −128 · scale and not
// kept) or in 0…15 (4 bits). Scales and offsets are float16. 16 bits: float16, which holds
// weights of bfloat16 as they are (but for those below 2⁻¹⁷, which lose digits that nobody sees), in the same order.
//
// Layout: output blocks of 16, within a block groups of 64 inputs, within a group quads of 4 inputs, each with the 16
// outputs beside each other ([block][group][quad][output][4]): what one dot-product instruction reads. With 4 bits two quads
// that follow each other share 64 bytes, the first in the low halves. With 16 bits pairs of 2 inputs take the place of quads.
// Outputs and inputs are padded with zeros that count for nothing.
struct PackedWeight {
    int bits;
    int64_t outputs;
    int64_t inputs;
    int64_t blocks;
    int64_t groups;
    // 64-byte aligned, streamed from first to last.
    at::Tensor codes;
    // float16 [blocks][groups][16]; undefined for 16 bits.
    at::Tensor scales;
    // The same for 4 bits only.
    at::Tensor offsets;

    // Bytes of one block of 16 outputs.
    int64_t blockBytes() const { return groups * blockRows * groupSize * bits / 8; }
    const uint8_t *block(int64_t index) const { return firstCode + index * blockBytes(); }
    // Null where there are none.
    const uint16_t *scale(int64_t index) const { return firstScale ? firstScale + index * groups * blockRows : nullptr; }
    const uint16_t *offset(int64_t index) const { return firstOffset ? firstOffset + index * groups * blockRows : nullptr; }
    int64_t byteCount() const;

    // Rounds [out, in] weights; the codes of each group are those of least squared error among several ranges.
    static std::shared_ptr<PackedWeight> pack(const at::Tensor &weight, int bits);
    // One that was packed before, from its parts: bytes, and float16 [blocks, groups, 16].
    static std::shared_ptr<PackedWeight> from(
        int bits, int64_t outputs, int64_t inputs, const at::Tensor &codes, const std::optional<at::Tensor> &scales,
        const std::optional<at::Tensor> &offsets);
    // The weights that the codes stand for, rows [begin, end) as bfloat16 or float32 [end − begin, in]; `begin` is a multiple
    // of 16.
    at::Tensor unpack(int64_t begin, int64_t end, at::ScalarType type) const;
    // x Wᵀ + b in a type, [rows, in] to [rows, out].
    at::Tensor linear(const at::Tensor &x, const std::optional<at::Tensor> &bias, at::ScalarType type) const;
    // The blocks [from, to) of one of several even parts, in whole fours.
    std::pair<int64_t, int64_t> share(int64_t part, int64_t parts) const;

private:
    // Where the tensors' memory begins: asking a tensor each time takes a tenth of a small product.
    const uint8_t *firstCode = nullptr;
    const uint16_t *firstScale = nullptr, *firstOffset = nullptr;
    void findMemory();
    static std::shared_ptr<PackedWeight> empty(int bits, int64_t outputs, int64_t inputs);
    at::Tensor unpackedLinear(const at::Tensor &x, const std::optional<at::Tensor> &bias) const;
};

} // namespace ctorch

#endif
