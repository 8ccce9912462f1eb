#include "Barrier.hpp"

using namespace ctorch;

extern "C" {

int ct_gather(const CTTensor *self, int64_t dim, const CTTensor *index, CTTensor **out) {
    return yielding(out, [&] { return at::gather(self->value, dim, index->value); });
}
int ct_index_select(const CTTensor *self, int64_t dim, const CTTensor *index, CTTensor **out) {
    return yielding(out, [&] { return at::index_select(self->value, dim, index->value); });
}
int ct_scatter(const CTTensor *self, int64_t dim, const CTTensor *index, const CTTensor *source, CTTensor **out) {
    return yielding(out, [&] { return at::scatter(self->value, dim, index->value, source->value); });
}
int ct_scatter_add(
    const CTTensor *self, int64_t dim, const CTTensor *index, const CTTensor *source, CTTensor **out) {
    return yielding(out, [&] { return at::scatter_add(self->value, dim, index->value, source->value); });
}
int ct_masked_fill(const CTTensor *self, const CTTensor *mask, double value, CTTensor **out) {
    return yielding(out, [&] { return at::masked_fill(self->value, mask->value, value); });
}

int ct_reshape(const CTTensor *self, const int64_t *shape, int64_t rank, CTTensor **out) {
    return yielding(out, [&] { return self->value.reshape(ints(shape, rank)); });
}
int ct_expand(const CTTensor *self, const int64_t *shape, int64_t rank, CTTensor **out) {
    return yielding(out, [&] { return self->value.expand(ints(shape, rank)); });
}
int ct_permute(const CTTensor *self, const int64_t *dims, int64_t rank, CTTensor **out) {
    return yielding(out, [&] { return self->value.permute(ints(dims, rank)); });
}
int ct_transpose(const CTTensor *self, int64_t first, int64_t second, CTTensor **out) {
    return yielding(out, [&] { return self->value.transpose(first, second); });
}
int ct_unsqueeze(const CTTensor *self, int64_t dim, CTTensor **out) {
    return yielding(out, [&] { return self->value.unsqueeze(dim); });
}
int ct_squeeze(const CTTensor *self, int64_t dim, CTTensor **out) {
    return yielding(out, [&] {
        if (self->value.size(dim) != 1) {
            throw Fault{
                CT_SHAPE, "dimension " + std::to_string(dim) + " of shape " + describe(self->value.sizes()) +
                              " is not 1 and cannot be squeezed"};
        }
        return self->value.squeeze(dim);
    });
}
int ct_narrow(const CTTensor *self, int64_t dim, int64_t start, int64_t length, CTTensor **out) {
    return yielding(out, [&] { return self->value.narrow(dim, start, length); });
}
int ct_select(const CTTensor *self, int64_t dim, int64_t index, CTTensor **out) {
    return yielding(out, [&] { return self->value.select(dim, index); });
}
int ct_repeat_interleave(const CTTensor *self, int64_t times, int64_t dim, CTTensor **out) {
    return yielding(out, [&] { return at::repeat_interleave(self->value, times, dim); });
}
int ct_tril(const CTTensor *self, int64_t diagonal, CTTensor **out) {
    return yielding(out, [&] { return at::tril(self->value, diagonal); });
}
int ct_cat(const CTTensor *const *tensors, int64_t count, int64_t dim, CTTensor **out) {
    return yielding(out, [&] { return at::cat(list(tensors, count), dim); });
}
int ct_stack(const CTTensor *const *tensors, int64_t count, int64_t dim, CTTensor **out) {
    return yielding(out, [&] { return at::stack(list(tensors, count), dim); });
}

} // extern "C"
