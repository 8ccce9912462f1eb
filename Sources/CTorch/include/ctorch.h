// A C face for libtorch: what Swift needs of it and no more.
//
// Status. A function that can fail returns an int: CT_OK, or one of the codes below. After a failure
// `ct_last_error_message` says why, on the same thread, until the next failure there. No C++ exception leaves this
// library: each function body runs inside one barrier (`Barrier.hpp`).
//
// Ownership. A handle written through an `out` parameter belongs to the caller, who gives it back exactly once with
// `ct_tensor_free`, `ct_generator_free`, `ct_packed_free` or `ct_stack_free`. On failure nothing is written through `out`. Handles passed in are borrowed
// for the length of the call. Two handles may share storage (a view and its base); freeing one never harms the other.
//
// Threads. A handle may be used and freed on any thread; writing a tensor in place while another thread reads it is a
// race, as in libtorch. Whether gradients are recorded is a setting of the calling thread.
#ifndef CTORCH_H
#define CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

typedef struct CTTensor CTTensor;
typedef struct CTGenerator CTGenerator;
typedef struct CTPackedWeight CTPackedWeight;
typedef struct CTLayerStack CTLayerStack;

enum { CT_OK = 0, CT_SHAPE = 1, CT_DTYPE = 2, CT_OUT_OF_MEMORY = 3, CT_ARGUMENT = 4, CT_RUNTIME = 5 };

// Element types, numbered by us.
enum {
    CT_FLOAT64 = 0, CT_FLOAT32 = 1, CT_BFLOAT16 = 2, CT_FLOAT16 = 3, CT_INT64 = 4, CT_INT32 = 5, CT_UINT8 = 6,
    CT_BOOL = 7
};

enum { CT_CPU = 0, CT_CUDA = 1 };

typedef struct CTDevice {
    int32_t kind;
    int32_t index;
} CTDevice;

// A number beside a tensor; an integer keeps an integer tensor's type.
typedef struct CTScalar {
    bool isInteger;
    int64_t integer;
    double real;
} CTScalar;

// ---- Engine -------------------------------------------------------------------------------------------------------

// The last failure's message on this thread, UTF-8; valid until the next failure on this thread. Not to be freed.
const char *ct_last_error_message(void);
// Tensor handles alive in this process.
int64_t ct_live_tensor_count(void);
// libtorch's version, a constant.
const char *ct_version(void);
int ct_cuda_is_available(bool *available);
int ct_set_thread_count(int64_t count);
int ct_thread_count(int64_t *count);
// Whether the processor multiplies bfloat16 in hardware.
bool ct_bfloat16_is_fast(void);
// Gives memory that was freed, and that the C library keeps for itself, back to the system where it can (glibc).
void ct_release_free_memory(void);
// Whether this thread records operations for `ct_backward`.
bool ct_gradients_enabled(void);
void ct_set_gradients_enabled(bool enabled);

// ---- Tensors: made, looked at, read ---------------------------------------------------------------------------------

void ct_tensor_free(CTTensor *_Nullable tensor);

// Copies `byteCount` bytes, which must be the tensor's size exactly.
int ct_from_bytes(
    const void *_Nullable bytes, int64_t byteCount, const int64_t *_Nullable shape, int64_t rank, int dtype,
    CTDevice device, CTTensor *_Nullable *out);
int ct_full(
    const int64_t *_Nullable shape, int64_t rank, CTScalar value, int dtype, CTDevice device,
    CTTensor *_Nullable *out);
// 0, 1, …, count − 1.
int ct_arange(int64_t count, int dtype, CTDevice device, CTTensor *_Nullable *out);

int64_t ct_rank(const CTTensor *self);
int64_t ct_count(const CTTensor *self);
// Writes `ct_rank` numbers.
void ct_shape(const CTTensor *self, int64_t *_Nullable shape);
// A CT_ dtype, or −1 for one that has no number here.
int ct_dtype(const CTTensor *self);
CTDevice ct_device(const CTTensor *self);
bool ct_is_contiguous(const CTTensor *self);
// The bytes of a contiguous tensor on the CPU, borrowed: valid while the handle lives.
int ct_bytes(const CTTensor *self, const void *_Nullable *_Nonnull bytes, int64_t *byteCount);
// The only element.
int ct_item(const CTTensor *self, double *value);

