#include "Barrier.hpp"

using namespace ctorch;

namespace {

// Losses and log-probabilities are kept in float32 where the activations are shorter.
at::Tensor atLeastFloat32(const at::Tensor &x) {
    return x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf ? x.to(at::kFloat) : x;
}

} // namespace

extern "C" {

int ct_linear(const CTTensor *self, const CTTensor *weight, const CTTensor *bias, CTTensor **out) {
    return yielding(out, [&] { return at::linear(self->value, weight->value, optional(bias)); });
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
        return at::scaled_dot_product_attention(
            q, k, value->value, optional(mask), 0.0, isCausal, scale == 0 ? std::nullopt : std::optional<double>(scale),
            isGrouped);
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
        auto flat = atLeastFloat32(x).reshape({-1, classes});
        return at::cross_entropy_loss(flat, y.reshape({-1}), {}, at::Reduction::None, ignoreIndex).reshape(y.sizes());
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
