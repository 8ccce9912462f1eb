#include "DecodeKernels.hpp"

#include <cstdlib>
#include <string_view>

namespace ctorch {

const DecodeKernels &kernels() {
    static const DecodeKernels &chosen = [&]() -> const DecodeKernels & {
        const char *wanted = std::getenv("LOAM_KERNELS");
        const DecodeKernels *fast = avx512Kernels();
        std::string_view name = wanted ? wanted : "";
        if (!fast || name == "portable") { return portableKernels(); }
        const DecodeKernels *half = avx512HalfKernels();
        return half && name != "avx512" ? *half : *fast;
    }();
    return chosen;
}

} // namespace ctorch
