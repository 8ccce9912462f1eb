// Products with packed weights for x86-64 with AVX-512 and VNNI (dot products of bytes).
//
// Weights are read once for several rows of activations, whose sums stay in registers. No prefetch is asked for: each thread reads
// one or two streams from first to last, which the hardware follows by itself; asking ahead was measured to be a fifth slower.
// A sum is taken in the same order whatever the number of rows: whole numbers within a group, which do not round, then groups from
// first to last (8 and 4 bits), or inputs from first to last (16 bits).
#include "AVX512.hpp"

#if defined(__x86_64__)

#include <algorithm>

namespace ctorch::avx512 {

namespace {

#define CTORCH_UNROLL _Pragma("clang loop unroll(full)")

CTORCH_INLINE __m512i quad(const int8_t *x) {
    int32_t four;
    __builtin_memcpy(&four, x, 4);
    return _mm512_set1_epi32(four);
}

struct Target {
    const float *bias;
    float *out;
    int64_t stride;
    bool adds;
};

// Puts the 16 sums of a block where they belong.
CTORCH_INLINE void store(const PackedWeight &weight, int64_t row, int64_t block, __m512 total, const Target &target) {
    __mmask16 mask = first16(weight.outputs - block * blockRows);
    if (target.bias) { total = _mm512_add_ps(total, _mm512_maskz_loadu_ps(mask, target.bias + block * blockRows)); }
    float *out = target.out + row * target.stride + block * blockRows;
    if (target.adds) { total = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, out), total); }
    _mm512_mask_storeu_ps(out, mask, total);
}

// `rows` rows by `blocks` blocks of 16 outputs. Few sums are cut into several chains, which hides the latency of the instruction.
template <int bits, int rows, int blocks, int chains>
CTORCH_AVX512 void tile(
    const PackedWeight &weight, const ProductRows &x, int64_t row0, int64_t block0, const Target &target) {
    const uint8_t *codes[blocks];
    const uint16_t *scales[blocks], *offsets[blocks];
    const int8_t *values[rows];
    __m512 totals[rows][blocks];
    CTORCH_UNROLL
    for (int b = 0; b < blocks; b++) {
        codes[b] = weight.block(block0 + b);
        scales[b] = weight.scale(block0 + b);
        offsets[b] = weight.offset(block0 + b);
    }
    CTORCH_UNROLL
    for (int r = 0; r < rows; r++) {
        values[r] = x.codes.data() + (row0 + r) * x.groups * groupSize;
        CTORCH_UNROLL
        for (int b = 0; b < blocks; b++) { totals[r][b] = _mm512_setzero_ps(); }
    }
    const __m512i low = _mm512_set1_epi8(15);
    const int64_t groups = weight.groups;
    const float *rowScales = x.scales.data() + row0 * groups, *rowSums = x.sums.data() + row0 * groups;
    const int32_t *rowShifts = x.shifts.data() + row0 * groups;
    for (int64_t group = 0; group < groups; group++) {
        __m512i sums[rows][blocks][chains];
        CTORCH_UNROLL
        for (int r = 0; r < rows; r++) {
            CTORCH_UNROLL
            for (int b = 0; b < blocks; b++) {
                sums[r][b][0] = bits == 8 ? _mm512_set1_epi32(rowShifts[r * groups + group]) : _mm512_setzero_si512();
                CTORCH_UNROLL
                for (int c = 1; c < chains; c++) { sums[r][b][c] = _mm512_setzero_si512(); }
            }
        }
        // Two quads at a time: what 64 bytes of 4 bits hold.
#pragma clang loop unroll_count(4)
        for (int step = 0; step < groupSize / 8; step++) {
            __m512i first[blocks], second[blocks];
            CTORCH_UNROLL
            for (int b = 0; b < blocks; b++) {
                if constexpr (bits == 8) {
                    first[b] = _mm512_load_si512(codes[b] + step * 128);
                    second[b] = _mm512_load_si512(codes[b] + step * 128 + 64);
                } else {
                    __m512i both = _mm512_load_si512(codes[b] + step * 64);
                    first[b] = _mm512_and_si512(both, low);
                    second[b] = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
                }
            }
            CTORCH_UNROLL
            for (int r = 0; r < rows; r++) {
                __m512i a = quad(values[r] + step * 8), b4 = quad(values[r] + step * 8 + 4);
                CTORCH_UNROLL
                for (int b = 0; b < blocks; b++) {
                    sums[r][b][0] = _mm512_dpbusd_epi32(sums[r][b][0], first[b], a);
                    sums[r][b][chains - 1] = _mm512_dpbusd_epi32(sums[r][b][chains - 1], second[b], b4);
                }
            }
        }
        CTORCH_UNROLL
        for (int b = 0; b < blocks; b++) {
            codes[b] += blockRows * groupSize * bits / 8;
            __m512 factor = halves(scales[b]);
            scales[b] += blockRows;
            __m512 offset = _mm512_setzero_ps();
            if constexpr (bits == 4) {
                offset = halves(offsets[b]);
                offsets[b] += blockRows;
            }
            CTORCH_UNROLL
            for (int r = 0; r < rows; r++) {
                __m512i sum = sums[r][b][0];
                if constexpr (chains == 2) { sum = _mm512_add_epi32(sum, sums[r][b][1]); }
                __m512 scale = _mm512_mul_ps(factor, _mm512_set1_ps(rowScales[r * groups + group]));
                totals[r][b] = _mm512_fmadd_ps(scale, _mm512_cvtepi32_ps(sum), totals[r][b]);
                if constexpr (bits == 4) {
                    totals[r][b] =
                        _mm512_fmadd_ps(offset, _mm512_set1_ps(rowSums[r * groups + group]), totals[r][b]);
                }
            }
        }
        CTORCH_UNROLL
        for (int r = 0; r < rows; r++) { values[r] += groupSize; }
    }
    CTORCH_UNROLL
    for (int r = 0; r < rows; r++) {
        CTORCH_UNROLL
        for (int b = 0; b < blocks; b++) { store(weight, row0 + r, block0 + b, totals[r][b], target); }
    }
}