int ct_to_dtype(const CTTensor *self, int dtype, CTTensor *_Nullable *out);
int ct_to_device(const CTTensor *self, CTDevice device, CTTensor *_Nullable *out);

// ---- Operations of one tensor -----------------------------------------------------------------------------------------

#define CT_UNARY(name) int ct_##name(const CTTensor *self, CTTensor *_Nullable *out);
// The same tensor behind another handle, its place in the record of operations included.
CT_UNARY(alias)
CT_UNARY(detach) CT_UNARY(clone) CT_UNARY(contiguous)
CT_UNARY(neg) CT_UNARY(exp) CT_UNARY(log) CT_UNARY(log1p) CT_UNARY(tanh) CT_UNARY(sin) CT_UNARY(cos)
CT_UNARY(sigmoid) CT_UNARY(log_sigmoid) CT_UNARY(softplus) CT_UNARY(relu) CT_UNARY(gelu) CT_UNARY(gelu_tanh)
CT_UNARY(silu) CT_UNARY(sqrt) CT_UNARY(rsqrt) CT_UNARY(abs) CT_UNARY(square) CT_UNARY(logical_not)
CT_UNARY(sum) CT_UNARY(mean)
// Whether every element, or any, is true (not zero): a bool tensor of rank 0.
CT_UNARY(all) CT_UNARY(any) CT_UNARY(isfinite)
#undef CT_UNARY

// ---- Operations of two tensors, or of a tensor and a number; shapes broadcast -----------------------------------------

#define CT_BINARY(name)                                                                                               \
    int ct_##name(const CTTensor *self, const CTTensor *other, CTTensor *_Nullable *out);                             \
    int ct_##name##_scalar(const CTTensor *self, CTScalar other, CTTensor *_Nullable *out);
CT_BINARY(add) CT_BINARY(sub) CT_BINARY(mul) CT_BINARY(div) CT_BINARY(pow) CT_BINARY(floor_divide) CT_BINARY(remainder)
CT_BINARY(eq) CT_BINARY(ne) CT_BINARY(lt) CT_BINARY(le) CT_BINARY(gt) CT_BINARY(ge)
#undef CT_BINARY
// number − tensor, number / tensor.
int ct_rsub_scalar(const CTTensor *self, CTScalar other, CTTensor *_Nullable *out);
int ct_rdiv_scalar(const CTTensor *self, CTScalar other, CTTensor *_Nullable *out);
int ct_logical_and(const CTTensor *self, const CTTensor *other, CTTensor *_Nullable *out);
int ct_logical_or(const CTTensor *self, const CTTensor *other, CTTensor *_Nullable *out);
int ct_maximum(const CTTensor *self, const CTTensor *other, CTTensor *_Nullable *out);
int ct_minimum(const CTTensor *self, const CTTensor *other, CTTensor *_Nullable *out);
int ct_matmul(const CTTensor *self, const CTTensor *other, CTTensor *_Nullable *out);
// Either bound may be missing (NULL), not both.
int ct_clamp(
    const CTTensor *self, const double *_Nullable minimum, const double *_Nullable maximum, CTTensor *_Nullable *out);
int ct_where(const CTTensor *condition, const CTTensor *self, const CTTensor *other, CTTensor *_Nullable *out);

// ---- Along a dimension (negative counts from the end) -----------------------------------------------------------------

int ct_sum_dim(const CTTensor *self, int64_t dim, bool keepDim, CTTensor *_Nullable *out);
int ct_mean_dim(const CTTensor *self, int64_t dim, bool keepDim, CTTensor *_Nullable *out);
int ct_logsumexp(const CTTensor *self, int64_t dim, bool keepDim, CTTensor *_Nullable *out);
int ct_max_dim(
    const CTTensor *self, int64_t dim, bool keepDim, CTTensor *_Nullable *values, CTTensor *_Nullable *indices);
int ct_argmax(const CTTensor *self, int64_t dim, bool keepDim, CTTensor *_Nullable *out);
int ct_softmax(const CTTensor *self, int64_t dim, CTTensor *_Nullable *out);
int ct_log_softmax(const CTTensor *self, int64_t dim, CTTensor *_Nullable *out);
int ct_cumsum(const CTTensor *self, int64_t dim, CTTensor *_Nullable *out);
// Stable: equal elements keep their order.
int ct_sort(
    const CTTensor *self, int64_t dim, bool descending, CTTensor *_Nullable *values, CTTensor *_Nullable *indices);
