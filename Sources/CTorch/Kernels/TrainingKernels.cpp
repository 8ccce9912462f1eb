// Plain loops, written so that a compiler turns them into vectors: sums run in sixteen lanes, the exponential is a polynomial.
#include "TrainingKernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#if defined(__x86_64__)
// One copy for AVX-512, one for AVX2 and one for every x86-64; the loader picks.
#define CTORCH_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CTORCH_CLONES
#endif
#define CTORCH_INLINE inline __attribute__((always_inline))

namespace ctorch {

namespace {

constexpr int64_t lanes = 16;

CTORCH_INLINE float widened(uint16_t bits) {
    uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &wide, sizeof value);
    return value;
}

// Ties to even. A NaN stays one: the top bit of its fraction is set before the rounding could carry it away.
CTORCH_INLINE uint16_t narrowed(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    uint32_t broken = (bits >> 16) | 0x40;
    return static_cast<uint16_t>((bits & 0x7FFFFFFF) > 0x7F800000 ? broken : rounded);
}

CTORCH_INLINE float rounded(float value) { return widened(narrowed(value)); }

// e^x to a few units of the last place; 0 below −87, and no more than e^88 above. NaN stays NaN.
CTORCH_INLINE float exponential(float x) {
    float bounded = x > 88.0f ? 88.0f : x;
    bounded = bounded < -87.33f ? -87.33f : bounded;
    // Rounds by the mantissa's end.
    float turns = (bounded * 1.44269504f + 12582912.0f) - 12582912.0f;
    float rest = (bounded - turns * 0.693359375f) + turns * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * rest + 1.3981999507e-3f;
    p = p * rest + 8.3334519073e-3f;
    p = p * rest + 4.1665795894e-2f;
    p = p * rest + 1.6666665459e-1f;
    p = p * rest + 5.0000001201e-1f;
    p = p * rest * rest + rest + 1.0f;
    int32_t power = (static_cast<int32_t>(turns) + 127) << 23;
    float scale;
    std::memcpy(&scale, &power, sizeof scale);
    float value = x < -87.33f ? 0.0f : p * scale;
    return x != x ? x : value;
}

CTORCH_INLINE float total(const float *parts) {
    float sum = 0;
    for (int64_t lane = 0; lane < lanes; lane++) { sum += parts[lane]; }
    return sum;
}

CTORCH_INLINE float read(uint16_t value) { return widened(value); }
CTORCH_INLINE float read(float value) { return value; }
CTORCH_INLINE void write(uint16_t &place, float value) { place = narrowed(value); }
CTORCH_INLINE void write(float &place, float value) { place = value; }

template <class T> CTORCH_INLINE float largest(const T *x, int64_t width) {
    float parts[lanes];
    for (auto &part : parts) { part = -std::numeric_limits<float>::infinity(); }
    int64_t i = 0;
    for (; i + lanes <= width; i += lanes) {
        for (int64_t lane = 0; lane < lanes; lane++) {
            float value = read(x[i + lane]);
            parts[lane] = value > parts[lane] ? value : parts[lane];
        }
    }
    float most = parts[0];
    for (float part : parts) { most = part > most ? part : most; }
    for (; i < width; i++) {
        float value = read(x[i]);
        most = value > most ? value : most;
    }
    return most;
}

template <class T> CTORCH_INLINE LogSum logSum(const T *x, int64_t width) {
    float most = largest(x, width);
    // Nothing but minus infinity, or a plus infinity: the sum is that.
    if (!(most > -std::numeric_limits<float>::infinity() && most < std::numeric_limits<float>::infinity())) {
        float sum = most;
        for (int64_t i = 0; i < width; i++) { if (read(x[i]) != read(x[i])) { sum = read(x[i]); } }
        return {sum, 0};
    }
    float parts[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= width; i += lanes) {
        for (int64_t lane = 0; lane < lanes; lane++) { parts[lane] += exponential(read(x[i + lane]) - most); }
    }
    float sum = total(parts);
    for (; i < width; i++) { sum += exponential(read(x[i]) - most); }
    return {most, std::log(sum)};
}

template <class T>
CTORCH_INLINE void softmaxProduct(const T *x, float logSum, float slope, int64_t width, T *y) {
    for (int64_t i = 0; i < width; i++) { write(y[i], exponential(read(x[i]) - logSum) * slope); }
}

template <class T> CTORCH_INLINE int64_t largestOther(const T *x, int64_t except, int64_t width) {
    float before = largest(x, except), after = largest(x + except + 1, width - except - 1);
    bool isBefore = before >= after;
    float most = isBefore ? before : after;
    int64_t start = isBefore ? 0 : except + 1, end = isBefore ? except : width;
    for (int64_t i = start; i < end; i++) { if (read(x[i]) == most) { return i; } }
    // Nothing but NaN.
    return except == 0 ? 1 : 0;
}

} // namespace

CTORCH_CLONES void rmsForward(
    const uint16_t *x, const float *weight, int64_t from, int64_t to, int64_t width, float epsilon, uint16_t *y,
    float *factors) {
    for (int64_t row = from; row < to; row++) {
        const uint16_t *v = x + row * width;
        uint16_t *out = y + row * width;
        float parts[lanes] = {};
        int64_t i = 0;
        for (; i + lanes <= width; i += lanes) {
            for (int64_t lane = 0; lane < lanes; lane++) {
                float value = widened(v[i + lane]);
                parts[lane] += value * value;
            }
        }
        float sum = total(parts);
        for (; i < width; i++) { sum += widened(v[i]) * widened(v[i]); }
        float factor = 1 / std::sqrt(sum / static_cast<float>(width) + epsilon);
        factors[row] = factor;
        for (int64_t k = 0; k < width; k++) { out[k] = narrowed(widened(v[k]) * factor * weight[k]); }
    }
}

