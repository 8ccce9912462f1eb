#include "Barrier.hpp"
#include "Kernels/DecodeKernels.hpp"
#include "PackedWeights.hpp"

using namespace ctorch;

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

int ct_packed_linear(
    const CTTensor *self, const CTPackedWeight *packed, const CTTensor *bias, bool isWide, CTTensor **out) {
    return yielding(out, [&] {
        return packed->value->linear(self->value, optional(bias), isWide ? at::kFloat : self->value.scalar_type());
    });
}

int ct_packed_part(const CTPackedWeight *packed, int part, CTTensor **out) {
    return guarded([&] {
        const PackedWeight &weight = *packed->value;
        const at::Tensor *parts[] = {&weight.codes, &weight.scales, &weight.offsets};
        if (part < 0 || part > 2) { throw Fault{CT_ARGUMENT, "a packed weight has three parts"}; }
        *out = parts[part]->defined() ? new CTTensor(*parts[part]) : nullptr;
    });
}

int ct_packed_from(
    int bits, int64_t outputs, int64_t inputs, const CTTensor *codes, const CTTensor *scales, const CTTensor *offsets,
    CTPackedWeight **out) {
    return guarded([&] {
        auto packed = std::make_unique<CTPackedWeight>();
        packed->value =
            PackedWeight::from(bits, outputs, inputs, codes->value, optional(scales), optional(offsets));
        *out = packed.release();
    });
}

const char *ct_kernel_name(void) { return kernels().name; }

} // extern "C"
