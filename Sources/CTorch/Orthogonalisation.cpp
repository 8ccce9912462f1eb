#include "Barrier.hpp"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

using namespace ctorch;

namespace {

// Where matrix products are fastest; the iteration needs few digits.
at::ScalarType productType(const at::Tensor &tensor) {
    return tensor.is_cuda() || ct_bfloat16_is_fast() ? at::kBFloat16 : at::kFloat;
}

// Brings the singular values of each matrix of [n, rows, columns] near 1 and leaves its singular vectors: Newton–Schulz with the
// quintic of Jordan et al. 2024, whose slope at 0 is steep and which ends between about 0.7 and 1.2.
at::Tensor orthogonalised(at::Tensor matrices, int64_t rounds) {
    const double a = 3.4445, b = -4.7750, c = 2.0315;
    // The products are of the shorter side's size.
    bool isTall = matrices.size(1) > matrices.size(2);
    at::Tensor x = isTall ? matrices.transpose(1, 2) : matrices;
    x = x / at::linalg_vector_norm(x, 2, {1, 2}, true).clamp_min(1e-7);
    for (int64_t round = 0; round < rounds; ++round) {
        at::Tensor gram = at::bmm(x, x.transpose(1, 2));
        at::Tensor polynomial = at::baddbmm(gram, gram, gram, b, c);
        x = at::baddbmm(x, polynomial, x, a, 1);
    }
    return isTall ? x.transpose(1, 2) : x;
}

} // namespace

extern "C" {

int ct_muon_(
    const CTTensor *const *tensors, const CTTensor *const *momenta, int64_t count, double rate, double momentum,
    double weightDecay, int64_t rounds) {
    return guarded([&] {
        c10::AutoGradMode off(false);
        // Matrices of one shape go through the iteration together.
        std::map<std::pair<int64_t, int64_t>, std::vector<int64_t>> byShape;
        std::vector<at::Tensor> updates;
        for (int64_t i = 0; i < count; ++i) {
            const at::Tensor &value = tensors[i]->value;
            if (value.dim() != 2) { throw Fault{CT_SHAPE, "Muon moves matrices, not shape " + describe(value.sizes())}; }
            at::Tensor gradient = value.grad();
            at::Tensor mean = momenta[i]->value;
            mean.lerp_(gradient, 1 - momentum);
            updates.push_back(gradient.lerp(mean, momentum));
            byShape[{value.size(0), value.size(1)}].push_back(i);
        }
        for (const auto &[shape, members] : byShape) {
            std::vector<at::Tensor> together;
            for (int64_t i : members) { together.push_back(updates[i]); }
            at::Tensor stacked = at::stack(together);
            at::Tensor moves = orthogonalised(stacked.to(productType(stacked)), rounds);
            // As long as a usual step of AdamW, so that its learning rate and decay serve (Liu et al. 2025, arXiv 2502.16982).
            double length = rate * 0.2 * std::sqrt(static_cast<double>(std::max(shape.first, shape.second)));
            for (size_t place = 0; place < members.size(); ++place) {
                at::Tensor value = tensors[members[place]]->value;
                value.mul_(1 - rate * weightDecay);
                value.add_(moves.select(0, static_cast<int64_t>(place)).to(value.scalar_type()), -length);
            }
        }
    });
}

} // extern "C"
