// Passes over rows of bfloat16 numbers that training takes, forward and backward: what libtorch spells as five to fourteen operations
// each, every one through memory, is one pass here. Statistics are float32. Each works on a range of rows, so that threads share them.
#ifndef CTORCH_TRAINING_KERNELS_HPP
#define CTORCH_TRAINING_KERNELS_HPP

#include <cstdint>

namespace ctorch {

// y = x · factor · weight with factor = 1 / √(mean x² + ε), which is kept for the way back.
void rmsForward(
    const uint16_t *x, const float *weight, int64_t from, int64_t to, int64_t width, float epsilon, uint16_t *y,
    float *factors);
// Adds to `weightGradient`, [width], which belongs to the calling thread.
void rmsBackward(
    const uint16_t *gradient, const uint16_t *x, const float *weight, const float *factors, int64_t from, int64_t to,
    int64_t width, uint16_t *xGradient, float *weightGradient);

// silu(gate) · up, element by element.
void gateForward(const uint16_t *gate, const uint16_t *up, int64_t from, int64_t to, uint16_t *y);
void gateBackward(
    const uint16_t *gradient, const uint16_t *gate, const uint16_t *up, int64_t from, int64_t to, uint16_t *gateGradient,
    uint16_t *upGradient);

// x · cosine + (−x₂, x₁) · sine over the halves of one row of `size`; `sign` −1 turns back.
void rotateRow(const uint16_t *x, const uint16_t *cosine, const uint16_t *sine, int64_t size, float sign, uint16_t *y);

// softmax(scale · score) of one row in place. The first `count` of `width` are seen, of these only where `mask` says so unless it
// is null; the others become 0. A row that may look at nothing becomes 0.
void softmaxRow(uint16_t *scores, const bool *mask, int64_t count, int64_t width, float scale);
// The gradient of the scores in place of the one of the weights: weight · (gradient − Σ weight · gradient) · scale.
void softmaxRowBackward(uint16_t *gradient, const uint16_t *weights, int64_t count, int64_t width, float scale);

// ln Σ exp of one row of logits, bfloat16 or float32, in two parts: the largest, and what comes on top. Near certainty the second
// is far smaller than the first's rounding.
struct LogSum {
    float most, rest;
    float sum() const { return most + rest; }
};
LogSum logSumExp(const uint16_t *x, int64_t width);
LogSum logSumExp(const float *x, int64_t width);
// softmax(x) · slope.
void softmaxTimes(const uint16_t *x, float logSum, float slope, int64_t width, uint16_t *y);
void softmaxTimes(const float *x, float logSum, float slope, int64_t width, float *y);
// The first place of the largest number but the one at `except`.
int64_t largestBut(const uint16_t *x, int64_t except, int64_t width);
int64_t largestBut(const float *x, int64_t except, int64_t width);

// bfloat16 to float32 and back, ties to even.
float widenedBits(uint16_t bits);
uint16_t narrowedBits(float value);

} // namespace ctorch

#endif