CTORCH_CLONES void rmsBackward(
    const uint16_t *gradient, const uint16_t *x, const float *weight, const float *factors, int64_t from, int64_t to,
    int64_t width, uint16_t *xGradient, float *weightGradient) {
    for (int64_t row = from; row < to; row++) {
        const uint16_t *v = x + row * width, *g = gradient + row * width;
        uint16_t *out = xGradient + row * width;
        float factor = factors[row];
        float parts[lanes] = {};
        int64_t i = 0;
        for (; i + lanes <= width; i += lanes) {
            for (int64_t lane = 0; lane < lanes; lane++) {
                parts[lane] += widened(g[i + lane]) * weight[i + lane] * widened(v[i + lane]);
            }
        }
        float sum = total(parts);
        for (; i < width; i++) { sum += widened(g[i]) * weight[i] * widened(v[i]); }
        // d/dx of x · f · w with f's own slope, −f³ x / n.
        float pull = sum * factor * factor / static_cast<float>(width);
        for (int64_t k = 0; k < width; k++) {
            float slope = widened(g[k]), value = widened(v[k]);
            weightGradient[k] += slope * value * factor;
            out[k] = narrowed((slope * weight[k] - value * pull) * factor);
        }
    }
}

CTORCH_CLONES void gateForward(const uint16_t *gate, const uint16_t *up, int64_t from, int64_t to, uint16_t *y) {
    for (int64_t i = from; i < to; i++) {
        float x = widened(gate[i]);
        y[i] = narrowed(rounded(x / (1 + exponential(-x))) * widened(up[i]));
    }
}

CTORCH_CLONES void gateBackward(
    const uint16_t *gradient, const uint16_t *gate, const uint16_t *up, int64_t from, int64_t to, uint16_t *gateGradient,
    uint16_t *upGradient) {
    for (int64_t i = from; i < to; i++) {
        float x = widened(gate[i]), g = widened(gradient[i]);
        float sigmoid = 1 / (1 + exponential(-x));
        upGradient[i] = narrowed(g * x * sigmoid);
        gateGradient[i] = narrowed(g * widened(up[i]) * sigmoid * (1 + x * (1 - sigmoid)));
    }
}

CTORCH_CLONES void rotateRow(
    const uint16_t *x, const uint16_t *cosine, const uint16_t *sine, int64_t size, float sign, uint16_t *y) {
    int64_t half = size / 2;
    for (int64_t i = 0; i < half; i++) {
        float low = widened(x[i]), high = widened(x[i + half]);
        float sineLow = widened(sine[i]) * sign, sineHigh = widened(sine[i + half]) * sign;
        // As x · cosine + turned · sine in the tensor's type: each product and the sum are rounded.
        y[i] = narrowed(rounded(low * widened(cosine[i])) + rounded(-high * sineLow));
        y[i + half] = narrowed(rounded(high * widened(cosine[i + half])) + rounded(low * sineHigh));
    }
}

CTORCH_CLONES void softmaxRow(uint16_t *scores, const bool *mask, int64_t count, int64_t width, float scale) {
    constexpr float nothing = -std::numeric_limits<float>::infinity();
    if (mask) {
        for (int64_t i = 0; i < count; i++) { scores[i] = mask[i] ? scores[i] : static_cast<uint16_t>(0xFF80); }
    }
    float most = largest(scores, count);
    if (most == nothing) { count = 0; }
    float parts[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (int64_t lane = 0; lane < lanes; lane++) {
            parts[lane] += exponential((widened(scores[i + lane]) - most) * scale);
        }
    }
    float sum = total(parts);
    for (; i < count; i++) { sum += exponential((widened(scores[i]) - most) * scale); }
    float inverse = 1 / sum;
    for (int64_t k = 0; k < count; k++) {
        scores[k] = narrowed(exponential((widened(scores[k]) - most) * scale) * inverse);
    }
    for (int64_t k = count; k < width; k++) { scores[k] = 0; }
}

CTORCH_CLONES void softmaxRowBackward(
    uint16_t *gradient, const uint16_t *weights, int64_t count, int64_t width, float scale) {
    float parts[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (int64_t lane = 0; lane < lanes; lane++) {
            parts[lane] += widened(gradient[i + lane]) * widened(weights[i + lane]);
        }
    }
    float sum = total(parts);
    for (; i < count; i++) { sum += widened(gradient[i]) * widened(weights[i]); }
    for (int64_t k = 0; k < count; k++) {
        gradient[k] = narrowed(widened(weights[k]) * (widened(gradient[k]) - sum) * scale);
    }
    for (int64_t k = count; k < width; k++) { gradient[k] = 0; }
}

CTORCH_CLONES LogSum logSumExp(const uint16_t *x, int64_t width) { return logSum(x, width); }
CTORCH_CLONES LogSum logSumExp(const float *x, int64_t width) { return logSum(x, width); }
CTORCH_CLONES void softmaxTimes(const uint16_t *x, float logSum, float slope, int64_t width, uint16_t *y) {
    softmaxProduct(x, logSum, slope, width, y);
}
CTORCH_CLONES void softmaxTimes(const float *x, float logSum, float slope, int64_t width, float *y) {
    softmaxProduct(x, logSum, slope, width, y);
}
CTORCH_CLONES int64_t largestBut(const uint16_t *x, int64_t except, int64_t width) {
    return largestOther(x, except, width);
}
CTORCH_CLONES int64_t largestBut(const float *x, int64_t except, int64_t width) {
    return largestOther(x, except, width);
}

float widenedBits(uint16_t bits) { return widened(bits); }
uint16_t narrowedBits(float value) { return narrowed(value); }

} // namespace ctorch
