// Steps of a decoder's layer that libtorch spells as five to fourteen small operations each. While generating, with one token at
// a time, their fixed cost is as much as a fifth of the whole; here each is one pass. Where gradients are recorded, on other
// devices and for other types the small operations are used, and the numbers are the same: every rounding to bfloat16 that they
// make is made here.
#include "Barrier.hpp"
#include "Kernels/InParallel.hpp"
#include "TrainingParts.hpp"

#include <c10/core/GradMode.h>

#include <cmath>
#include <initializer_list>

using namespace ctorch;

namespace {

bool isPlain(std::initializer_list<const at::Tensor *> tensors) {
    for (auto *tensor : tensors) {
        auto type = tensor->scalar_type();
        if (!tensor->is_cpu() || (type != at::kBFloat16 && type != at::kFloat)) { return false; }
        if (at::GradMode::is_enabled() && tensor->requires_grad()) { return false; }
    }
    return true;
}

template <class T> inline float rounded(float value) { return static_cast<float>(static_cast<T>(value)); }

template <class T> void rmsRows(const T *x, const float *weight, int64_t rows, int64_t width, float epsilon, T *out) {
    inParallel(rows, std::max<int64_t>(1, 65536 / width), [&](int64_t from, int64_t to) {
        for (int64_t row = from; row < to; row++) {
            const T *v = x + row * width;
            float parts[16] = {};
            int64_t i = 0;
            for (; i + 16 <= width; i += 16) {
                for (int lane = 0; lane < 16; lane++) {
                    float value = static_cast<float>(v[i + lane]);
                    parts[lane] += value * value;
                }
            }
            float sum = 0;
            for (float part : parts) { sum += part; }
            for (; i < width; i++) { sum += static_cast<float>(v[i]) * static_cast<float>(v[i]); }
            float factor = 1 / std::sqrt(sum / static_cast<float>(width) + epsilon);
            for (int64_t k = 0; k < width; k++) {
                out[row * width + k] = static_cast<T>(static_cast<float>(v[k]) * factor * weight[k]);
            }
        }
    });
}

at::Tensor rmsNorm(const at::Tensor &x, const at::Tensor &weight, double epsilon) {
    auto width = x.size(-1);
    auto dense = x.contiguous();
    auto wide = weight.to(at::kFloat).contiguous();
    auto out = at::empty_like(dense);
    auto rows = x.numel() / width;
    const float *w = wide.const_data_ptr<float>();
    if (x.scalar_type() == at::kFloat) {
        rmsRows(dense.const_data_ptr<float>(), w, rows, width, epsilon, out.mutable_data_ptr<float>());
    } else {
        rmsRows(dense.const_data_ptr<at::BFloat16>(), w, rows, width, epsilon, out.mutable_data_ptr<at::BFloat16>());
    }
    return out;
}

template <class T>
void rotateRows(const at::Tensor &x, const at::Tensor &cosine, const at::Tensor &sine, at::Tensor &out) {
    auto batch = x.size(0), heads = x.size(1), length = x.size(2), size = x.size(3), half = size / 2;
    const T *from = x.const_data_ptr<T>();
    const T *c = cosine.const_data_ptr<T>(), *s = sine.const_data_ptr<T>();
    T *to = out.mutable_data_ptr<T>();
    auto angleBatch = cosine.size(0) == 1 ? 0 : length * size;
    inParallel(batch * heads, std::max<int64_t>(1, 32768 / (length * size)), [&](int64_t begin, int64_t end) {
        for (int64_t place = begin; place < end; place++) {
            auto b = place / heads, h = place % heads;
            for (int64_t t = 0; t < length; t++) {
                const T *v = from + b * x.stride(0) + h * x.stride(1) + t * x.stride(2);
                const T *cos = c + b * angleBatch + t * size, *sin = s + b * angleBatch + t * size;
                T *target = to + (place * length + t) * size;
                for (int64_t i = 0; i < half; i++) {
                    float low = static_cast<float>(v[i]), high = static_cast<float>(v[i + half]);
                    // As x · cos + turned · sin in the tensor's type: each product and the sum are rounded.
                    float a = rounded<T>(low * static_cast<float>(cos[i]));
                    float d = rounded<T>(-high * static_cast<float>(sin[i]));
                    target[i] = static_cast<T>(a + d);
                    float e = rounded<T>(high * static_cast<float>(cos[i + half]));
                    float f = rounded<T>(low * static_cast<float>(sin[i + half]));
                    target[i + half] = static_cast<T>(e + f);
                }
            }
        }
    });
}

bool canRotate(const at::Tensor &x, const at::Tensor &cosine, const at::Tensor &sine) {
    if (!isPlain({&x, &cosine, &sine}) || x.scalar_type() != cosine.scalar_type() || x.numel() == 0) { return false; }
    if (x.stride(3) != 1 || !cosine.is_contiguous() || !sine.is_contiguous() || cosine.sizes() != sine.sizes()) {
        return false;
    }
    return cosine.dim() == 4 && cosine.size(1) == 1 && cosine.size(2) == x.size(2) && cosine.size(3) == x.size(3) &&
           (cosine.size(0) == 1 || cosine.size(0) == x.size(0)) && cosine.scalar_type() == sine.scalar_type();
}

template <class T> void gateRows(const T *gate, const T *up, int64_t count, T *out) {
    inParallel(count, 16384, [&](int64_t from, int64_t to) {
        for (int64_t i = from; i < to; i++) {
            float x = static_cast<float>(gate[i]);
            out[i] = static_cast<T>(rounded<T>(x / (1 + std::exp(-x))) * static_cast<float>(up[i]));
        }
    });
}

} // namespace

