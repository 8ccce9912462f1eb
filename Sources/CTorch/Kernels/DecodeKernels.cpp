#include "DecodeKernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace ctorch {

QuantisedRows::QuantisedRows(const float *x, int64_t rows, int64_t inputs, int64_t groups)
    : rows(rows), groups(groups), codes(rows * groups * groupSize), scales(rows * groups), sums(rows * groups) {
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t group = 0; group < groups; group++) {
            const float *from = x + row * inputs + group * groupSize;
            int64_t count = std::min(groupSize, inputs - group * groupSize);
            float most = 0;
            for (int64_t i = 0; i < count; i++) { most = std::max(most, std::fabs(from[i])); }
            float inverse = most > 0 ? 127 / most : 0;
            int8_t *to = codes.data() + (row * groups + group) * groupSize;
            int32_t sum = 0;
            for (int64_t i = 0; i < count; i++) {
                auto code = static_cast<int32_t>(std::nearbyint(from[i] * inverse));
                to[i] = static_cast<int8_t>(code);
                sum += code;
            }
            scales[row * groups + group] = most / 127;
            sums[row * groups + group] = most / 127 * static_cast<float>(sum);
        }
    }
}

const DecodeKernels &kernels() {
    static const DecodeKernels &chosen = [&]() -> const DecodeKernels & {
        const char *wanted = std::getenv("LOAM_KERNELS");
        const DecodeKernels *fast = avx512Kernels();
        if (!fast || (wanted && std::string_view(wanted) == "portable")) { return portableKernels(); }
        return *fast;
    }();
    return chosen;
}

} // namespace ctorch