// The k largest, largest first; of equal ones the lowest index first.
int ct_topk(
    const CTTensor *self, int64_t k, int64_t dim, CTTensor *_Nullable *values, CTTensor *_Nullable *indices);

// ---- Indexing -----------------------------------------------------------------------------------------------------------

int ct_gather(const CTTensor *self, int64_t dim, const CTTensor *index, CTTensor *_Nullable *out);
int ct_index_select(const CTTensor *self, int64_t dim, const CTTensor *index, CTTensor *_Nullable *out);
int ct_scatter(
    const CTTensor *self, int64_t dim, const CTTensor *index, const CTTensor *source, CTTensor *_Nullable *out);
int ct_scatter_add(
    const CTTensor *self, int64_t dim, const CTTensor *index, const CTTensor *source, CTTensor *_Nullable *out);
int ct_masked_fill(const CTTensor *self, const CTTensor *mask, double value, CTTensor *_Nullable *out);

// ---- Shape --------------------------------------------------------------------------------------------------------------

int ct_reshape(const CTTensor *self, const int64_t *_Nullable shape, int64_t rank, CTTensor *_Nullable *out);
int ct_expand(const CTTensor *self, const int64_t *_Nullable shape, int64_t rank, CTTensor *_Nullable *out);
int ct_permute(const CTTensor *self, const int64_t *_Nullable dims, int64_t rank, CTTensor *_Nullable *out);
int ct_transpose(const CTTensor *self, int64_t first, int64_t second, CTTensor *_Nullable *out);
int ct_unsqueeze(const CTTensor *self, int64_t dim, CTTensor *_Nullable *out);
int ct_squeeze(const CTTensor *self, int64_t dim, CTTensor *_Nullable *out);
int ct_narrow(const CTTensor *self, int64_t dim, int64_t start, int64_t length, CTTensor *_Nullable *out);
int ct_select(const CTTensor *self, int64_t dim, int64_t index, CTTensor *_Nullable *out);
int ct_repeat_interleave(const CTTensor *self, int64_t times, int64_t dim, CTTensor *_Nullable *out);
int ct_tril(const CTTensor *self, int64_t diagonal, CTTensor *_Nullable *out);
int ct_cat(const CTTensor *_Nullable const *_Nullable tensors, int64_t count, int64_t dim, CTTensor *_Nullable *out);
int ct_stack(const CTTensor *_Nullable const *_Nullable tensors, int64_t count, int64_t dim, CTTensor *_Nullable *out);

// ---- Parts of networks ----------------------------------------------------------------------------------------------------

int ct_linear(
    const CTTensor *self, const CTTensor *weight, const CTTensor *_Nullable bias, CTTensor *_Nullable *out);
int ct_embedding(const CTTensor *indices, const CTTensor *weight, CTTensor *_Nullable *out);
int ct_rms_norm(const CTTensor *self, const CTTensor *weight, double epsilon, CTTensor *_Nullable *out);
// The same, with short floating-point input widened to float32 for the statistics and the weight, and rounded once.
int ct_rms_norm_wide(const CTTensor *self, const CTTensor *weight, double epsilon, CTTensor *_Nullable *out);
// x · cosine + (−x₂, x₁) · sine over halves of the last dimension: x [B, H, T, D], cosine and sine [B or 1, 1, T, D].
int ct_rotate(const CTTensor *self, const CTTensor *cosine, const CTTensor *sine, CTTensor *_Nullable *out);
// silu(gate) · up.
int ct_silu_mul(const CTTensor *gate, const CTTensor *up, CTTensor *_Nullable *out);
int ct_layer_norm(
    const CTTensor *self, const CTTensor *weight, const CTTensor *_Nullable bias, double epsilon,
    CTTensor *_Nullable *out);
// `scale` 0 means 1 / sqrt(head dimension).
int ct_attention(
    const CTTensor *query, const CTTensor *key, const CTTensor *value, const CTTensor *_Nullable mask, bool isCausal,
    double scale, CTTensor *_Nullable *out);
// Per token, no reduction: logits […, C], targets […] int64.
int ct_cross_entropy(
    const CTTensor *logits, const CTTensor *targets, int64_t ignoreIndex, CTTensor *_Nullable *out);