extern "C" {

int ct_rms_norm_wide(const CTTensor *self, const CTTensor *weight, double epsilon, CTTensor **out) {
    return yielding(out, [&] {
        const at::Tensor &x = self->value, &w = weight->value;
        if (x.dim() < 1 || w.dim() != 1 || x.size(-1) != w.size(0)) {
            throw Fault{CT_SHAPE, "a norm of " + describe(x.sizes()) + " with a weight " + describe(w.sizes())};
        }
        if (x.numel() > 0 && isPlain({&x, &w}) && x.scalar_type() == at::kBFloat16) { return rmsNorm(x, w, epsilon); }
        if (auto part = recordedNorm(x, w, epsilon)) { return *part; }
        auto isShort = x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf;
        auto wide = isShort ? at::kFloat : x.scalar_type();
        return at::rms_norm(x.to(wide), w.sizes(), w.to(wide), epsilon).to(x.scalar_type());
    });
}

int ct_rotate(const CTTensor *self, const CTTensor *cosine, const CTTensor *sine, CTTensor **out) {
    return yielding(out, [&] {
        const at::Tensor &x = self->value, &c = cosine->value, &s = sine->value;
        if (x.dim() != 4 || x.size(3) % 2 != 0) {
            throw Fault{CT_SHAPE, "rotation takes [batch, heads, time, even size], not " + describe(x.sizes())};
        }
        if (canRotate(x, c, s)) {
            auto result = at::empty(x.sizes(), x.options());
            if (x.scalar_type() == at::kFloat) {
                rotateRows<float>(x, c, s, result);
            } else {
                rotateRows<at::BFloat16>(x, c, s, result);
            }
            return result;
        }
        if (auto part = recordedRotation(x, c, s)) { return *part; }
        auto half = x.size(3) / 2;
        auto turned = at::cat({-x.narrow(3, half, half), x.narrow(3, 0, half)}, 3);
        return x * c + turned * s;
    });
}

int ct_silu_mul(const CTTensor *gate, const CTTensor *up, CTTensor **out) {
    return yielding(out, [&] {
        const at::Tensor &g = gate->value, &u = up->value;
        if (isPlain({&g, &u}) && g.scalar_type() == at::kBFloat16 && u.scalar_type() == at::kBFloat16 &&
            g.sizes() == u.sizes() && g.is_contiguous() && u.is_contiguous()) {
            auto result = at::empty_like(g);
            gateRows(
                g.const_data_ptr<at::BFloat16>(), u.const_data_ptr<at::BFloat16>(), g.numel(),
                result.mutable_data_ptr<at::BFloat16>());
            return result;
        }
        if (auto part = recordedGate(g, u)) { return *part; }
        return at::silu(g) * u;
    });
}

} // extern "C"
