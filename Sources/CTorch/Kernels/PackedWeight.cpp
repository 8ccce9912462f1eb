#include "PackedWeight.hpp"

#include "DecodeKernels.hpp"

#include "../Barrier.hpp"
#include "InParallel.hpp"
#include "Tickets.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ctorch {

namespace {

float rounded(float value) { return static_cast<float>(at::Half(value)); }

// Where input `i` of output `row` of a group stands: the byte, and for 4 bits whether in the high half.
struct Place {
    int64_t byte;
    bool high;
};
Place place(int bits, int64_t i, int64_t row) {
    int64_t quad = i / 4, within = row * 4 + i % 4;
    if (bits == 16) { return {i / 2 * 64 + row * 4 + i % 2 * 2, false}; }
    if (bits == 8) { return {quad * 64 + within, false}; }
    return {quad / 2 * 64 + within, quad % 2 == 1};
}

struct Range {
    float scale = 0;
    float offset = 0;
};

// 16 bits: a sum of 64 products with activations of at most 1 stays within float16.
constexpr double mostHalf = 1000;

// 8 bits: symmetric, so that the offset need not be kept.
Range symmetric(const float *x, int64_t count) {
    float most = 0;
    for (int64_t i = 0; i < count; i++) { most = std::max(most, std::fabs(x[i])); }
    return {rounded(most / 127), 0};
}

double error(const float *x, int64_t count, Range range) {
    if (range.scale <= 0) { return std::numeric_limits<double>::infinity(); }
    float inverse = 1 / range.scale;
    float sum = 0;
    for (int64_t i = 0; i < count; i++) {
        float code = std::nearbyint((x[i] - range.offset) * inverse);
        code = std::min(15.f, std::max(0.f, code));
        float miss = x[i] - (code * range.scale + range.offset);
        sum += miss * miss;
    }
    return sum;
}

// The scale and the offset that serve the codes of a range best: a line through (code, x).
Range fitted(const float *x, int64_t count, Range range) {
    double codes = 0, squares = 0, sum = 0, products = 0;
    for (int64_t i = 0; i < count; i++) {
        double code = std::min(15.f, std::max(0.f, std::nearbyint((x[i] - range.offset) / range.scale)));
        codes += code, squares += code * code, sum += x[i], products += code * x[i];
    }
    double n = static_cast<double>(count), spread = n * squares - codes * codes;
    if (spread <= 0) { return {}; }
    double scale = (n * products - codes * sum) / spread;
    return {rounded(static_cast<float>(scale)), rounded(static_cast<float>((sum - scale * codes) / n))};
}

// 4 bits: the extremes of a group are rare; giving up a little of them serves the rest. Of several ranges the one with the
// least squared error.
Range asymmetric(const float *x, int64_t count) {
    auto [low, high] = std::minmax_element(x, x + count);
    float middle = (*low + *high) / 2, half = (*high - *low) / 2;
    if (half == 0) { return {middle == 0 ? 0.f : rounded(middle / 15), 0}; }
    Range best;
    double least = std::numeric_limits<double>::infinity();
    for (float part = 1; part > 0.69f; part -= 0.05f) {
        Range range{rounded(2 * half * part / 15), rounded(middle - half * part)};
        double miss = error(x, count, range);
        if (miss < least) { best = range, least = miss; }
    }
    // With the codes as they fell, scale and offset of least squares; with those, the codes again.
    for (int turn = 0; turn < 4 && best.scale > 0; turn++) {
        Range range = fitted(x, count, best);
        double miss = error(x, count, range);
        if (!(miss < least)) { break; }
        best = range, least = miss;
    }
    return best;
}

} // namespace

int64_t PackedWeight::byteCount() const {
    return codes.nbytes() + (bits == 16 ? 0 : scales.nbytes()) + (bits == 4 ? offsets.nbytes() : 0);
}

std::shared_ptr<PackedWeight> PackedWeight::empty(int bits, int64_t outputs, int64_t inputs) {
    if (bits != 4 && bits != 8 && bits != 16) {
        throw Fault{CT_ARGUMENT, "packing into " + std::to_string(bits) + " bits; 4, 8 and 16 are supported"};
    }
    if (outputs < 1 || inputs < 1 || outputs > int64_t(1) << 32 || inputs > int64_t(1) << 28) {
        throw Fault{CT_SHAPE, "no matrix of " + std::to_string(outputs) + " × " + std::to_string(inputs) + " can be packed"};
    }
    auto packed = std::make_shared<PackedWeight>();
    packed->bits = bits;
    packed->outputs = outputs;
    packed->inputs = inputs;
    packed->blocks = (outputs + blockRows - 1) / blockRows;
    packed->groups = (inputs + groupSize - 1) / groupSize;
    return packed;
}

void PackedWeight::findMemory() {
    auto halves = [](const at::Tensor &tensor) {
        return tensor.defined() ? reinterpret_cast<const uint16_t *>(tensor.const_data_ptr<at::Half>()) : nullptr;
    };
    firstCode = codes.const_data_ptr<uint8_t>();
    firstScale = halves(scales), firstOffset = halves(offsets);
}

