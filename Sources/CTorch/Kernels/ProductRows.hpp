// Rows of activations, laid out for products with packed weights.
#ifndef CTORCH_PRODUCT_ROWS_HPP
#define CTORCH_PRODUCT_ROWS_HPP

#include "AlignedMemory.hpp"
#include "PackedWeight.hpp"

namespace ctorch {

// For weights in 16 bits: float16 and a scale per group of 64 where the processor multiplies float16 (twice as fast as float32), else
// float32, since dot products of bfloat16 are no faster than those of float32 on most processors and half as fast on some. For 8 and 4 bits: x ≈ scale · q with q in −127…127 and a scale per group of 64. Each row is
// made by itself, so that it does not matter which rows are beside it. Padded to whole groups with nought.
struct ProductRows {
    // Whether it is made for weights in 16 bits.
    bool isWide = false;
    int64_t rows = 0;
    int64_t inputs = 0;
    int64_t groups = 0;
    // [rows][groups][64].
    AlignedMemory<float> values;
    AlignedMemory<uint16_t> halves;
    AlignedMemory<int8_t> codes;
    // [rows][groups].
    AlignedMemory<float> scales;
    // Scale times the sum of a group's codes: what an offset of the weights is multiplied by.
    AlignedMemory<float> sums;
    // −128 times the sum of a group's codes: what codes of weights around 128 add too much.
    AlignedMemory<int32_t> shifts;

    // Room for rows as this weight reads them; the kernel `fillRow` makes each.
    void prepare(const PackedWeight &weight, int64_t count) {
        isWide = weight.bits == 16;
        rows = count;
        inputs = weight.inputs;
        groups = weight.groups;
        if (isWide) {
            values.reserve(rows * groups * groupSize);
            halves.reserve(rows * groups * groupSize);
            scales.reserve(rows * groups);
        } else {
            codes.reserve(rows * groups * groupSize);
            scales.reserve(rows * groups);
            sums.reserve(rows * groups);
            shifts.reserve(rows * groups);
        }
    }
};

} // namespace ctorch

#endif
