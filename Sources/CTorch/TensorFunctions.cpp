#include "Barrier.hpp"

#include <cstring>

using namespace ctorch;

extern "C" {

void ct_tensor_free(CTTensor *tensor) { delete tensor; }

int ct_from_bytes(
    const void *bytes, int64_t byteCount, const int64_t *shape, int64_t rank, int dtype, CTDevice where,
    CTTensor **out) {
    return yielding(out, [&] {
        auto type = scalarType(dtype);
        auto place = device(where);
        // Checked before anything is allocated: the shape may come from a broken file.
        int64_t expected = static_cast<int64_t>(c10::elementSize(type));
        for (int64_t i = 0; i < rank; ++i) {
            if (shape[i] < 0 || __builtin_mul_overflow(expected, shape[i], &expected)) {
                throw Fault{CT_SHAPE, "impossible shape " + describe(ints(shape, rank))};
            }
        }
        if (expected != byteCount) {
            throw Fault{
                CT_SHAPE, "shape " + describe(ints(shape, rank)) + " takes " + std::to_string(expected) +
                              " bytes, but there are " + std::to_string(byteCount)};
        }
        auto tensor = at::empty(ints(shape, rank), at::TensorOptions().dtype(type));
        if (byteCount > 0) { std::memcpy(tensor.data_ptr(), bytes, static_cast<size_t>(byteCount)); }
        return place.is_cpu() ? tensor : tensor.to(place);
    });
}

int ct_full(
    const int64_t *shape, int64_t rank, CTScalar value, int dtype, CTDevice where, CTTensor **out) {
    return yielding(out, [&] {
        auto options = at::TensorOptions().dtype(scalarType(dtype)).device(device(where));
        return at::full(ints(shape, rank), scalar(value), options);
    });
}

int ct_arange(int64_t count, int dtype, CTDevice where, CTTensor **out) {
    return yielding(out, [&] {
        if (count < 0) { throw Fault{CT_ARGUMENT, "arange of a negative count"}; }
        return at::arange(count, at::TensorOptions().dtype(scalarType(dtype)).device(device(where)));
    });
}

int64_t ct_rank(const CTTensor *self) { return self->value.dim(); }
int64_t ct_count(const CTTensor *self) { return self->value.numel(); }
void ct_shape(const CTTensor *self, int64_t *shape) {
    auto sizes = self->value.sizes();
    std::copy(sizes.begin(), sizes.end(), shape);
}
int ct_dtype(const CTTensor *self) { return numberOf(self->value.scalar_type()); }
CTDevice ct_device(const CTTensor *self) { return plain(self->value.device()); }
bool ct_is_contiguous(const CTTensor *self) { return self->value.is_contiguous(); }

int ct_bytes(const CTTensor *self, const void **bytes, int64_t *byteCount) {
    return guarded([&] {
        if (!self->value.is_cpu() || !self->value.is_contiguous()) {
            throw Fault{CT_ARGUMENT, "only the bytes of a contiguous tensor on the CPU can be lent"};
        }
        *bytes = self->value.const_data_ptr();
        *byteCount = static_cast<int64_t>(self->value.nbytes());
    });
}

int ct_item(const CTTensor *self, double *value) {
    return guarded([&] {
        if (self->value.numel() != 1) {
            throw Fault{CT_SHAPE, "item() needs one element, not shape " + describe(self->value.sizes())};
        }
        *value = self->value.item().toDouble();
    });
}

int ct_alias(const CTTensor *self, CTTensor **out) {
    return yielding(out, [&] { return self->value; });
}

int ct_to_dtype(const CTTensor *self, int dtype, CTTensor **out) {
    return yielding(out, [&] { return self->value.to(scalarType(dtype)); });
}
int ct_to_device(const CTTensor *self, CTDevice where, CTTensor **out) {
    return yielding(out, [&] { return self->value.to(device(where)); });
}

int ct_copy_(CTTensor *self, const CTTensor *source) {
    return guarded([&] {
        if (self->value.sizes() != source->value.sizes()) {
            throw Fault{
                CT_SHAPE, "copy of shape " + describe(source->value.sizes()) + " into shape " +
                              describe(self->value.sizes())};
        }
        self->value.copy_(source->value);
    });
}
int ct_add_(CTTensor *self, const CTTensor *other, double scale) {
    return guarded([&] { self->value.add_(other->value, scale); });
}
int ct_mul_(CTTensor *self, const CTTensor *other) {
    return guarded([&] { self->value.mul_(other->value); });
}
int ct_mul_scalar_(CTTensor *self, double factor) {
    return guarded([&] { self->value.mul_(factor); });
}
int ct_zero_(CTTensor *self) {
    return guarded([&] { self->value.zero_(); });
}

} // extern "C"