std::shared_ptr<PackedWeight> PackedWeight::from(
    int bits, int64_t outputs, int64_t inputs, const at::Tensor &codes, const std::optional<at::Tensor> &scales,
    const std::optional<at::Tensor> &offsets) {
    auto packed = empty(bits, outputs, inputs);
    auto whole = [](const at::Tensor &part, at::ScalarType type, int64_t count, const char *name) {
        if (!part.is_cpu() || part.scalar_type() != type || part.numel() != count) {
            throw Fault{
                CT_SHAPE, std::string("the ") + name + " of a packed weight are " + std::to_string(count) + " numbers, not " +
                              std::to_string(part.numel()) + ", or of another type"};
        }
        // libtorch's own memory begins on a cache line; a view may not.
        auto dense = part.contiguous();
        return reinterpret_cast<uintptr_t>(dense.const_data_ptr()) % 64 == 0 ? dense : dense.clone();
    };
    if ((bits != 16) != scales.has_value() || (bits == 4) != offsets.has_value()) {
        throw Fault{CT_ARGUMENT, "8 bits have scales, 4 bits have scales and offsets, 16 bits have neither"};
    }
    packed->codes = whole(codes, at::kByte, packed->blocks * packed->blockBytes(), "codes");
    auto count = packed->blocks * packed->groups * blockRows;
    if (scales) { packed->scales = whole(*scales, at::kHalf, count, "scales"); }
    if (offsets) { packed->offsets = whole(*offsets, at::kHalf, count, "offsets"); }
    packed->findMemory();
    return packed;
}

std::shared_ptr<PackedWeight> PackedWeight::pack(const at::Tensor &weight, int bits) {
    if (weight.dim() != 2 || !weight.is_cpu() || !weight.is_floating_point() || weight.numel() == 0) {
        throw Fault{CT_SHAPE, "packing takes a floating-point matrix [out, in] on the CPU"};
    }
    auto packed = empty(bits, weight.size(0), weight.size(1));
    if (bits == 16) {
        auto [least, most] = at::aminmax(weight);
        if (!(least.item<double>() >= -mostHalf && most.item<double>() <= mostHalf)) {
            throw Fault{CT_ARGUMENT, "weights beyond ±1000, or that are no numbers, cannot be packed into 16 bits"};
        }
    }
    auto bytes = at::TensorOptions().dtype(at::kByte);
    packed->codes = at::zeros({packed->blocks * packed->blockBytes()}, bytes);
    if (bits != 16) { packed->scales = at::zeros({packed->blocks, packed->groups, blockRows}, bytes.dtype(at::kHalf)); }
    if (bits == 4) { packed->offsets = at::zeros_like(packed->scales); }
    packed->findMemory();
    uint8_t *codes = packed->codes.mutable_data_ptr<uint8_t>();
    at::Half *scales = bits != 16 ? packed->scales.mutable_data_ptr<at::Half>() : nullptr;
    at::Half *offsets = bits == 4 ? packed->offsets.mutable_data_ptr<at::Half>() : nullptr;
    int64_t inputs = packed->inputs, groups = packed->groups;
    inParallel(packed->blocks, 4, [&](int64_t from, int64_t to) {
        for (int64_t block = from; block < to; block++) {
            int64_t first = block * blockRows, last = std::min(first + blockRows, packed->outputs);
            if (bits == 16) {
                auto rows = weight.slice(0, first, last).to(at::kHalf).contiguous();
                const at::Half *values = rows.const_data_ptr<at::Half>();
                auto *target = reinterpret_cast<at::Half *>(codes + block * packed->blockBytes());
                for (int64_t row = 0; row < last - first; row++) {
                    for (int64_t i = 0; i < inputs; i++) { target[i / 2 * 32 + row * 2 + i % 2] = values[row * inputs + i]; }
                }
                continue;
            }
            // A block at a time in float32: the whole matrix may be large and in 16 bits.
            auto rows = weight.slice(0, first, last).to(at::kFloat).contiguous();
            const float *values = rows.const_data_ptr<float>();
            for (int64_t row = 0; row < last - first; row++) {
                for (int64_t group = 0; group < groups; group++) {
                    const float *x = values + row * inputs + group * groupSize;
                    int64_t count = std::min(groupSize, inputs - group * groupSize);
                    Range range = bits == 8 ? symmetric(x, count) : asymmetric(x, count);
                    int64_t at = (block * groups + group) * blockRows + row;
                    scales[at] = at::Half(range.scale);
                    if (bits == 4) { offsets[at] = at::Half(range.offset); }
                    float inverse = range.scale == 0 ? 0 : 1 / range.scale;
                    float shift = bits == 8 ? 128 : 0, top = bits == 8 ? 255 : 15;
                    uint8_t *target = codes + block * packed->blockBytes() + group * blockRows * groupSize * bits / 8;
                    for (int64_t i = 0; i < count; i++) {
                        float code = std::nearbyint((x[i] - range.offset) * inverse) + shift;
                        auto byte = static_cast<uint8_t>(std::min(top, std::max(0.f, code)));
                        Place p = place(bits, i, row);
                        target[p.byte] |= p.high ? byte << 4 : byte;
                    }
                    // Padding has the code of nought, so that it adds what its inputs, which are nought, take away.
                    if (bits == 8) {
                        for (int64_t i = count; i < groupSize; i++) { target[place(8, i, row).byte] = 128; }
                    }
                }
            }
        }
    });
    return packed;
}