// The same for weights in 16 bits, widened to float32: with a single chain per sum, even inputs and odd ones in turn.
template <int rows, int blocks>
CTORCH_AVX512 void wideTile(
    const PackedWeight &weight, const ProductRows &x, int64_t row0, int64_t block0, const Target &target) {
    const uint8_t *weights[blocks];
    const float *values[rows];
    __m512 totals[rows][blocks];
    CTORCH_UNROLL
    for (int b = 0; b < blocks; b++) { weights[b] = weight.block(block0 + b); }
    CTORCH_UNROLL
    for (int r = 0; r < rows; r++) {
        values[r] = x.values.data() + (row0 + r) * x.groups * groupSize;
        CTORCH_UNROLL
        for (int b = 0; b < blocks; b++) { totals[r][b] = _mm512_setzero_ps(); }
    }
    const int64_t pairs = weight.groups * groupSize / 2;
    const __m512i upper = _mm512_set1_epi32(static_cast<int32_t>(0xFFFF0000));
#pragma clang loop unroll_count(2)
    for (int64_t i = 0; i < pairs; i++) {
        __m512 even[blocks], odd[blocks];
        CTORCH_UNROLL
        for (int b = 0; b < blocks; b++) {
            __m512i both = _mm512_load_si512(weights[b] + i * 64);
            even[b] = _mm512_castsi512_ps(_mm512_slli_epi32(both, 16));
            odd[b] = _mm512_castsi512_ps(_mm512_and_si512(both, upper));
        }
        CTORCH_UNROLL
        for (int r = 0; r < rows; r++) {
            __m512 first = _mm512_set1_ps(values[r][i * 2]), second = _mm512_set1_ps(values[r][i * 2 + 1]);
            CTORCH_UNROLL
            for (int b = 0; b < blocks; b++) { totals[r][b] = _mm512_fmadd_ps(even[b], first, totals[r][b]); }
            CTORCH_UNROLL
            for (int b = 0; b < blocks; b++) { totals[r][b] = _mm512_fmadd_ps(odd[b], second, totals[r][b]); }
        }
    }
    CTORCH_UNROLL
    for (int r = 0; r < rows; r++) {
        CTORCH_UNROLL
        for (int b = 0; b < blocks; b++) { store(weight, row0 + r, block0 + b, totals[r][b], target); }
    }
}

