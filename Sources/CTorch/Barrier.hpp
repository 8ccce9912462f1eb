// What the parts of this library share: the handles, the exception barrier, and how arguments become libtorch's.
#ifndef CTORCH_BARRIER_HPP
#define CTORCH_BARRIER_HPP

#include "include/ctorch.h"

#include <ATen/ATen.h>

#include <utility>
#include <vector>

struct CTTensor {
    at::Tensor value;

    explicit CTTensor(at::Tensor tensor);
    ~CTTensor();
    CTTensor(const CTTensor &) = delete;
    CTTensor &operator=(const CTTensor &) = delete;
};

struct CTGenerator {
    at::Generator value;
};

namespace ctorch {

// Thrown by our own checks; the code goes to the caller as it is.
struct Fault {
    int code;
    std::string message;
};

// Turns the exception in flight into a status and keeps its message for this thread.
int statusOfCurrentException() noexcept;

// Loads the CUDA part of libtorch where the installation has one; done once, before the first use of the engine.
void prepare();

// The one barrier: every function that can fail runs its body in here.
template <class Body> int guarded(Body &&body) noexcept {
    try {
        prepare();
        std::forward<Body>(body)();
        return CT_OK;
    } catch (...) {
        return statusOfCurrentException();
    }
}

// The barrier for a body that yields one tensor.
template <class Body> int yielding(CTTensor **out, Body &&body) noexcept {
    return guarded([&] { *out = new CTTensor(std::forward<Body>(body)()); });
}

// The barrier for a body that yields a pair: both are written or neither.
template <class Body> int yieldingPair(CTTensor **first, CTTensor **second, Body &&body) noexcept {
    return guarded([&] {
        auto [a, b] = std::forward<Body>(body)();
        auto owned = std::make_unique<CTTensor>(std::move(a));
        *second = new CTTensor(std::move(b));
        *first = owned.release();
    });
}

c10::ScalarType scalarType(int dtype);
int numberOf(c10::ScalarType type);
c10::Device device(CTDevice device);
CTDevice plain(c10::Device device);

inline c10::Scalar scalar(CTScalar value) {
    return value.isInteger ? c10::Scalar(value.integer) : c10::Scalar(value.real);
}
inline c10::IntArrayRef ints(const int64_t *values, int64_t count) {
    return {values, static_cast<size_t>(count)};
}
inline std::optional<at::Tensor> optional(const CTTensor *tensor) {
    return tensor ? std::optional<at::Tensor>(tensor->value) : std::nullopt;
}
std::vector<at::Tensor> list(const CTTensor *const *tensors, int64_t count);

// "[2, 3]", for messages.
std::string describe(c10::IntArrayRef shape);

} // namespace ctorch

#endif