at::Tensor PackedWeight::unpack(int64_t begin, int64_t end, at::ScalarType type) const {
    end = std::min(end, outputs);
    if (begin < 0 || begin % blockRows != 0 || begin >= end) {
        throw Fault{CT_ARGUMENT, "rows " + std::to_string(begin) + " to " + std::to_string(end) + " cannot be unpacked"};
    }
    if (type != at::kFloat && type != at::kBFloat16) { throw Fault{CT_DTYPE, "unpacking gives float32 or bfloat16"}; }
    auto out = at::empty({end - begin, inputs}, at::TensorOptions().dtype(type));
    int64_t first = begin / blockRows, last = (end + blockRows - 1) / blockRows;
    inParallel(last - first, 4, [&](int64_t from, int64_t to) {
        for (int64_t block = first + from; block < first + to; block++) {
            int64_t rows = std::min(blockRows, end - block * blockRows);
            int64_t target = (block * blockRows - begin) * inputs;
            if (type == at::kBFloat16) {
                kernels().unpackBFloat16(
                    *this, block, rows, reinterpret_cast<uint16_t *>(out.mutable_data_ptr<at::BFloat16>()) + target);
            } else {
                unpackBlock(*this, block, rows, out.mutable_data_ptr<float>() + target);
            }
        }
    });
    return out;
}

at::Tensor PackedWeight::linear(const at::Tensor &x, const std::optional<at::Tensor> &bias, at::ScalarType type) const {
    if (x.dim() < 1 || x.size(-1) != inputs || !x.is_cpu()) {
        throw Fault{
            CT_SHAPE, "input " + describe(x.sizes()) + " does not fit a packed weight [" + std::to_string(outputs) + ", " +
                          std::to_string(inputs) + "] on the CPU"};
    }
    if (!x.is_floating_point()) { throw Fault{CT_DTYPE, "a packed weight takes floating-point input"}; }
    if (bias && bias->numel() != outputs) {
        throw Fault{CT_SHAPE, "a bias of " + describe(bias->sizes()) + " beside " + std::to_string(outputs) + " outputs"};
    }
    int64_t rows = x.numel() / inputs;
    auto shape = x.sizes().vec();
    shape.back() = outputs;
    if (rows > mostDecodeRows && !areFast(kernels())) { return unpackedLinear(x, bias).to(type).reshape(shape); }
    auto input = x.reshape({rows, inputs}).to(at::kFloat).contiguous();
    auto out = at::empty({rows, outputs}, input.options());
    at::Tensor b = bias ? bias->to(at::kFloat).contiguous() : at::Tensor();
    const float *values = input.const_data_ptr<float>(), *added = bias ? b.const_data_ptr<float>() : nullptr;
    float *target = out.mutable_data_ptr<float>();
    ProductRows prepared;
    prepared.prepare(*this, rows);
    int64_t threads = at::get_num_threads();
    Tickets tickets;
    if (rows <= threads) {
        for (int64_t row = 0; row < rows; row++) { kernels().fillRow(prepared, row, 0, groups, values + row * inputs); }
    } else {
        tickets.add(rows, [&](int64_t row) { kernels().fillRow(prepared, row, 0, groups, values + row * inputs); });
    }
    int64_t parts = std::min((blocks + 3) / 4, threads * 4);
    tickets.add(parts, [&](int64_t part) {
        auto [from, to] = share(part, parts);
        kernels().product(*this, prepared, 0, rows, from, to, added, target, outputs, false);
    });
    tickets.run();
    return out.to(type).reshape(shape);
}

std::pair<int64_t, int64_t> PackedWeight::share(int64_t part, int64_t parts) const {
    int64_t quads = (blocks + 3) / 4;
    return {quads * part / parts * 4, std::min(quads * (part + 1) / parts * 4, blocks)};
}

// Many rows where the kernels are not made for them: a stripe at a time, that stays in the cache, through libtorch's own product.
at::Tensor PackedWeight::unpackedLinear(const at::Tensor &x, const std::optional<at::Tensor> &bias) const {
    int64_t rows = x.numel() / inputs;
    auto type = x.scalar_type() == at::kFloat ? at::kFloat : at::kBFloat16;
    auto flat = x.reshape({rows, inputs}).to(type);
    auto out = at::empty({rows, outputs}, flat.options());
    int64_t stripe = std::max<int64_t>(blockRows, (int64_t(1) << 20) / inputs / blockRows * blockRows);
    for (int64_t begin = 0; begin < outputs; begin += stripe) {
        int64_t end = std::min(begin + stripe, outputs);
        out.slice(1, begin, end).copy_(at::linear(flat, unpack(begin, end, type)));
    }
    if (bias) { out.add_(bias->to(type)); }
    return out;
}

} // namespace ctorch