// Of each row of logits [n, C]: ln Σ exp, [n], and the logits at `picks` [n, k] int64. One pass there and one back.
int ct_logit_scores(
    const CTTensor *logits, const CTTensor *picks, CTTensor *_Nullable *sums, CTTensor *_Nullable *values);
// Of each row of logits [n, C] the first place of the largest but the one at `except` [n] int64.
int ct_largest_other(const CTTensor *logits, const CTTensor *except, CTTensor *_Nullable *out);
int ct_bce_with_logits(const CTTensor *logits, const CTTensor *targets, CTTensor *_Nullable *out);

// ---- Weights packed for generation --------------------------------------------------------------------------------------------

// Lays a float matrix [out, in] on the CPU out for products: in bfloat16 (16 bits), rounded to 8 bits (symmetric) or to 4 bits (with
// an offset), a float16 scale per 64 inputs.
int ct_packed_new(const CTTensor *weight, int bits, CTPackedWeight *_Nullable *out);
void ct_packed_free(CTPackedWeight *_Nullable packed);
int64_t ct_packed_byte_count(const CTPackedWeight *packed);
// Its memory: 0 the codes (uint8), 1 the scales, 2 the offsets (float16); writes NULL for a part that it has not.
int ct_packed_part(const CTPackedWeight *packed, int part, CTTensor *_Nullable *out);
// One that was packed before, from its parts.
int ct_packed_from(
    int bits, int64_t outputs, int64_t inputs, const CTTensor *codes, const CTTensor *_Nullable scales,
    const CTTensor *_Nullable offsets, CTPackedWeight *_Nullable *out);
// The weights that the codes stand for, [out, in], in float32 or bfloat16.
int ct_packed_unpack(const CTPackedWeight *packed, int dtype, CTTensor *_Nullable *out);
// x Wᵀ + b in the type of x, or in float32. Beside weights of 8 and 4 bits the activations are rounded to 8 bits (the portable kernels
// leave more than 8 rows as they are), beside 16 bits they stay float32.
int ct_packed_linear(
    const CTTensor *self, const CTPackedWeight *packed, const CTTensor *_Nullable bias, bool isWide,
    CTTensor *_Nullable *out);
// Which kernels this processor runs: "avx512" or "portable"; the first are made for many rows too.
const char *ct_kernel_name(void);
bool ct_kernels_are_fast(void);

// ---- A decoder's layers in one computation, for generation ----------------------------------------------------------------------

typedef struct CTStackShape {
    int64_t width, heads, keyHeads, size, wide;
    // Whether the feed-forward has a gate, and whether norms are centred.
    bool isGated, isCentred;
    // 0 relu, 1 gelu, 2 gelu by tanh, 3 silu, 4 tanh.
    int32_t curve;
    double epsilon;
} CTStackShape;

typedef struct CTStackLayer {
    const CTTensor *_Nullable attentionNorm, *_Nullable attentionNormBias, *_Nullable feedNorm, *_Nullable feedNormBias;
    // Queries, keys and values one below the other; gate and up one below the other.
    const CTPackedWeight *mix, *output, *up, *down;
    const CTTensor *_Nullable mixBias, *_Nullable outputBias, *_Nullable upBias, *_Nullable downBias;
    const CTTensor *_Nullable queryNorm, *_Nullable keyNorm;
    double scale;
    // 0 is none.
    int64_t window;
} CTStackLayer;

typedef struct CTStackPart {
    int64_t cache, row, before, count;
} CTStackPart;

// Weights are shared, vectors copied in float32. Nothing may be added once it runs.
int ct_stack_new(const CTStackShape *shape, CTLayerStack *_Nullable *out);
void ct_stack_free(CTLayerStack *_Nullable stack);
int ct_stack_add(CTLayerStack *stack, const CTStackLayer *layer);
int ct_stack_set_final_norm(CTLayerStack *stack, const CTTensor *_Nullable weight, const CTTensor *_Nullable bias);
// x [N, width] to float32 [N, width]. `keys` and `values` hold one bfloat16 tensor [rows, key heads, room, size] per layer and cache,
// layer by layer, and get the new tokens of the parts, which stand in x one behind the other. Angles are float32 [N, size].
int ct_stack_run(
    const CTLayerStack *stack, const CTTensor *x, const CTTensor *_Nullable cosine, const CTTensor *_Nullable sine,
    const CTTensor *_Nullable const *_Nullable keys, const CTTensor *_Nullable const *_Nullable values, int64_t cacheCount,
    const CTStackPart *parts, int64_t partCount, CTTensor *_Nullable *out);

