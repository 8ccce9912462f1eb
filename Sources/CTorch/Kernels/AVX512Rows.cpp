// Norms, rotation, attention, gates and the rounding of activations for x86-64 with AVX-512.
#include "AVX512.hpp"

#if defined(__x86_64__)

#include <algorithm>
#include <cmath>

namespace ctorch::avx512 {

namespace {

// e^x within two units in the last place: x = n ln 2 + r, a polynomial of degree 6 in r (Cephes' expf).
CTORCH_INLINE __m512 exponential(__m512 x) {
    // Of operands one of which is NaN these instructions give the second: x comes second, so that its NaN stays one.
    x = _mm512_max_ps(_mm512_set1_ps(-87.3365478515625f), _mm512_min_ps(_mm512_set1_ps(88.3762626647949f), x));
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504088896341f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.9875691500e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.3981999507e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.3334519073e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.1665795894e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.6666665459e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.0000001201e-1f));
    p = _mm512_fmadd_ps(_mm512_mul_ps(p, r), r, _mm512_add_ps(r, _mm512_set1_ps(1)));
    return _mm512_scalef_ps(p, n);
}

CTORCH_INLINE __m512 silu(__m512 x) {
    __m512 e = exponential(_mm512_sub_ps(_mm512_setzero_ps(), x));
    return _mm512_div_ps(x, _mm512_add_ps(_mm512_set1_ps(1), e));
}

// 0.5 x (1 + tanh u) = x / (1 + e^(−2u)).
CTORCH_INLINE __m512 geluTanh(__m512 x) {
    __m512 cube = _mm512_mul_ps(_mm512_mul_ps(x, x), x);
    __m512 u = _mm512_mul_ps(
        _mm512_set1_ps(-2 * 0.7978845608f), _mm512_fmadd_ps(_mm512_set1_ps(0.044715f), cube, x));
    return _mm512_div_ps(x, _mm512_add_ps(_mm512_set1_ps(1), exponential(u)));
}

// The sums of 16 vectors, each in the lane of its number.
CTORCH_INLINE __m512 sums(const __m512 *v) {
    __m512 quads[4];
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        __m512 a = _mm512_add_ps(_mm512_unpacklo_ps(v[4 * i], v[4 * i + 1]), _mm512_unpackhi_ps(v[4 * i], v[4 * i + 1]));
        __m512 b = _mm512_add_ps(
            _mm512_unpacklo_ps(v[4 * i + 2], v[4 * i + 3]), _mm512_unpackhi_ps(v[4 * i + 2], v[4 * i + 3]));
        // a: v0, v1, v0, v1 in each quarter; b: v2, v3, v2, v3.
        quads[i] = _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xEE));
    }
    __m512 low = _mm512_add_ps(
        _mm512_shuffle_f32x4(quads[0], quads[1], 0x88), _mm512_shuffle_f32x4(quads[0], quads[1], 0xDD));
    __m512 high = _mm512_add_ps(
        _mm512_shuffle_f32x4(quads[2], quads[3], 0x88), _mm512_shuffle_f32x4(quads[2], quads[3], 0xDD));
    return _mm512_add_ps(_mm512_shuffle_f32x4(low, high, 0x88), _mm512_shuffle_f32x4(low, high, 0xDD));
}

// Scores of 16 keys; those beyond the last are not read.
template <int vectors>
CTORCH_INLINE __m512 scores(const uint16_t *query, const uint16_t *keys, int64_t size, int64_t count) {
    __m512 dots[16];
    __mmask32 tail = first32(size - 32 * (vectors - 1));
    __m512bh q[vectors];
#pragma clang loop unroll(full)
    for (int i = 0; i < vectors; i++) { q[i] = line(query + 32 * i, i + 1 < vectors ? ~0u : tail); }
#pragma clang loop unroll(full)
    for (int key = 0; key < 16; key++) {
        __m512 dot = _mm512_setzero_ps();
        const uint16_t *k = keys + std::min<int64_t>(key, count - 1) * size;
#pragma clang loop unroll(full)
        for (int i = 0; i < vectors; i++) {
            dot = _mm512_dpbf16_ps(dot, line(k + 32 * i, i + 1 < vectors ? ~0u : tail), q[i]);
        }
        dots[key] = dot;
    }
    return sums(dots);
}

CTORCH_AVX512 __m512 scoresOfAnySize(const uint16_t *query, const uint16_t *keys, int64_t size, int64_t count) {
    __m512 dots[16];
    for (int key = 0; key < 16; key++) {
        dots[key] = _mm512_setzero_ps();
        const uint16_t *k = keys + std::min<int64_t>(key, count - 1) * size;
        for (int64_t i = 0; i < size; i += 32) {
            __mmask32 mask = first32(size - i);
            dots[key] = _mm512_dpbf16_ps(dots[key], line(k + i, mask), line(query + i, mask));
        }
    }
    return sums(dots);
}

