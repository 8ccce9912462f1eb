// All layers of a decoder in one computation, for generating on the CPU.
#ifndef CTORCH_LAYER_STACK_HPP
#define CTORCH_LAYER_STACK_HPP

#include "DecodeKernels.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace ctorch {

class Tickets;

// The weights of a norm, float32; undefined where there are none.
struct StackNorm {
    at::Tensor weight, bias;
};

struct StackLayer {
    StackNorm attentionNorm, feedNorm;
    // Queries, keys and values one below the other; then what attention gives to the residual stream.
    std::shared_ptr<PackedWeight> mix, output;
    // Gate and up one below the other, or up alone; then down.
    std::shared_ptr<PackedWeight> up, down;
    at::Tensor mixBias, outputBias, upBias, downBias;
    // Over each head; undefined in most families.
    at::Tensor queryNorm, keyNorm;
    // What scores are multiplied by.
    float scale = 0;
    // Each token looks at itself and at the `window` − 1 before it; 0 is all.
    int64_t window = 0;
};

// One sequence's new tokens in a pass.
struct StackPart {
    // Which of the caches, and which row of it.
    int64_t cache, row;
    // Tokens that the cache holds, and new ones.
    int64_t before, count;
};

// Norm, attention, norm, feed-forward, with a residual stream in float32 and keys and values in bfloat16. Every token is computed
// by the same operations in the same order whatever is in the pass beside it.
class LayerStack {
public:
    int64_t width = 0;
    int64_t heads = 0, keyHeads = 0, size = 0;
    int64_t wide = 0;
    bool isGated = false, isCentred = false;
    Curve curve = Curve::silu;
    float epsilon = 0;
    std::vector<StackLayer> layers;
    StackNorm finalNorm;
    bool hasFinalNorm = true;

    // Whether a weight fits; throws a Fault that says which does not.
    void check(const StackLayer &layer) const;

    // x [N, width], angles [N, size] float32 or none. `keys` and `values` are [layers][caches] of [rows, key heads, room, size],
    // bfloat16, to which the new tokens are added. Gives the states after the last norm, float32 [N, width].
    at::Tensor run(
        const at::Tensor &x, const std::optional<at::Tensor> &cosine, const std::optional<at::Tensor> &sine,
        const std::vector<at::Tensor> &keys, const std::vector<at::Tensor> &values, const std::vector<StackPart> &parts) const;

private:
    struct Pass;
    void check(const Pass &pass) const;
    void addAttention(Tickets &tickets, Pass &pass, size_t index) const;
    void addFeedForward(Tickets &tickets, Pass &pass, size_t index) const;
    void addNormed(Tickets &tickets, Pass &pass, const StackNorm &norm) const;
    void addProduct(
        Tickets &tickets, Pass &pass, const PackedWeight &weight, const ProductRows &rows, const at::Tensor &bias, float *out,
        bool adds) const;
    void place(Pass &pass, const StackLayer &layer, size_t index, int64_t row) const;
    void attend(Pass &pass, const StackLayer &layer, size_t index, int64_t ticket) const;
};

} // namespace ctorch

#endif
