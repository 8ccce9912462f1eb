#include "Barrier.hpp"
#include "Kernels/DecodeKernels.hpp"
#include "Kernels/InParallel.hpp"

#include <c10/core/GradMode.h>

using namespace ctorch;

extern "C" {

#define CT_UNARY(name, expression)                                                                                    \
    int ct_##name(const CTTensor *self, CTTensor **out) {                                                             \
        return yielding(out, [&] {                                                                                    \
            const at::Tensor &x = self->value;                                                                        \
            return expression;                                                                                        \
        });                                                                                                           \
    }
CT_UNARY(detach, x.detach())
CT_UNARY(clone, x.clone())
CT_UNARY(contiguous, x.contiguous())
CT_UNARY(neg, at::neg(x))
CT_UNARY(exp, at::exp(x))
CT_UNARY(log, at::log(x))
CT_UNARY(log1p, at::log1p(x))
CT_UNARY(tanh, at::tanh(x))
CT_UNARY(sin, at::sin(x))
CT_UNARY(cos, at::cos(x))
CT_UNARY(sigmoid, at::sigmoid(x))
CT_UNARY(log_sigmoid, at::log_sigmoid(x))
CT_UNARY(softplus, at::softplus(x))
CT_UNARY(relu, at::relu(x))
CT_UNARY(gelu, at::gelu(x, "none"))
CT_UNARY(gelu_tanh, at::gelu(x, "tanh"))
CT_UNARY(silu, at::silu(x))
CT_UNARY(sqrt, at::sqrt(x))
CT_UNARY(rsqrt, at::rsqrt(x))
CT_UNARY(abs, at::abs(x))
CT_UNARY(square, at::square(x))
CT_UNARY(logical_not, at::logical_not(x))
CT_UNARY(sum, at::sum(x))
CT_UNARY(mean, at::mean(x))
CT_UNARY(all, at::all(x).to(at::kBool))
CT_UNARY(any, at::any(x).to(at::kBool))
CT_UNARY(isfinite, at::isfinite(x))
#undef CT_UNARY

#define CT_BINARY(name, function)                                                                                     \
    int ct_##name(const CTTensor *self, const CTTensor *other, CTTensor **out) {                                      \
        return yielding(out, [&] { return function(self->value, other->value); });                                    \
    }                                                                                                                 \
    int ct_##name##_scalar(const CTTensor *self, CTScalar other, CTTensor **out) {                                    \
        return yielding(out, [&] { return function(self->value, scalar(other)); });                                   \
    }
CT_BINARY(add, at::add)
CT_BINARY(sub, at::sub)
CT_BINARY(mul, at::mul)
CT_BINARY(div, at::div)
CT_BINARY(pow, at::pow)
CT_BINARY(floor_divide, at::floor_divide)
CT_BINARY(remainder, at::remainder)
CT_BINARY(eq, at::eq)
CT_BINARY(ne, at::ne)
CT_BINARY(lt, at::lt)
CT_BINARY(le, at::le)
CT_BINARY(gt, at::gt)
CT_BINARY(ge, at::ge)
#undef CT_BINARY

int ct_rsub_scalar(const CTTensor *self, CTScalar other, CTTensor **out) {
    return yielding(out, [&] { return at::rsub(self->value, scalar(other)); });
}
int ct_rdiv_scalar(const CTTensor *self, CTScalar other, CTTensor **out) {
    return yielding(out, [&] { return at::mul(at::reciprocal(self->value), scalar(other)); });
}
int ct_logical_and(const CTTensor *self, const CTTensor *other, CTTensor **out) {
    return yielding(out, [&] { return at::logical_and(self->value, other->value); });
}
int ct_logical_or(const CTTensor *self, const CTTensor *other, CTTensor **out) {
    return yielding(out, [&] { return at::logical_or(self->value, other->value); });
}
int ct_maximum(const CTTensor *self, const CTTensor *other, CTTensor **out) {
    return yielding(out, [&] { return at::maximum(self->value, other->value); });
}
int ct_minimum(const CTTensor *self, const CTTensor *other, CTTensor **out) {
    return yielding(out, [&] { return at::minimum(self->value, other->value); });
}
int ct_matmul(const CTTensor *self, const CTTensor *other, CTTensor **out) {
    return yielding(out, [&] { return at::matmul(self->value, other->value); });
}
int ct_clamp(const CTTensor *self, const double *minimum, const double *maximum, CTTensor **out) {
    return yielding(out, [&] {
        auto bound = [](const double *value) {
            return value ? std::optional<at::Scalar>(*value) : std::nullopt;
        };
        return at::clamp(self->value, bound(minimum), bound(maximum));
    });
}
int ct_where(const CTTensor *condition, const CTTensor *self, const CTTensor *other, CTTensor **out) {
    return yielding(out, [&] { return at::where(condition->value, self->value, other->value); });
}