// 64 numbers of the values' width, for `count` queries at once: each value is read and widened once.
template <int count>
CTORCH_AVX512 void mix(const Attended &what, int64_t begin, int64_t end, int64_t at, const float *const *weights) {
    __m512 out[count][4];
    __mmask16 masks[4];
#pragma clang loop unroll(full)
    for (int part = 0; part < 4; part++) { masks[part] = first16(what.size - at - 16 * part); }
#pragma clang loop unroll(full)
    for (int query = 0; query < count; query++) {
#pragma clang loop unroll(full)
        for (int part = 0; part < 4; part++) { out[query][part] = _mm512_setzero_ps(); }
    }
    for (int64_t key = begin; key < end; key++) {
        const uint16_t *value = what.values + key * what.size + at;
        __m512 parts[4];
#pragma clang loop unroll(full)
        for (int part = 0; part < 4; part++) { parts[part] = widened(value + 16 * part, masks[part]); }
#pragma clang loop unroll(full)
        for (int query = 0; query < count; query++) {
            __m512 weight = _mm512_set1_ps(weights[query][key]);
#pragma clang loop unroll(full)
            for (int part = 0; part < 4; part++) {
                out[query][part] = _mm512_fmadd_ps(weight, parts[part], out[query][part]);
            }
        }
    }
#pragma clang loop unroll(full)
    for (int query = 0; query < count; query++) {
#pragma clang loop unroll(full)
        for (int part = 0; part < 4; part++) {
            _mm512_mask_storeu_ps(what.out[query] + at + 16 * part, masks[part], out[query][part]);
        }
    }
}

} // namespace

CTORCH_AVX512 void fillRow(ProductRows &rows, int64_t row, int64_t from, int64_t to, const float *x) {
    for (int64_t group = from; group < to; group++) {
        const float *source = x + group * groupSize;
        int64_t count = std::min(groupSize, rows.inputs - group * groupSize), at = row * rows.groups + group;
        __m512 parts[4];
        for (int i = 0; i < 4; i++) { parts[i] = _mm512_maskz_loadu_ps(first16(count - 16 * i), source + 16 * i); }
        if (rows.isWide) {
            for (int i = 0; i < 4; i++) { _mm512_store_ps(rows.values.data() + at * groupSize + 16 * i, parts[i]); }
            continue;
        }
        // As whole numbers, whose order without signs is that of the numbers, and NaN above all of them.
        __m512i largest = _mm512_castps_si512(_mm512_abs_ps(parts[0]));
        for (int i = 1; i < 4; i++) {
            largest = _mm512_max_epi32(largest, _mm512_castps_si512(_mm512_abs_ps(parts[i])));
        }
        int32_t bits = _mm512_reduce_max_epi32(largest);
        float most;
        __builtin_memcpy(&most, &bits, sizeof most);
        if (!std::isfinite(most)) {
            // No code stands for it: the scale says what the group is worth.
            for (int i = 0; i < 4; i++) {
                _mm_store_si128(
                    reinterpret_cast<__m128i *>(rows.codes.data() + at * groupSize + 16 * i), _mm_setzero_si128());
            }
            rows.scales.data()[at] = most;
            rows.sums.data()[at] = most;
            rows.shifts.data()[at] = 0;
            continue;
        }
        __m512 inverse = _mm512_set1_ps(most > 0 ? 127 / most : 0);
        __m512i total = _mm512_setzero_si512();
        for (int i = 0; i < 4; i++) {
            __m512i code = _mm512_cvtps_epi32(_mm512_mul_ps(parts[i], inverse));
            total = _mm512_add_epi32(total, code);
            _mm_store_si128(
                reinterpret_cast<__m128i *>(rows.codes.data() + at * groupSize + 16 * i), _mm512_cvtsepi32_epi8(code));
        }
        int32_t sum = _mm512_reduce_add_epi32(total);
        rows.scales.data()[at] = most / 127;
        rows.sums.data()[at] = most / 127 * static_cast<float>(sum);
        rows.shifts.data()[at] = -128 * sum;
    }
}

