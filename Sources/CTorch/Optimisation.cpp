#include "Barrier.hpp"

#include <c10/core/GradMode.h>

#include <cmath>

using namespace ctorch;

extern "C" {

bool ct_requires_gradient(const CTTensor *self) { return self->value.requires_grad(); }

int ct_set_requires_gradient(CTTensor *self, bool required) {
    return guarded([&] { self->value.set_requires_grad(required); });
}

int ct_backward(const CTTensor *self) {
    return guarded([&] {
        if (self->value.numel() != 1) {
            throw Fault{CT_SHAPE, "backward() starts from one number, not shape " + describe(self->value.sizes())};
        }
        self->value.backward();
    });
}

int ct_gradient(const CTTensor *self, CTTensor **out) {
    return guarded([&] {
        auto gradient = self->value.grad();
        *out = gradient.defined() ? new CTTensor(gradient) : nullptr;
    });
}

int ct_clear_gradient(CTTensor *self) {
    return guarded([&] { self->value.mutable_grad().reset(); });
}

int ct_clip_gradients(const CTTensor *const *tensors, int64_t count, double maximum, double *norm) {
    return guarded([&] {
        c10::AutoGradMode off(false);
        std::vector<at::Tensor> gradients;
        for (int64_t i = 0; i < count; ++i) {
            auto gradient = tensors[i]->value.grad();
            if (gradient.defined()) { gradients.push_back(gradient); }
        }
        if (gradients.empty()) {
            *norm = 0;
            return;
        }
        auto norms = at::_foreach_norm(gradients, 2);
        auto home = norms[0].device();
        for (auto &part : norms) { part = part.to(home, at::kDouble); }
        double total = at::linalg_vector_norm(at::stack(norms), 2).item<double>();
        // As torch.nn.utils.clip_grad_norm_; a norm that is no number is left for the caller to judge.
        double factor = maximum / (total + 1e-6);
        if (std::isfinite(total) && factor < 1) { at::_foreach_mul_(gradients, factor); }
        *norm = total;
    });
}

int ct_adamw_(
    const CTTensor *const *tensors, const CTTensor *const *firstMoments, const CTTensor *const *secondMoments,
    const CTTensor *const *steps, int64_t count, double rate, double beta1, double beta2, double weightDecay,
    double epsilon) {
    return guarded([&] {
        c10::AutoGradMode off(false);
        if (count == 0) { return; }
        std::vector<at::Tensor> gradients;
        for (int64_t i = 0; i < count; ++i) { gradients.push_back(tensors[i]->value.grad().contiguous()); }
        auto counts = list(steps, count);
        at::_foreach_add_(counts, 1);
        at::_fused_adamw_(
            list(tensors, count), gradients, list(firstMoments, count), list(secondMoments, count), {}, counts, rate,
            beta1, beta2, weightDecay, epsilon, false, false);
    });
}

} // extern "C"
