#include "Barrier.hpp"

#include <ATen/Context.h>
#include <c10/util/Exception.h>

#include <atomic>
#include <cctype>
#include <new>
#include <sstream>
#include <string_view>

#include <dlfcn.h>

namespace {

std::atomic<int64_t> liveTensors{0};

std::string &lastMessage() {
    thread_local std::string message;
    return message;
}

int fail(int code, std::string_view message) noexcept {
    try {
        lastMessage().assign(message);
    } catch (...) {
        // Without memory for the message the code alone must do.
        lastMessage().clear();
    }
    return code;
}

// libtorch throws one class for nearly everything, so the kind is read from its words.
int kind(std::string_view message) {
    auto says = [&](std::string_view words) { return message.find(words) != std::string_view::npos; };
    if (says("can't allocate memory") || says("out of memory") || says("not enough memory") ||
        says("Storage size calculation overflowed")) {
        return CT_OUT_OF_MEMORY;
    }
    if (says("out of range") || says("out of bounds")) { return CT_ARGUMENT; }
    if (says("dtype") || says("scalar type") || says("ScalarType") || says("not implemented for '") ||
        says("can't be cast") || says("type Float but") || says("floating point")) {
        return CT_DTYPE;
    }
    if (says("size") || says("shape") || says("dimension") || says("Dimension") || says("numel") || says("-D ")) {
        return CT_SHAPE;
    }
    return CT_RUNTIME;
}

} // namespace

CTTensor::CTTensor(at::Tensor tensor) : value(std::move(tensor)) { liveTensors.fetch_add(1); }
CTTensor::~CTTensor() { liveTensors.fetch_sub(1); }

namespace ctorch {

int statusOfCurrentException() noexcept {
    try {
        throw;
    } catch (const Fault &fault) {
        return fail(fault.code, fault.message);
    } catch (const c10::OutOfMemoryError &error) {
        return fail(CT_OUT_OF_MEMORY, error.what_without_backtrace());
    } catch (const c10::IndexError &error) {
        return fail(CT_ARGUMENT, error.what_without_backtrace());
    } catch (const c10::TypeError &error) {
        return fail(CT_DTYPE, error.what_without_backtrace());
    } catch (const c10::Error &error) {
        return fail(kind(error.what_without_backtrace()), error.what_without_backtrace());
    } catch (const std::bad_alloc &) {
        return fail(CT_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception &error) {
        return fail(kind(error.what()), error.what());
    } catch (...) {
        return fail(CT_RUNTIME, "an exception of an unknown kind");
    }
}

void prepare() {
    // Only libtorch_cpu is linked, so that one program serves both kinds of installation. It must happen before the
    // engine first asks which devices there are: it asks once. A missing library means an installation without CUDA.
    static const bool loaded = dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_GLOBAL) != nullptr;
    (void)loaded;
}

c10::ScalarType scalarType(int dtype) {
    switch (dtype) {
    case CT_FLOAT64: return at::kDouble;
    case CT_FLOAT32: return at::kFloat;
    case CT_BFLOAT16: return at::kBFloat16;
    case CT_FLOAT16: return at::kHalf;
    case CT_INT64: return at::kLong;
    case CT_INT32: return at::kInt;
    case CT_UINT8: return at::kByte;
    case CT_BOOL: return at::kBool;
    default: throw Fault{CT_DTYPE, "unknown dtype " + std::to_string(dtype)};
    }
}

int numberOf(c10::ScalarType type) {
    switch (type) {
    case at::kDouble: return CT_FLOAT64;
    case at::kFloat: return CT_FLOAT32;
    case at::kBFloat16: return CT_BFLOAT16;
    case at::kHalf: return CT_FLOAT16;
    case at::kLong: return CT_INT64;
    case at::kInt: return CT_INT32;
    case at::kByte: return CT_UINT8;
    case at::kBool: return CT_BOOL;
    default: return -1;
    }
}

c10::Device device(CTDevice device) {
    if (device.kind == CT_CPU) { return c10::Device(c10::kCPU); }
    if (device.kind != CT_CUDA) { throw Fault{CT_ARGUMENT, "unknown kind of device"}; }
    if (!at::hasCUDA()) { throw Fault{CT_ARGUMENT, "this libtorch has no CUDA device"}; }
    auto count = at::detail::getCUDAHooks().deviceCount();
    if (device.index < 0 || device.index >= count) {
        throw Fault{
            CT_ARGUMENT, "no device cuda:" + std::to_string(device.index) + ", there are " + std::to_string(count)};
    }
    return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(device.index));
}

CTDevice plain(c10::Device device) {
    if (device.is_cuda()) { return {CT_CUDA, device.has_index() ? device.index() : 0}; }
    return {CT_CPU, 0};
}

std::vector<at::Tensor> list(const CTTensor *const *tensors, int64_t count) {
    std::vector<at::Tensor> values;
    values.reserve(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) { values.push_back(tensors[i]->value); }
    return values;
}

std::string describe(c10::IntArrayRef shape) {
    std::ostringstream text;
    text << shape;
    return text.str();
}

} // namespace ctorch

extern "C" {

const char *ct_last_error_message(void) { return lastMessage().c_str(); }
int64_t ct_live_tensor_count(void) { return liveTensors.load(); }

} // extern "C"