// For weights in 16 bits float16 with a scale, so that no activation is too large for it and no sum of a group either.
CTORCH_AVX512 void fillRowWithHalves(ProductRows &rows, int64_t row, int64_t from, int64_t to, const float *x) {
    if (!rows.isWide) { return fillRow(rows, row, from, to, x); }
    for (int64_t group = from; group < to; group++) {
        const float *source = x + group * groupSize;
        int64_t count = std::min(groupSize, rows.inputs - group * groupSize), at = row * rows.groups + group;
        __m512 parts[4];
        for (int i = 0; i < 4; i++) { parts[i] = _mm512_maskz_loadu_ps(first16(count - 16 * i), source + 16 * i); }
        __m512 largest = _mm512_abs_ps(parts[0]);
        for (int i = 1; i < 4; i++) { largest = _mm512_max_ps(largest, _mm512_abs_ps(parts[i])); }
        float most = _mm512_reduce_max_ps(largest);
        __m512 inverse = _mm512_set1_ps(most > 0 ? 1 / most : 0);
        for (int i = 0; i < 4; i++) {
            __m256i narrow = _mm512_cvtps_ph(_mm512_mul_ps(parts[i], inverse), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
            _mm256_store_si256(reinterpret_cast<__m256i *>(rows.halves.data() + at * groupSize + 16 * i), narrow);
        }
        rows.scales.data()[at] = most;
    }
}

CTORCH_AVX512 void norm(const NormWeights &norm, const float *x, int64_t width, float *out) {
    __m512 mean = _mm512_setzero_ps();
    if (norm.isCentred) {
        for (int64_t i = 0; i < width; i += 16) {
            mean = _mm512_add_ps(mean, _mm512_maskz_loadu_ps(first16(width - i), x + i));
        }
        mean = _mm512_set1_ps(_mm512_reduce_add_ps(mean) / static_cast<float>(width));
    }
    __m512 squares = _mm512_setzero_ps();
    for (int64_t i = 0; i < width; i += 16) {
        __mmask16 mask = first16(width - i);
        __m512 value = _mm512_maskz_sub_ps(mask, _mm512_maskz_loadu_ps(mask, x + i), mean);
        squares = _mm512_fmadd_ps(value, value, squares);
    }
    float factor = 1 / std::sqrt(_mm512_reduce_add_ps(squares) / static_cast<float>(width) + norm.epsilon);
    for (int64_t i = 0; i < width; i += 16) {
        __mmask16 mask = first16(width - i);
        __m512 value = _mm512_mul_ps(_mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i), mean), _mm512_set1_ps(factor));
        if (norm.weight) { value = _mm512_mul_ps(value, _mm512_maskz_loadu_ps(mask, norm.weight + i)); }
        if (norm.bias) { value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, norm.bias + i)); }
        _mm512_mask_storeu_ps(out + i, mask, value);
    }
}

CTORCH_AVX512 void turn(const float *x, const float *cosine, const float *sine, int64_t size, uint16_t *out) {
    if (!cosine) {
        for (int64_t i = 0; i < size; i += 16) {
            __mmask16 mask = first16(size - i);
            storeNarrow(out + i, mask, _mm512_maskz_loadu_ps(mask, x + i));
        }
        return;
    }
    int64_t half = size / 2;
    for (int64_t i = 0; i < half; i += 16) {
        __mmask16 mask = first16(half - i);
        __m512 low = _mm512_maskz_loadu_ps(mask, x + i), high = _mm512_maskz_loadu_ps(mask, x + half + i);
        auto at = [&](const float *from) CTORCH_AVX512 { return _mm512_maskz_loadu_ps(mask, from + i); };
        __m512 first = _mm512_fnmadd_ps(high, at(sine), _mm512_mul_ps(low, at(cosine)));
        __m512 second = _mm512_fmadd_ps(low, at(sine + half), _mm512_mul_ps(high, at(cosine + half)));
        storeNarrow(out + i, mask, first);
        storeNarrow(out + half + i, mask, second);
    }
}

