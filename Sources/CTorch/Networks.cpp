#include "Barrier.hpp"
#include "Kernels/DecodeKernels.hpp"
#include "Kernels/InParallel.hpp"
#include "TrainingParts.hpp"

#include <c10/core/GradMode.h>

#include <cmath>

using namespace ctorch;

namespace {

// Losses and log-probabilities are kept in float32 where the activations are shorter.
at::Tensor atLeastFloat32(const at::Tensor &x) {
    return x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf ? x.to(at::kFloat) : x;
}

// The elements of one layer's scores up to which `plainAttention` may keep them: 64 MiB in bfloat16.
constexpr int64_t mostScores = int64_t(1) << 25;

// Whether `plainAttention` serves better than the fused kernel. On a CPU that kernel's backward pass in bfloat16 takes
// twice (256 places, 64 wide) to eight times (128 places, 32 wide) as long as these few matrix products.
bool plainIsFaster(const at::Tensor &q, const at::Tensor &k, const std::optional<at::Tensor> &mask, bool isCausal) {
    if (!q.is_cpu() || q.scalar_type() != at::kBFloat16) { return false; }
    if (!at::GradMode::is_enabled() || !(q.requires_grad() || k.requires_grad())) { return false; }
    if (mask && (isCausal || mask->scalar_type() != at::kBool || mask->dim() != 4)) { return false; }
    if (isCausal && q.size(2) != k.size(2)) { return false; }
    return q.numel() > 0 && q.size(0) * q.size(1) * q.size(2) <= mostScores / k.size(2);
}

at::Tensor plainAttention(
    const at::Tensor &q, at::Tensor k, at::Tensor v, const std::optional<at::Tensor> &mask, bool isCausal,
    double scale) {
    if (k.size(1) != q.size(1)) {
        auto share = q.size(1) / k.size(1);
        k = at::repeat_interleave(k, share, 1);
        v = at::repeat_interleave(v, share, 1);
    }
    return recordedAttention(q, k, v, mask, isCausal, scale);
}

// Whether a product with a bfloat16 matrix is one of decoding: a few rows, no gradients, memory as the kernel wants it.
bool isDecoding(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
    if (x.scalar_type() != at::kBFloat16 || weight.scalar_type() != at::kBFloat16) { return false; }
    if (!x.is_cpu() || !weight.is_cpu() || weight.dim() != 2 || x.dim() < 1 || x.size(-1) != weight.size(1)) { return false; }
    if (x.numel() == 0 || x.numel() / x.size(-1) > mostDecodeRows || !weight.is_contiguous()) { return false; }
    if (bias && (bias->dim() != 1 || bias->size(0) != weight.size(0) || !bias->is_floating_point())) { return false; }
    return !at::GradMode::is_enabled() || !(x.requires_grad() || weight.requires_grad());
}

at::Tensor decodeLinear(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
    auto inputs = weight.size(1), outputs = weight.size(0), rows = x.numel() / inputs;
    auto shape = x.sizes().vec();
    shape.back() = outputs;
    auto dense = x.contiguous();
    auto out = at::empty(shape, x.options());
    at::Tensor wide = bias ? bias->to(at::kFloat).contiguous() : at::Tensor();
    auto bits = [](const at::Tensor &tensor) {
        return reinterpret_cast<const uint16_t *>(tensor.const_data_ptr<at::BFloat16>());
    };
    const uint16_t *w = bits(weight), *v = bits(dense);
    const float *b = bias ? wide.const_data_ptr<float>() : nullptr;
    auto *target = reinterpret_cast<uint16_t *>(out.mutable_data_ptr<at::BFloat16>());
    // A thread is worth waking for about 64 KiB of weights.
    auto grain = std::max<int64_t>(1, 32768 / inputs);
    inParallel(outputs, grain, [&](int64_t from, int64_t to) {
        kernels().bfloat16Product(w, v, rows, inputs, outputs, from, to, b, target);
    });
    return out;
}

} // namespace

