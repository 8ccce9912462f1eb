// Parts of networks with a way back of their own, for training on a CPU in bfloat16. Each gives nothing where it does not apply
// (another type or place, no gradient wanted): the caller then takes libtorch's operations.
#ifndef CTORCH_TRAINING_PARTS_HPP
#define CTORCH_TRAINING_PARTS_HPP

#include "Barrier.hpp"

#include <optional>
#include <tuple>

namespace ctorch {

using Part = std::optional<at::Tensor>;

Part recordedNorm(const at::Tensor &x, const at::Tensor &weight, double epsilon);
Part recordedRotation(const at::Tensor &x, const at::Tensor &cosine, const at::Tensor &sine);
Part recordedGate(const at::Tensor &gate, const at::Tensor &up);
// softmax(q kᵀ · scale) v for [batch, heads, time, size] with as many key heads as query heads.
at::Tensor recordedAttention(
    const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, const std::optional<at::Tensor> &mask, bool isCausal,
    double scale);
// −ln softmax(logits)[target] per row, float32; also in float32.
Part recordedCrossEntropy(const at::Tensor &logits, const at::Tensor &targets, int64_t ignoreIndex);

// ln Σ exp per row and the logits at `picks`, both float32; also in float32.
std::optional<std::tuple<at::Tensor, at::Tensor>> recordedScores(const at::Tensor &logits, const at::Tensor &picks);
Part largestOthers(const at::Tensor &logits, const at::Tensor &except);

} // namespace ctorch

#endif