int ct_sum_dim(const CTTensor *self, int64_t dim, bool keepDim, CTTensor **out) {
    return yielding(out, [&] { return at::sum(self->value, at::IntArrayRef(dim), keepDim); });
}
int ct_mean_dim(const CTTensor *self, int64_t dim, bool keepDim, CTTensor **out) {
    return yielding(out, [&] { return at::mean(self->value, at::IntArrayRef(dim), keepDim); });
}
int ct_logsumexp(const CTTensor *self, int64_t dim, bool keepDim, CTTensor **out) {
    return yielding(out, [&] {
        const at::Tensor &x = self->value;
        // A few rows of many logits, as generating has them: one pass each instead of four.
        bool isLast = x.dim() > 0 && (dim == -1 || dim == x.dim() - 1);
        if (areFast(kernels()) && isLast && x.is_cpu() && x.scalar_type() == at::kFloat && x.is_contiguous() && x.size(-1) >= 64 &&
            x.numel() > 0 && !(at::GradMode::is_enabled() && x.requires_grad())) {
            auto shape = x.sizes().vec();
            int64_t width = shape.back(), rows = x.numel() / width;
            shape.pop_back();
            if (keepDim) { shape.push_back(1); }
            auto sums = at::empty(shape, x.options());
            const float *from = x.const_data_ptr<float>();
            float *to = sums.mutable_data_ptr<float>();
            inParallel(rows, std::max<int64_t>(1, 16384 / width), [&](int64_t begin, int64_t end) {
                for (int64_t row = begin; row < end; row++) { to[row] = kernels().logSum(from + row * width, width); }
            });
            return sums;
        }
        return at::logsumexp(x, at::IntArrayRef(dim), keepDim);
    });
}
int ct_max_dim(const CTTensor *self, int64_t dim, bool keepDim, CTTensor **values, CTTensor **indices) {
    return yieldingPair(values, indices, [&] { return at::max(self->value, dim, keepDim); });
}
int ct_argmax(const CTTensor *self, int64_t dim, bool keepDim, CTTensor **out) {
    return yielding(out, [&] { return at::argmax(self->value, dim, keepDim); });
}
int ct_softmax(const CTTensor *self, int64_t dim, CTTensor **out) {
    return yielding(out, [&] { return at::softmax(self->value, dim); });
}
int ct_log_softmax(const CTTensor *self, int64_t dim, CTTensor **out) {
    return yielding(out, [&] { return at::log_softmax(self->value, dim); });
}
int ct_cumsum(const CTTensor *self, int64_t dim, CTTensor **out) {
    return yielding(out, [&] { return at::cumsum(self->value, dim); });
}
int ct_sort(const CTTensor *self, int64_t dim, bool descending, CTTensor **values, CTTensor **indices) {
    return yieldingPair(values, indices, [&] { return at::sort(self->value, true, dim, descending); });
}

int ct_topk(const CTTensor *self, int64_t k, int64_t dim, CTTensor **values, CTTensor **indices) {
    return yieldingPair(values, indices, [&]() -> std::tuple<at::Tensor, at::Tensor> {
        const at::Tensor &x = self->value;
        auto size = x.size(dim);
        if (k < 0 || k > size) {
            throw Fault{CT_ARGUMENT, "top " + std::to_string(k) + " of " + std::to_string(size) + " elements"};
        }
        // topk leaves open which of several equal elements it takes and in what order. When the element after the
        // last one taken differs from it the set is settled, and only the order is left to put right; else the whole
        // dimension is sorted, which is slow and rare.
        at::Tensor chosen;
        if (k < size && k > 0) {
            auto [best, places] = at::topk(x.detach(), k + 1, dim);
            bool isSettled = !at::any(best.select(dim, k - 1) == best.select(dim, k)).item<bool>();
            if (isSettled) {
                auto ascending = std::get<0>(at::sort(places.narrow(dim, 0, k), dim, false));
                auto found = at::gather(x.detach(), dim, ascending);
                chosen = at::gather(ascending, dim, std::get<1>(at::sort(found, true, dim, true)));
            }
        }
        if (!chosen.defined()) {
            chosen = std::get<1>(at::sort(x.detach(), true, dim, true)).narrow(dim, 0, k).contiguous();
        }
        return {at::gather(x, dim, chosen), chosen};
    });
}

} // extern "C"
