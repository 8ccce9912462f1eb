#include "DecodeKernels.hpp"

#include <cstdlib>
#include <string_view>

namespace ctorch {

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
