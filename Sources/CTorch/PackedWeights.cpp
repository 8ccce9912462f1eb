#include "Barrier.hpp"
#include "Kernels/DecodeKernels.hpp"
#include "Kernels/PackedWeight.hpp"

using namespace ctorch;

struct CTPackedWeight {
    std::unique_ptr<PackedWeight> value;
};

extern "C" {

int ct_packed_new(const CTTensor *weight, int bits, CTPackedWeight **out) {
    return guarded([&] {
        auto packed = std::make_unique<CTPackedWeight>();
        packed->value = PackedWeight::pack(weight->value, bits);
        *out = packed.release();
    });
}

void ct_packed_free(CTPackedWeight *packed) { delete packed; }

int64_t ct_packed_byte_count(const CTPackedWeight *packed) { return packed->value->byteCount(); }

int ct_packed_unpack(const CTPackedWeight *packed, int dtype, CTTensor **out) {
    return yielding(out, [&] { return packed->value->unpack(0, packed->value->outputs, scalarType(dtype)); });
}

int ct_packed_linear(const CTTensor *self, const CTPackedWeight *packed, const CTTensor *bias, CTTensor **out) {
    return yielding(out, [&] { return packed->value->linear(self->value, optional(bias)); });
}

const char *ct_kernel_name(void) { return kernels().name; }

} // extern "C"