template <int bits, int rows, int blocks>
CTORCH_INLINE void anyTile(
    const PackedWeight &weight, const ProductRows &x, int64_t row, int64_t block, const Target &target) {
    if constexpr (bits == 16) {
        wideTile<rows, blocks>(weight, x, row, block, target);
    } else {
        tile<bits, rows, blocks, rows * blocks <= 6 ? 2 : 1>(weight, x, row, block, target);
    }
}

// Most rows whose sums the registers hold beside two blocks of weights.
template <int bits> constexpr int mostRows = bits == 16 ? 12 : 6;

// So many rows, found among the numbers from `count` down.
template <int bits, int blocks, int count>
CTORCH_AVX512 void rowsOf(
    const PackedWeight &weight, const ProductRows &x, int64_t row, int64_t rows, int64_t block, const Target &target) {
    if constexpr (count > 1) {
        if (rows < count) { return rowsOf<bits, blocks, count - 1>(weight, x, row, rows, block, target); }
    }
    anyTile<bits, count, blocks>(weight, x, row, block, target);
}

// All rows, in even tiles, with some blocks.
template <int bits, int blocks>
CTORCH_AVX512 void tilesOf(
    const PackedWeight &weight, const ProductRows &x, int64_t from, int64_t to, int64_t block, const Target &target) {
    int64_t rows = to - from, tiles = (rows + mostRows<bits> - 1) / mostRows<bits>;
    for (int64_t i = 0; i < tiles; i++) {
        int64_t first = rows * i / tiles, last = rows * (i + 1) / tiles;
        rowsOf<bits, blocks, mostRows<bits>>(weight, x, from + first, last - first, block, target);
    }
}

template <int bits>
CTORCH_AVX512 void products(
    const PackedWeight &weight, const ProductRows &x, int64_t rowFrom, int64_t rowTo, int64_t from, int64_t to,
    const Target &target) {
    if (rowTo - rowFrom == 1) {
        // One row: more blocks at a time, in 16 bits above all, whose sums may not be cut into chains.
        int64_t block = from;
        constexpr int most = bits == 16 ? 4 : 2;
        for (; block + most <= to; block += most) { anyTile<bits, 1, most>(weight, x, rowFrom, block, target); }
        for (; block < to; block++) { anyTile<bits, 1, 1>(weight, x, rowFrom, block, target); }
        return;
    }
    if (bits != 16 && rowTo - rowFrom > mostRows<bits> && rowTo - rowFrom <= 12) {
        // A batch that talks: with all rows at once, a block at a time, the weights still come as one stream while the sums are
        // taken. In two goes the memory would stand idle during the second.
        for (int64_t block = from; block < to; block++) {
            rowsOf<bits, 1, 12>(weight, x, rowFrom, rowTo - rowFrom, block, target);
        }
        return;
    }
    // As many rows at a time as stay in the second cache beside the weights.
    int64_t rowBytes = x.groups * groupSize * (bits == 16 ? 4 : 1);
    int64_t chunk = std::max<int64_t>((int64_t(640) << 10) / rowBytes / mostRows<bits>, 1) * mostRows<bits>;
    for (int64_t first = rowFrom; first < rowTo; first += chunk) {
        int64_t last = std::min(first + chunk, rowTo), block = from;
        for (; block + 2 <= to; block += 2) { tilesOf<bits, 2>(weight, x, first, last, block, target); }
        for (; block < to; block++) { tilesOf<bits, 1>(weight, x, first, last, block, target); }
    }
}

} // namespace

void product(
    const PackedWeight &weight, const ProductRows &x, int64_t rowFrom, int64_t rowTo, int64_t from, int64_t to,
    const float *bias, float *out, int64_t stride, bool adds) {
    if (rowFrom >= rowTo) { return; }
    Target target{bias, out, stride, adds};
    switch (weight.bits) {
    case 16: return products<16>(weight, x, rowFrom, rowTo, from, to, target);
    case 8: return products<8>(weight, x, rowFrom, rowTo, from, to, target);
    default: return products<4>(weight, x, rowFrom, rowTo, from, to, target);
    }
}

} // namespace ctorch::avx512

#endif
