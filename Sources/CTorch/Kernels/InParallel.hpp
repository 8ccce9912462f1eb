// Work cut into ranges over libtorch's own threads.
#ifndef CTORCH_IN_PARALLEL_HPP
#define CTORCH_IN_PARALLEL_HPP

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/ops/empty.h>

namespace ctorch {

// Calls `body(begin, end)` with ranges that cover [0, count), at least `grain` long, on several threads where that is worth it.
//
// at::parallel_for is inline and runs one range after the other wherever the compiler has no OpenMP, as clang here has not. An
// iterator over a tensor of `count` bytes, which nobody reads, runs inside libtorch and so on its threads; the address that it hands
// out tells the place.
template <class Body> void inParallel(int64_t count, int64_t grain, const Body &body) {
    if (count <= 0) { return; }
    if (count <= grain || at::get_num_threads() == 1 || at::in_parallel_region()) {
        body(int64_t(0), count);
        return;
    }
    auto places = at::empty({count}, at::TensorOptions().dtype(at::kByte));
    const char *first = static_cast<const char *>(places.const_data_ptr());
    auto iterator = at::TensorIterator::nullary_op(places);
    iterator.for_each(
        [&](char **data, const int64_t *, int64_t length) {
            int64_t begin = data[0] - first;
            body(begin, begin + length);
        },
        grain);
}

} // namespace ctorch

#endif
