// Products with packed weights for x86-64 with AVX-512 and VNNI (dot products of bytes).
//
// Weights are read once for several rows of activations, whose sums stay in registers. Every line of memory is asked for a while
// before it is read, across the border of a block too, and so are scales and offsets: the hardware follows the long streams by
// itself, but starts anew at each page and each block, and never catches the short streams of scales.
// A sum is taken in the same order whatever the number of rows: within a group (whole numbers, which do not round, in 8 and 4 bits;
// float16 in 16 bits, even inputs and odd ones apart), then groups from first to last in float32. Processors without products of
// float16 widen weights of 16 bits to float32.
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

// How many bytes ahead memory is asked for in each stream: its latency at the speed that one core reads at.
constexpr int64_t distance = 2048;

// Where the group at `ahead` bytes from the one in work stands for `blocks` blocks read side by side: in the block, or in those
// that come next.
CTORCH_INLINE int64_t jump(const PackedWeight &weight, int64_t group, int blocks) {
    int64_t bytes = weight.blockBytes();
    return distance + (group * (bytes / weight.groups) + distance < bytes ? 0 : (blocks - 1) * bytes);
}

CTORCH_INLINE void ask(const void *memory) { _mm_prefetch(static_cast<const char *>(memory), _MM_HINT_T0); }

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
        const int64_t away = jump(weight, group, blocks);
        CTORCH_UNROLL
        for (int b = 0; b < blocks; b++) {
            ask(scales[b] + blocks * groups * blockRows);
            if constexpr (bits == 4) { ask(offsets[b] + blocks * groups * blockRows); }
        }
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
                ask(codes[b] + away + step * (bits == 8 ? 128 : 64));
                if constexpr (bits == 8) {
                    ask(codes[b] + away + step * 128 + 64);
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

// The same for weights in 16 bits, multiplied and added in float16 within a group.
template <int rows, int blocks>
CTORCH_HALVES void halfTile(
    const PackedWeight &weight, const ProductRows &x, int64_t row0, int64_t block0, const Target &target) {
    const uint8_t *weights[blocks];
    const uint16_t *values[rows];
    __m512 totals[rows][blocks];
    CTORCH_UNROLL
    for (int b = 0; b < blocks; b++) { weights[b] = weight.block(block0 + b); }
    CTORCH_UNROLL
    for (int r = 0; r < rows; r++) {
        values[r] = x.halves.data() + (row0 + r) * x.groups * groupSize;
        CTORCH_UNROLL
        for (int b = 0; b < blocks; b++) { totals[r][b] = _mm512_setzero_ps(); }
    }
    const int64_t groups = weight.groups;
    const float *rowScales = x.scales.data() + row0 * groups;
    for (int64_t group = 0; group < groups; group++) {
        const int64_t away = jump(weight, group, blocks);
        __m512h sums[rows][blocks];
        CTORCH_UNROLL
        for (int r = 0; r < rows; r++) {
            CTORCH_UNROLL
            for (int b = 0; b < blocks; b++) { sums[r][b] = _mm512_setzero_ph(); }
        }
#pragma clang loop unroll_count(4)
        for (int pair = 0; pair < groupSize / 2; pair++) {
            __m512h both[blocks];
            CTORCH_UNROLL
            for (int b = 0; b < blocks; b++) {
                ask(weights[b] + away + pair * 64);
                both[b] = _mm512_castsi512_ph(_mm512_load_si512(weights[b] + pair * 64));
            }
            CTORCH_UNROLL
            for (int r = 0; r < rows; r++) {
                int32_t two;
                __builtin_memcpy(&two, values[r] + pair * 2, 4);
                __m512h value = _mm512_castsi512_ph(_mm512_set1_epi32(two));
                CTORCH_UNROLL
                for (int b = 0; b < blocks; b++) { sums[r][b] = _mm512_fmadd_ph(both[b], value, sums[r][b]); }
            }
        }
        CTORCH_UNROLL
        for (int r = 0; r < rows; r++) {
            __m512 scale = _mm512_set1_ps(rowScales[r * groups + group]);
            CTORCH_UNROLL
            for (int b = 0; b < blocks; b++) {
                // The odd inputs' sums beside the even ones'.
                __m512h odd = _mm512_castsi512_ph(_mm512_srli_epi32(_mm512_castph_si512(sums[r][b]), 16));
                __m256i sum = _mm512_cvtepi32_epi16(_mm512_castph_si512(_mm512_add_ph(sums[r][b], odd)));
                totals[r][b] = _mm512_fmadd_ps(_mm512_cvtph_ps(sum), scale, totals[r][b]);
            }
            values[r] += groupSize;
        }
        CTORCH_UNROLL
        for (int b = 0; b < blocks; b++) { weights[b] += blockRows * groupSize * 2; }
    }
    CTORCH_UNROLL
    for (int r = 0; r < rows; r++) {
        CTORCH_UNROLL
        for (int b = 0; b < blocks; b++) { store(weight, row0 + r, block0 + b, totals[r][b], target); }
    }
}

// The same widened to float32: with a single chain per sum, even inputs and odd ones in turn.
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
#pragma clang loop unroll_count(2)
    for (int64_t i = 0; i < pairs; i++) {
        __m512 even[blocks], odd[blocks];
        CTORCH_UNROLL
        for (int b = 0; b < blocks; b++) {
            __m512i both = _mm512_load_si512(weights[b] + i * 64);
            even[b] = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(both));
            odd[b] = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(both, 16)));
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

