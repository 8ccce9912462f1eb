#include "Barrier.hpp"

#include <ATen/CPUGeneratorImpl.h>

using namespace ctorch;

namespace {

at::TensorOptions options(const CTGenerator *generator, int dtype) {
    return at::TensorOptions().dtype(scalarType(dtype)).device(generator->value.device());
}

} // namespace

extern "C" {

int ct_generator_new(uint64_t seed, CTDevice where, CTGenerator **out) {
    return guarded([&] {
        auto place = device(where);
        auto generator = place.is_cpu() ? at::detail::createCPUGenerator(seed)
                                        : at::detail::getCUDAHooks().getNewGenerator(place.index());
        generator.set_current_seed(seed);
        *out = new CTGenerator{std::move(generator)};
    });
}

void ct_generator_free(CTGenerator *generator) { delete generator; }

CTDevice ct_generator_device(const CTGenerator *generator) { return plain(generator->value.device()); }

int ct_generator_state(const CTGenerator *generator, CTTensor **out) {
    return yielding(out, [&] {
        auto copy = generator->value;
        std::lock_guard<std::mutex> lock(copy.mutex());
        return copy.get_state();
    });
}

int ct_generator_set_state(CTGenerator *generator, const CTTensor *state) {
    return guarded([&] {
        std::lock_guard<std::mutex> lock(generator->value.mutex());
        generator->value.set_state(state->value);
    });
}

int ct_randn(const int64_t *shape, int64_t rank, int dtype, CTGenerator *generator, CTTensor **out) {
    return yielding(
        out, [&] { return at::randn(ints(shape, rank), generator->value, options(generator, dtype)); });
}

int ct_uniform(const int64_t *shape, int64_t rank, int dtype, CTGenerator *generator, CTTensor **out) {
    return yielding(
        out, [&] { return at::rand(ints(shape, rank), generator->value, options(generator, dtype)); });
}

int ct_permutation(int64_t count, CTGenerator *generator, CTTensor **out) {
    return yielding(out, [&] { return at::randperm(count, generator->value, options(generator, CT_INT64)); });
}

int ct_multinomial(const CTTensor *weights, int64_t count, CTGenerator *generator, CTTensor **out) {
    return yielding(out, [&] { return at::multinomial(weights->value, count, false, generator->value); });
}

} // extern "C"