// Keys are taken in sixteens counted from the first of the sequence, so that sums do not depend on who is attended beside whom.
CTORCH_AVX512 void attend(const Attended &what) {
    int64_t begin = what.first[0], end = what.last[0];
    for (int64_t i = 1; i < what.count; i++) {
        begin = std::min(begin, what.first[i]);
        end = std::max(end, what.last[i]);
    }
    begin = begin / 16 * 16;
    int64_t room = (end + 15) / 16 * 16;
    float *weights[mostQueries];
    float totals[mostQueries];
    for (int64_t query = 0; query < what.count; query++) {
        float *own = what.scratch + query * room;
        weights[query] = own;
        int64_t first = what.first[query], last = what.last[query];
        __m512 most = _mm512_set1_ps(-INFINITY);
        __m512 infinite = most, scale = _mm512_set1_ps(what.scale);
        for (int64_t key = first / 16 * 16; key < last; key += 16) {
            const uint16_t *keys = what.keys + key * what.size;
            int64_t count = last - key;
            const uint16_t *q = what.queries[query];
            __m512 found = what.size <= 32    ? scores<1>(q, keys, what.size, count)
                           : what.size <= 64  ? scores<2>(q, keys, what.size, count)
                           : what.size <= 96  ? scores<3>(q, keys, what.size, count)
                           : what.size <= 128 ? scores<4>(q, keys, what.size, count)
                                              : scoresOfAnySize(q, keys, what.size, count);
            __mmask16 seen = first16(count) & static_cast<__mmask16>(~first16(first - key));
            found = _mm512_mask_mul_ps(infinite, seen, found, scale);
            most = _mm512_max_ps(most, found);
            _mm512_storeu_ps(own + key, found);
        }
        __m512 highest = _mm512_set1_ps(_mm512_reduce_max_ps(most)), total = _mm512_setzero_ps();
        for (int64_t key = begin; key < room; key += 16) {
            __mmask16 seen = first16(last - key) & static_cast<__mmask16>(~first16(first - key));
            __m512 weight = seen ? _mm512_maskz_mov_ps(
                                       seen, exponential(_mm512_sub_ps(_mm512_loadu_ps(own + key), highest)))
                                 : _mm512_setzero_ps();
            total = _mm512_add_ps(total, weight);
            _mm512_storeu_ps(own + key, weight);
        }
        totals[query] = _mm512_reduce_add_ps(total);
    }
    for (int64_t at = 0; at < what.size; at += 64) {
        switch (what.count) {
        case 1: mix<1>(what, begin, end, at, weights); break;
        case 2: mix<2>(what, begin, end, at, weights); break;
        case 3: mix<3>(what, begin, end, at, weights); break;
        case 4: mix<4>(what, begin, end, at, weights); break;
        case 5: mix<5>(what, begin, end, at, weights); break;
        default: mix<6>(what, begin, end, at, weights); break;
        }
    }
    for (int64_t query = 0; query < what.count; query++) {
        __m512 inverse = _mm512_set1_ps(1 / totals[query]);
        for (int64_t i = 0; i < what.size; i += 16) {
            __mmask16 mask = first16(what.size - i);
            float *out = what.out[query] + i;
            _mm512_mask_storeu_ps(out, mask, _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, out), inverse));
        }
    }
}

CTORCH_AVX512 void gate(Curve curve, const float *gate, const float *up, int64_t count, float *out) {
    if (curve == Curve::gelu || curve == Curve::tanh) {
        for (int64_t i = 0; i < count; i++) { out[i] = curved(curve, gate[i]) * (up ? up[i] : 1); }
        return;
    }
    for (int64_t i = 0; i < count; i += 16) {
        __mmask16 mask = first16(count - i);
        __m512 x = _mm512_maskz_loadu_ps(mask, gate + i);
        __m512 y = curve == Curve::relu   ? _mm512_max_ps(_mm512_setzero_ps(), x)
                   : curve == Curve::silu ? silu(x)
                                          : geluTanh(x);
        if (up) { y = _mm512_mul_ps(y, _mm512_maskz_loadu_ps(mask, up + i)); }
        _mm512_mask_storeu_ps(out + i, mask, y);
    }
}

CTORCH_AVX512 float logSum(const float *x, int64_t count) {
    __m512 most[4], sums[4];
    for (int i = 0; i < 4; i++) { most[i] = _mm512_set1_ps(-INFINITY), sums[i] = _mm512_setzero_ps(); }
    int64_t whole = count / 64 * 64;
    __mmask16 odd = 0;
    for (int64_t at = 0; at < whole; at += 64) {
        for (int i = 0; i < 4; i++) {
            __m512 value = _mm512_loadu_ps(x + at + 16 * i);
            odd |= _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
            most[i] = _mm512_max_ps(most[i], value);
        }
    }
    for (int64_t at = whole; at < count; at++) { odd |= x[at] != x[at]; }
    if (odd) { return NAN; }
    float highest = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(most[0], most[1]), _mm512_max_ps(most[2], most[3])));
    for (int64_t at = whole; at < count; at++) { highest = std::max(highest, x[at]); }
    // No finite number among them, or an infinite one.
    if (!std::isfinite(highest)) { return highest; }
    __m512 top = _mm512_set1_ps(highest);
    for (int64_t at = 0; at < whole; at += 64) {
        for (int i = 0; i < 4; i++) {
            sums[i] = _mm512_add_ps(sums[i], exponential(_mm512_sub_ps(_mm512_loadu_ps(x + at + 16 * i), top)));
        }
    }
    float total = _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])));
    for (int64_t at = whole; at < count; at++) { total += std::exp(x[at] - highest); }
    return highest + std::log(total);
}

} // namespace ctorch::avx512

#endif
