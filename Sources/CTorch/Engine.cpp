#include "Barrier.hpp"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <torch/headeronly/version.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

using namespace ctorch;

extern "C" {

const char *ct_version(void) { return TORCH_VERSION; }

int ct_cuda_is_available(bool *available) {
    return guarded([&] { *available = at::hasCUDA() && at::detail::getCUDAHooks().deviceCount() > 0; });
}

int ct_set_thread_count(int64_t count) {
    return guarded([&] {
        if (count < 1 || count > 4096) {
            throw Fault{CT_ARGUMENT, "a thread count must lie in 1...4096, not " + std::to_string(count)};
        }
        at::set_num_threads(static_cast<int>(count));
    });
}

int ct_thread_count(int64_t *count) {
    return guarded([&] { *count = at::get_num_threads(); });
}

bool ct_bfloat16_is_fast(void) {
#if defined(__x86_64__)
    // Every processor with AMX has these instructions too. AVX-512 without them only imitates bfloat16, AVX2 not even that.
    static const bool fast = __builtin_cpu_supports("avx512bf16");
    return fast;
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
    return true;
#else
    return false;
#endif
}

void ct_release_free_memory(void) {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

bool ct_gradients_enabled(void) { return c10::GradMode::is_enabled(); }
void ct_set_gradients_enabled(bool enabled) { c10::GradMode::set_enabled(enabled); }

} // extern "C"
