// The handle of a packed weight.
#ifndef CTORCH_PACKED_WEIGHTS_HPP
#define CTORCH_PACKED_WEIGHTS_HPP

#include "Barrier.hpp"
#include "Kernels/PackedWeight.hpp"

struct CTPackedWeight {
    std::shared_ptr<ctorch::PackedWeight> value;
};

#endif