extern "C" {

int ct_linear(const CTTensor *self, const CTTensor *weight, const CTTensor *bias, CTTensor **out) {
    return yielding(out, [&] {
        if (isDecoding(self->value, weight->value, optional(bias))) {
            return decodeLinear(self->value, weight->value, optional(bias));
        }
        return at::linear(self->value, weight->value, optional(bias));
    });
}

int ct_embedding(const CTTensor *indices, const CTTensor *weight, CTTensor **out) {
    return yielding(out, [&] { return at::embedding(weight->value, indices->value); });
}

int ct_rms_norm(const CTTensor *self, const CTTensor *weight, double epsilon, CTTensor **out) {
    return yielding(out, [&] { return at::rms_norm(self->value, weight->value.sizes(), weight->value, epsilon); });
}

int ct_layer_norm(
    const CTTensor *self, const CTTensor *weight, const CTTensor *bias, double epsilon, CTTensor **out) {
    return yielding(out, [&] {
        return at::layer_norm(self->value, weight->value.sizes(), weight->value, optional(bias), epsilon);
    });
}

int ct_attention(
    const CTTensor *query, const CTTensor *key, const CTTensor *value, const CTTensor *mask, bool isCausal,
    double scale, CTTensor **out) {
    return yielding(out, [&] {
        const at::Tensor &q = query->value;
        const at::Tensor &k = key->value;
        if (q.dim() != 4 || k.dim() != 4 || value->value.dim() != 4) {
            throw Fault{CT_SHAPE, "attention takes query, key and value of shape [batch, heads, time, size]"};
        }
        bool isGrouped = q.size(1) != k.size(1);
        if (isGrouped && (k.size(1) == 0 || q.size(1) % k.size(1) != 0)) {
            throw Fault{
                CT_SHAPE, std::to_string(q.size(1)) + " query heads cannot share " + std::to_string(k.size(1)) +
                              " key heads evenly"};
        }
        double factor = scale == 0 ? 1 / std::sqrt(static_cast<double>(q.size(3))) : scale;
        if (plainIsFaster(q, k, optional(mask), isCausal)) {
            return plainAttention(q, k, value->value, optional(mask), isCausal, factor);
        }
        return at::scaled_dot_product_attention(
            q, k, value->value, optional(mask), 0.0, isCausal, factor, isGrouped);
    });
}

int ct_cross_entropy(const CTTensor *logits, const CTTensor *targets, int64_t ignoreIndex, CTTensor **out) {
    return yielding(out, [&] {
        const at::Tensor &x = logits->value;
        const at::Tensor &y = targets->value;
        if (x.dim() != y.dim() + 1 || x.sizes().slice(0, y.dim()) != y.sizes()) {
            throw Fault{
                CT_SHAPE, "cross-entropy of logits " + describe(x.sizes()) + " with targets " + describe(y.sizes())};
        }
        auto classes = x.size(-1);
        if (auto part = recordedCrossEntropy(x.reshape({-1, classes}), y.reshape({-1}), ignoreIndex)) {
            return part->reshape(y.sizes());
        }
        auto flat = atLeastFloat32(x).reshape({-1, classes});
        return at::cross_entropy_loss(flat, y.reshape({-1}), {}, at::Reduction::None, ignoreIndex).reshape(y.sizes());
    });
}

int ct_logit_scores(const CTTensor *logits, const CTTensor *picks, CTTensor **sums, CTTensor **values) {
    return yieldingPair(sums, values, [&]() -> std::tuple<at::Tensor, at::Tensor> {
        const at::Tensor &x = logits->value, &places = picks->value;
        if (x.dim() != 2 || places.dim() != 2 || x.size(0) != places.size(0)) {
            throw Fault{
                CT_SHAPE, "scores of logits " + describe(x.sizes()) + " at places " + describe(places.sizes())};
        }
        if (auto parts = recordedScores(x, places)) { return *parts; }
        auto wide = atLeastFloat32(x);
        return {at::logsumexp(wide, {1}), at::gather(wide, 1, places)};
    });
}

int ct_largest_other(const CTTensor *logits, const CTTensor *except, CTTensor **out) {
    return yielding(out, [&] {
        const at::Tensor &x = logits->value, &places = except->value;
        if (x.dim() != 2 || places.dim() != 1 || x.size(0) != places.size(0) || x.size(1) < 2) {
            throw Fault{
                CT_SHAPE, "largest of logits " + describe(x.sizes()) + " but those at " + describe(places.sizes())};
        }
        if (auto part = largestOthers(x, places)) { return *part; }
        c10::AutoGradMode off(false);
        auto others = x.detach().scatter(1, places.unsqueeze(1), -std::numeric_limits<double>::infinity());
        return std::get<1>(at::max(others, 1));
    });
}

int ct_bce_with_logits(const CTTensor *logits, const CTTensor *targets, CTTensor **out) {
    return yielding(out, [&] {
        auto x = atLeastFloat32(logits->value);
        if (x.sizes() != targets->value.sizes()) {
            throw Fault{
                CT_SHAPE, "binary cross-entropy of logits " + describe(x.sizes()) + " with targets " +
                              describe(targets->value.sizes())};
        }
        return at::binary_cross_entropy_with_logits(
            x, targets->value.to(x.scalar_type()), {}, {}, at::Reduction::None);
    });
}

} // extern "C"