// How a weight is multiplied.
enum class Form { float32, float16, bytes, nibbles };

template <Form form, int rows, int blocks>
CTORCH_INLINE void anyTile(
    const PackedWeight &weight, const ProductRows &x, int64_t row, int64_t block, const Target &target) {
    if constexpr (form == Form::float32) {
        wideTile<rows, blocks>(weight, x, row, block, target);
    } else if constexpr (form == Form::float16) {
        halfTile<rows, blocks>(weight, x, row, block, target);
    } else {
        tile<form == Form::bytes ? 8 : 4, rows, blocks, rows * blocks <= 6 ? 2 : 1>(weight, x, row, block, target);
    }
}

// Most rows whose sums the registers hold beside two blocks of weights.
template <Form form> constexpr int mostRows = form == Form::float32 ? 12 : 6;

// So many rows, found among the numbers from `count` down.
template <Form form, int blocks, int count>
CTORCH_AVX512 void rowsOf(
    const PackedWeight &weight, const ProductRows &x, int64_t row, int64_t rows, int64_t block, const Target &target) {
    if constexpr (count > 1) {
        if (rows < count) { return rowsOf<form, blocks, count - 1>(weight, x, row, rows, block, target); }
    }
    anyTile<form, count, blocks>(weight, x, row, block, target);
}

// All rows, in even tiles, with some blocks.
template <Form form, int blocks>
CTORCH_AVX512 void tilesOf(
    const PackedWeight &weight, const ProductRows &x, int64_t from, int64_t to, int64_t block, const Target &target) {
    int64_t rows = to - from, tiles = (rows + mostRows<form> - 1) / mostRows<form>;
    for (int64_t i = 0; i < tiles; i++) {
        int64_t first = rows * i / tiles, last = rows * (i + 1) / tiles;
        rowsOf<form, blocks, mostRows<form>>(weight, x, from + first, last - first, block, target);
    }
}

template <Form form>
CTORCH_AVX512 void products(
    const PackedWeight &weight, const ProductRows &x, int64_t rowFrom, int64_t rowTo, int64_t from, int64_t to,
    const Target &target) {
    if (rowTo - rowFrom == 1) {
        // One row: four blocks at a time, as many streams as one core's memory is fastest with.
        int64_t block = from;
        for (; block + 4 <= to; block += 4) { anyTile<form, 1, 4>(weight, x, rowFrom, block, target); }
        for (; block < to; block++) { anyTile<form, 1, 1>(weight, x, rowFrom, block, target); }
        return;
    }
    if (form != Form::float32 && rowTo - rowFrom > mostRows<form> && rowTo - rowFrom <= 12) {
        // A batch that talks: all rows at once, so that the weights come while sums are taken. In two goes the memory would stand
        // idle during the second. Two blocks at a time as long as their sums fit the registers.
        int64_t block = from;
        if (rowTo - rowFrom <= 8) {
            for (; block + 2 <= to; block += 2) { rowsOf<form, 2, 8>(weight, x, rowFrom, rowTo - rowFrom, block, target); }
        }
        for (; block < to; block++) { rowsOf<form, 1, 12>(weight, x, rowFrom, rowTo - rowFrom, block, target); }
        return;
    }
    // As many rows at a time as stay in the second cache beside the weights.
    int64_t rowBytes = x.groups * groupSize * (form == Form::float32 ? 4 : form == Form::float16 ? 2 : 1);
    int64_t chunk = std::max<int64_t>((int64_t(640) << 10) / rowBytes / mostRows<form>, 1) * mostRows<form>;
    for (int64_t first = rowFrom; first < rowTo; first += chunk) {
        int64_t last = std::min(first + chunk, rowTo), block = from;
        for (; block + 2 <= to; block += 2) { tilesOf<form, 2>(weight, x, first, last, block, target); }
        for (; block < to; block++) { tilesOf<form, 1>(weight, x, first, last, block, target); }
    }
}

} // namespace

void product(
    const PackedWeight &weight, const ProductRows &x, int64_t rowFrom, int64_t rowTo, int64_t from, int64_t to,
    const float *bias, float *out, int64_t stride, bool adds) {
    if (rowFrom >= rowTo) { return; }
    Target target{bias, out, stride, adds};
    switch (weight.bits) {
    case 16: return products<Form::float32>(weight, x, rowFrom, rowTo, from, to, target);
    case 8: return products<Form::bytes>(weight, x, rowFrom, rowTo, from, to, target);
    default: return products<Form::nibbles>(weight, x, rowFrom, rowTo, from, to, target);
    }
}

void productInHalves(
    const PackedWeight &weight, const ProductRows &x, int64_t rowFrom, int64_t rowTo, int64_t from, int64_t to,
    const float *bias, float *out, int64_t stride, bool adds) {
    if (weight.bits != 16) { return product(weight, x, rowFrom, rowTo, from, to, bias, out, stride, adds); }
    if (rowFrom >= rowTo) { return; }
    products<Form::float16>(weight, x, rowFrom, rowTo, from, to, Target{bias, out, stride, adds});
}

} // namespace ctorch::avx512

#endif
