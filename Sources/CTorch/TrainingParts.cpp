#include "TrainingParts.hpp"

#include "Kernels/InParallel.hpp"
#include "Kernels/TrainingKernels.hpp"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <functional>
#include <mutex>

namespace ctorch {

namespace {

using Gradients = torch::autograd::variable_list;

// A step of the record whose way back is a function; what the function holds is given back with the record.
struct Step : torch::autograd::Node {
    std::function<Gradients(const Gradients &)> back;

    Gradients apply(Gradients &&gradients) override {
        TORCH_CHECK(back != nullptr, "this part's values are gone: its gradient was taken before");
        return back(gradients);
    }
    void release_variables() override { back = nullptr; }
};

// Gives results a place in the record: `back` turns their gradients into those of the inputs, in order.
template <class... Inputs>
void record(
    const std::vector<at::Tensor> &results, std::function<Gradients(const Gradients &)> back, const Inputs &...inputs) {
    auto step = c10::make_intrusive<Step>();
    step->back = std::move(back);
    step->set_next_edges(torch::autograd::collect_next_edges(inputs...));
    for (const auto &result : results) { torch::autograd::set_history(result, step); }
}

bool wantsGradient(std::initializer_list<const at::Tensor *> tensors) {
    if (!at::GradMode::is_enabled()) { return false; }
    for (auto *tensor : tensors) {
        if (tensor->requires_grad()) { return true; }
    }
    return false;
}

bool isShort(const at::Tensor &x) { return x.is_cpu() && x.scalar_type() == at::kBFloat16; }

const uint16_t *bits(const at::Tensor &x) {
    return reinterpret_cast<const uint16_t *>(x.const_data_ptr<at::BFloat16>());
}
uint16_t *mutableBits(const at::Tensor &x) {
    return reinterpret_cast<uint16_t *>(x.mutable_data_ptr<at::BFloat16>());
}

// Rows that are worth a thread's waking: some 64 thousand elements.
int64_t grain(int64_t width) { return std::max<int64_t>(1, 65536 / std::max<int64_t>(1, width)); }

} // namespace

Part recordedNorm(const at::Tensor &x, const at::Tensor &weight, double epsilon) {
    if (!isShort(x) || !weight.is_cpu() || !wantsGradient({&x, &weight}) || x.numel() == 0) { return {}; }
    at::Tensor dense, wide, y, factors;
    auto width = x.size(-1), rows = x.numel() / width;
    {
        c10::AutoGradMode off(false);
        dense = x.detach().contiguous();
        wide = weight.detach().to(at::kFloat).contiguous();
        y = at::empty(x.sizes(), x.options());
        factors = at::empty({rows}, wide.options());
        inParallel(rows, grain(width), [&](int64_t from, int64_t to) {
            rmsForward(
                bits(dense), wide.const_data_ptr<float>(), from, to, width, static_cast<float>(epsilon), mutableBits(y),
                factors.mutable_data_ptr<float>());
        });
    }
    auto type = weight.scalar_type();
    record(
        {y},
        [=](const Gradients &gradients) -> Gradients {
            auto g = gradients[0].contiguous();
            auto xGradient = at::empty(dense.sizes(), dense.options());
            auto weightGradient = at::zeros({width}, wide.options());
            // A sum that threads share would depend on their order: each block of rows has its own, added up in order.
            auto block = std::max<int64_t>(grain(width), (rows + 15) / 16), blocks = (rows + block - 1) / block;
            auto parts = at::zeros({blocks, width}, wide.options());
            inParallel(blocks, 1, [&](int64_t from, int64_t to) {
                for (auto part = from; part < to; part++) {
                    rmsBackward(
                        bits(g), bits(dense), wide.const_data_ptr<float>(), factors.const_data_ptr<float>(),
                        part * block, std::min(rows, (part + 1) * block), width, mutableBits(xGradient),
                        parts.mutable_data_ptr<float>() + part * width);
                }
            });
            return {xGradient, parts.sum(0).to(type)};
        },
        x, weight);
    return y;
}

namespace {

at::Tensor rotated(const at::Tensor &x, const at::Tensor &cosine, const at::Tensor &sine, float sign) {
    auto batch = x.size(0), heads = x.size(1), length = x.size(2), size = x.size(3);
    auto y = at::empty(x.sizes(), x.options());
    auto angleBatch = cosine.size(0) == 1 ? 0 : length * size;
    inParallel(batch * heads, grain(length * size), [&](int64_t from, int64_t to) {
        for (auto place = from; place < to; place++) {
            auto b = place / heads, h = place % heads;
            for (int64_t t = 0; t < length; t++) {
                auto at = b * angleBatch + t * size;
                rotateRow(
                    bits(x) + b * x.stride(0) + h * x.stride(1) + t * x.stride(2), bits(cosine) + at, bits(sine) + at,
                    size, sign, mutableBits(y) + (place * length + t) * size);
            }
        }
    });
    return y;
}

} // namespace

Part recordedRotation(const at::Tensor &x, const at::Tensor &cosine, const at::Tensor &sine) {
    if (!isShort(x) || !isShort(cosine) || !isShort(sine) || !wantsGradient({&x}) || x.numel() == 0) { return {}; }
    if (cosine.requires_grad() || sine.requires_grad() || x.stride(3) != 1) { return {}; }
    if (!cosine.is_contiguous() || !sine.is_contiguous() || cosine.sizes() != sine.sizes() || cosine.dim() != 4 ||
        cosine.size(1) != 1 || cosine.size(2) != x.size(2) || cosine.size(3) != x.size(3) ||
        (cosine.size(0) != 1 && cosine.size(0) != x.size(0))) {
        return {};
    }
    at::Tensor y;
    {
        c10::AutoGradMode off(false);
        y = rotated(x.detach(), cosine, sine, 1);
    }
    record(
        {y},
        [cosine, sine](const Gradients &gradients) -> Gradients {
            auto g = gradients[0];
            // Half against half, the two sines of a pair are the same, so the way back is the turn back.
            return {rotated(g.stride(3) == 1 ? g : g.contiguous(), cosine, sine, -1)};
        },
        x);
    return y;
}

Part recordedGate(const at::Tensor &gate, const at::Tensor &up) {
    if (!isShort(gate) || !isShort(up) || gate.sizes() != up.sizes() || !wantsGradient({&gate, &up})) { return {}; }
    at::Tensor g, u, y;
    {
        c10::AutoGradMode off(false);
        g = gate.detach().contiguous();
        u = up.detach().contiguous();
        y = at::empty(g.sizes(), g.options());
        inParallel(g.numel(), 65536, [&](int64_t from, int64_t to) {
            gateForward(bits(g), bits(u), from, to, mutableBits(y));
        });
    }
    record(
        {y},
        [g, u](const Gradients &gradients) -> Gradients {
            auto slope = gradients[0].contiguous();
            auto gateGradient = at::empty(g.sizes(), g.options()), upGradient = at::empty(g.sizes(), g.options());
            inParallel(g.numel(), 65536, [&](int64_t from, int64_t to) {
                gateBackward(
                    bits(slope), bits(g), bits(u), from, to, mutableBits(gateGradient), mutableBits(upGradient));
            });
            return {gateGradient, upGradient};
        },
        gate, up);
    return y;
}

namespace {

// Calls `body(row, mask)` with each row of [batch, heads, T, S] and its row of the mask, which broadcasts.
template <class Body>
void eachScoreRow(const at::Tensor &scores, const std::optional<at::Tensor> &mask, const Body &body) {
    auto heads = scores.size(1), length = scores.size(2), width = scores.size(3);
    const bool *marks = nullptr;
    at::Tensor spread;
    if (mask) {
        spread = mask->expand({scores.size(0), mask->size(1) == 1 ? 1 : heads, length, width}).contiguous();
        marks = spread.const_data_ptr<bool>();
    }
    inParallel(scores.size(0) * heads, grain(length * width), [&](int64_t from, int64_t to) {
        for (auto place = from; place < to; place++) {
            auto own = mask && spread.size(1) == 1 ? place / heads : place;
            for (int64_t t = 0; t < length; t++) {
                body(place * length + t, t, marks ? marks + (own * length + t) * width : nullptr);
            }
        }
    });
}

} // namespace

at::Tensor recordedAttention(
    const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, const std::optional<at::Tensor> &mask, bool isCausal,
    double scale) {
    auto factor = static_cast<float>(scale);
    auto width = k.size(2);
    at::Tensor queries, keys, values, weights, y;
    {
        c10::AutoGradMode off(false);
        queries = q.detach().contiguous();
        keys = k.detach().contiguous();
        values = v.detach().contiguous();
        weights = at::matmul(queries, keys.transpose(2, 3)).contiguous();
        auto *places = mutableBits(weights);
        eachScoreRow(weights, mask, [&](int64_t row, int64_t t, const bool *marks) {
            softmaxRow(places + row * width, marks, isCausal ? t + 1 : width, width, factor);
        });
        y = at::matmul(weights, values);
    }
    record(
        {y},
        [=](const Gradients &gradients) -> Gradients {
            auto g = gradients[0].contiguous();
            auto valueGradient = at::matmul(weights.transpose(2, 3), g);
            auto slopes = at::matmul(g, values.transpose(2, 3)).contiguous();
            auto *places = mutableBits(slopes);
            eachScoreRow(slopes, {}, [&](int64_t row, int64_t t, const bool *) {
                softmaxRowBackward(
                    places + row * width, bits(weights) + row * width, isCausal ? t + 1 : width, width, factor);
            });
            return {at::matmul(slopes, keys), at::matmul(slopes.transpose(2, 3), queries), valueGradient};
        },
        q, k, v);
    return y;
}

namespace {

template <class T>
void entropies(
    const T *x, const int64_t *targets, int64_t rows, int64_t width, int64_t ignoreIndex, float *sums, float *losses,
    float (*value)(T)) {
    inParallel(rows, grain(width), [&](int64_t from, int64_t to) {
        for (auto row = from; row < to; row++) {
            if (targets[row] == ignoreIndex) {
                sums[row] = 0;
                losses[row] = 0;
                continue;
            }
            auto parts = logSumExp(x + row * width, width);
            sums[row] = parts.sum();
            losses[row] = (parts.most - value(x[row * width + targets[row]])) + parts.rest;
        }
    });
}

template <class T>
void entropySlopes(
    const T *x, const int64_t *targets, const float *sums, const float *slopes, int64_t rows, int64_t width,
    int64_t ignoreIndex, T *y, float (*value)(T), T (*shortened)(float)) {
    inParallel(rows, grain(width), [&](int64_t from, int64_t to) {
        for (auto row = from; row < to; row++) {
            auto *out = y + row * width;
            auto target = targets[row];
            if (target == ignoreIndex || slopes[row] == 0) {
                std::fill(out, out + width, T(0));
                continue;
            }
            softmaxTimes(x + row * width, sums[row], slopes[row], width, out);
            // Not the rounded product less the slope: near certainty nothing would be left of it.
            auto p = std::exp(value(x[row * width + target]) - sums[row]);
            out[target] = shortened((p - 1) * slopes[row]);
        }
    });
}

float same(float x) { return x; }

} // namespace

Part recordedCrossEntropy(const at::Tensor &logits, const at::Tensor &targets, int64_t ignoreIndex) {
    auto type = logits.scalar_type();
    if (!logits.is_cpu() || (type != at::kBFloat16 && type != at::kFloat) || logits.dim() != 2 || logits.size(1) < 1 ||
        logits.size(0) < 1 || targets.scalar_type() != at::kLong || !targets.is_cpu()) {
        return {};
    }
    auto rows = logits.size(0), width = logits.size(1);
    at::Tensor x, places, sums, losses;
    {
        c10::AutoGradMode off(false);
        x = logits.detach().contiguous();
        places = targets.contiguous();
        const auto *ids = places.const_data_ptr<int64_t>();
        for (int64_t row = 0; row < rows; row++) {
            TORCH_CHECK_INDEX(
                ids[row] == ignoreIndex || (ids[row] >= 0 && ids[row] < width), "target ", ids[row],
                " is out of bounds of ", width, " classes");
        }
        auto options = x.options().dtype(at::kFloat);
        sums = at::empty({rows}, options);
        losses = at::empty({rows}, options);
        if (type == at::kFloat) {
            entropies<float>(
                x.const_data_ptr<float>(), ids, rows, width, ignoreIndex, sums.mutable_data_ptr<float>(),
                losses.mutable_data_ptr<float>(), same);
        } else {
            entropies<uint16_t>(
                bits(x), ids, rows, width, ignoreIndex, sums.mutable_data_ptr<float>(),
                losses.mutable_data_ptr<float>(), widenedBits);
        }
    }
    if (!wantsGradient({&logits})) { return losses; }
    record(
        {losses},
        [=](const Gradients &gradients) -> Gradients {
            auto slopes = gradients[0].contiguous();
            auto y = at::empty(x.sizes(), x.options());
            const auto *ids = places.const_data_ptr<int64_t>();
            const auto *totals = sums.const_data_ptr<float>(), *g = slopes.const_data_ptr<float>();
            if (type == at::kFloat) {
                entropySlopes<float>(
                    x.const_data_ptr<float>(), ids, totals, g, rows, width, ignoreIndex, y.mutable_data_ptr<float>(),
                    same, same);
            } else {
                entropySlopes<uint16_t>(
                    bits(x), ids, totals, g, rows, width, ignoreIndex, mutableBits(y), widenedBits, narrowedBits);
            }
            return {y};
        },
        logits);
    return losses;
}

namespace {

bool isRowsOfLogits(const at::Tensor &logits) {
    auto type = logits.scalar_type();
    return logits.is_cpu() && (type == at::kBFloat16 || type == at::kFloat) && logits.dim() == 2 && logits.numel() > 0;
}

template <class T>
void scoreRows(
    const T *x, const int64_t *picks, int64_t rows, int64_t width, int64_t count, float *sums, float *values,
    float (*value)(T)) {
    inParallel(rows, grain(width), [&](int64_t from, int64_t to) {
        for (auto row = from; row < to; row++) {
            sums[row] = logSumExp(x + row * width, width).sum();
            for (int64_t k = 0; k < count; k++) { values[row * count + k] = value(x[row * width + picks[row * count + k]]); }
        }
    });
}

template <class T>
void scoreSlopes(
    const T *x, const int64_t *picks, const float *sums, const float *sumSlopes, const float *valueSlopes, int64_t rows,
    int64_t width, int64_t count, T *y, float (*value)(T), T (*shortened)(float)) {
    inParallel(rows, grain(width), [&](int64_t from, int64_t to) {
        for (auto row = from; row < to; row++) {
            auto *out = y + row * width;
            float slope = sumSlopes ? sumSlopes[row] : 0;
            if (slope == 0) {
                std::fill(out, out + width, T(0));
            } else {
                softmaxTimes(x + row * width, sums[row], slope, width, out);
            }
            if (!valueSlopes) { continue; }
            for (int64_t k = 0; k < count; k++) {
                auto place = picks[row * count + k];
                // All that falls on one place together, from the unrounded probability, once.
                float extra = 0;
                bool isFirst = true;
                for (int64_t other = 0; other < count; other++) {
                    if (picks[row * count + other] != place) { continue; }
                    if (other < k) { isFirst = false; }
                    extra += valueSlopes[row * count + other];
                }
                if (!isFirst) { continue; }
                float p = slope == 0 ? 0 : std::exp(value(x[row * width + place]) - sums[row]);
                out[place] = shortened(p * slope + extra);
            }
        }
    });
}

template <class T> void otherRows(const T *x, const int64_t *except, int64_t rows, int64_t width, int64_t *places) {
    inParallel(rows, grain(width), [&](int64_t from, int64_t to) {
        for (auto row = from; row < to; row++) { places[row] = largestBut(x + row * width, except[row], width); }
    });
}

} // namespace

std::optional<std::tuple<at::Tensor, at::Tensor>> recordedScores(const at::Tensor &logits, const at::Tensor &picks) {
    if (!isRowsOfLogits(logits) || picks.dim() != 2 || picks.size(0) != logits.size(0) || !picks.is_cpu() ||
        picks.scalar_type() != at::kLong) {
        return {};
    }
    auto rows = logits.size(0), width = logits.size(1), count = picks.size(1);
    bool isFloat = logits.scalar_type() == at::kFloat;
    at::Tensor x, places, sums, values;
    {
        c10::AutoGradMode off(false);
        x = logits.detach().contiguous();
        places = picks.contiguous();
        const auto *ids = places.const_data_ptr<int64_t>();
        for (int64_t i = 0; i < rows * count; i++) {
            TORCH_CHECK_INDEX(ids[i] >= 0 && ids[i] < width, "place ", ids[i], " is out of bounds of ", width);
        }
        auto options = x.options().dtype(at::kFloat);
        sums = at::empty({rows}, options);
        values = at::empty({rows, count}, options);
        auto *a = sums.mutable_data_ptr<float>(), *b = values.mutable_data_ptr<float>();
        if (isFloat) {
            scoreRows<float>(x.const_data_ptr<float>(), ids, rows, width, count, a, b, same);
        } else {
            scoreRows<uint16_t>(bits(x), ids, rows, width, count, a, b, widenedBits);
        }
    }
    if (wantsGradient({&logits})) {
        record(
            {sums, values},
            // Without the sums themselves: a result that its own way back holds would never be given back.
            [x, places, kept = sums.detach(), rows, width, count, isFloat](const Gradients &gradients) -> Gradients {
                at::Tensor first, second;
                const float *a = nullptr, *b = nullptr;
                if (gradients[0].defined()) {
                    first = gradients[0].contiguous();
                    a = first.const_data_ptr<float>();
                }
                if (gradients[1].defined()) {
                    second = gradients[1].contiguous();
                    b = second.const_data_ptr<float>();
                }
                auto y = at::empty(x.sizes(), x.options());
                const auto *ids = places.const_data_ptr<int64_t>();
                const auto *totals = kept.const_data_ptr<float>();
                if (isFloat) {
                    scoreSlopes<float>(
                        x.const_data_ptr<float>(), ids, totals, a, b, rows, width, count, y.mutable_data_ptr<float>(),
                        same, same);
                } else {
                    scoreSlopes<uint16_t>(
                        bits(x), ids, totals, a, b, rows, width, count, mutableBits(y), widenedBits, narrowedBits);
                }
                return {y};
            },
            logits);
    }
    return std::tuple(sums, values);
}

Part largestOthers(const at::Tensor &logits, const at::Tensor &except) {
    if (!isRowsOfLogits(logits) || logits.size(1) < 2 || except.dim() != 1 || except.size(0) != logits.size(0) ||
        !except.is_cpu() || except.scalar_type() != at::kLong) {
        return {};
    }
    c10::AutoGradMode off(false);
    auto x = logits.detach().contiguous(), ids = except.contiguous();
    auto rows = x.size(0), width = x.size(1);
    const auto *skipped = ids.const_data_ptr<int64_t>();
    for (int64_t i = 0; i < rows; i++) {
        TORCH_CHECK_INDEX(skipped[i] >= 0 && skipped[i] < width, "place ", skipped[i], " is out of bounds of ", width);
    }
    auto places = at::empty({rows}, ids.options());
    if (x.scalar_type() == at::kFloat) {
        otherRows<float>(x.const_data_ptr<float>(), skipped, rows, width, places.mutable_data_ptr<int64_t>());
    } else {
        otherRows<uint16_t>(bits(x), skipped, rows, width, places.mutable_data_ptr<int64_t>());
    }
    return places;
}

} // namespace ctorch