// ---- In place ---------------------------------------------------------------------------------------------------------------

// Shapes must be equal: nothing is broadcast.
int ct_copy_(CTTensor *self, const CTTensor *source);
// self += scale · other; self *= other.
int ct_add_(CTTensor *self, const CTTensor *other, double scale);
int ct_mul_(CTTensor *self, const CTTensor *other);
int ct_mul_scalar_(CTTensor *self, double factor);
int ct_zero_(CTTensor *self);

// ---- Gradients --------------------------------------------------------------------------------------------------------------

bool ct_requires_gradient(const CTTensor *self);
int ct_set_requires_gradient(CTTensor *self, bool required);
int ct_backward(const CTTensor *self);
// Writes NULL when there is none.
int ct_gradient(const CTTensor *self, CTTensor *_Nullable *out);
int ct_clear_gradient(CTTensor *self);
// Makes this the tensor's gradient; nothing is copied.
int ct_set_gradient(CTTensor *self, const CTTensor *gradient);
// Calls `function` each time that a backward pass has added to the tensor's gradient, on the pass's thread. NULL stops that.
int ct_on_gradient(const CTTensor *self, void (*_Nullable function)(void *_Nullable), void *_Nullable context);
// A function of one tensor, called with a borrowed handle; a status other than CT_OK, or a new handle through `out`.
typedef int (*CTBody)(void *_Nullable context, const CTTensor *input, CTTensor *_Nullable *_Nonnull out);
// `function(self)` without keeping what happens inside: the backward pass calls it again. `release(context)` is called once,
// when nobody can call it any more, on a failure too.
int ct_recomputed(
    const CTTensor *self, CTBody function, void (*release)(void *_Nullable), void *_Nullable context,
    CTTensor *_Nullable *out);
// Scales the gradients of all tensors together so that their joint norm is at most `maximum`; tells the norm before.
int ct_clip_gradients(
    const CTTensor *_Nullable const *_Nullable tensors, int64_t count, double maximum, double *norm);
// One AdamW step on every tensor; the gradients are the tensors' own. `steps` are float32 of rank 0, counted up here.
int ct_adamw_(
    const CTTensor *_Nullable const *_Nullable tensors, const CTTensor *_Nullable const *_Nullable firstMoments,
    const CTTensor *_Nullable const *_Nullable secondMoments, const CTTensor *_Nullable const *_Nullable steps,
    int64_t count, double rate, double beta1, double beta2, double weightDecay, double epsilon);
// One Muon step on every matrix; the gradients are the matrices' own. `momenta` are of the matrices' shapes.
int ct_muon_(
    const CTTensor *_Nullable const *_Nullable tensors, const CTTensor *_Nullable const *_Nullable momenta, int64_t count,
    double rate, double momentum, double weightDecay, int64_t rounds);

// ---- Randomness -------------------------------------------------------------------------------------------------------------

int ct_generator_new(uint64_t seed, CTDevice device, CTGenerator *_Nullable *out);
void ct_generator_free(CTGenerator *_Nullable generator);
CTDevice ct_generator_device(const CTGenerator *generator);
// The state as a uint8 tensor on the CPU.
int ct_generator_state(const CTGenerator *generator, CTTensor *_Nullable *out);
int ct_generator_set_state(CTGenerator *generator, const CTTensor *state);
// On the generator's device.
int ct_randn(
    const int64_t *_Nullable shape, int64_t rank, int dtype, CTGenerator *generator, CTTensor *_Nullable *out);
// In [0, 1).
int ct_uniform(
    const int64_t *_Nullable shape, int64_t rank, int dtype, CTGenerator *generator, CTTensor *_Nullable *out);
int ct_permutation(int64_t count, CTGenerator *generator, CTTensor *_Nullable *out);
// Without replacement, from the weights of the last dimension.
int ct_multinomial(const CTTensor *weights, int64_t count, CTGenerator *generator, CTTensor *_Nullable *out);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
