#include "LayerStack.hpp"

#include "../Barrier.hpp"
#include "Tickets.hpp"

#include <algorithm>

namespace ctorch {

namespace {

const float *numbers(const at::Tensor &tensor) { return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr; }

NormWeights normWeights(const StackNorm &norm, bool isCentred, float epsilon) {
    return {isCentred, epsilon, numbers(norm.weight), numbers(norm.bias)};
}

} // namespace

// What one pass works on.
struct LayerStack::Pass {
    int64_t rows;
    float *x;
    const float *cosine, *sine;
    const std::vector<at::Tensor> &keys, &values;
    const std::vector<StackPart> &parts;
    int64_t caches;
    int64_t threads;
    // Rows as products read them: the residual stream, what attention gives, and the feed-forward's inner width.
    ProductRows streamRows, attendedRows, fedRows;
    // What products give.
    AlignedMemory<float> mixed;
    // A row each: a norm's, or what attention gives.
    AlignedMemory<float> states;
    // Turned queries.
    AlignedMemory<uint16_t> queries;
    // Of each row its part and its place there.
    std::vector<std::pair<const StackPart *, int64_t>> places;
    // Work of one layer's attention.
    struct Span {
        const StackPart *part;
        // The part's first row of the pass.
        int64_t row;
        int64_t head;
        // Queries of the part, token by token, in each those that share the head.
        int64_t first, count;
    };
    std::vector<Span> spans;
    int64_t longest = 0;

    // Tickets for work on each row.
    int64_t rowTickets() const { return std::min(rows, threads * 4); }
    template <class Body> void eachRow(int64_t ticket, const Body &body) const {
        int64_t count = rowTickets();
        for (int64_t row = rows * ticket / count; row < rows * (ticket + 1) / count; row++) { body(row); }
    }
};

void LayerStack::check(const StackLayer &layer) const {
    auto fits = [](const std::shared_ptr<PackedWeight> &weight, int64_t outputs, int64_t inputs, const char *name) {
        if (!weight || weight->outputs != outputs || weight->inputs != inputs) {
            throw Fault{CT_SHAPE, std::string(name) + " of a layer is not [" + std::to_string(outputs) + ", " +
                                      std::to_string(inputs) + "]"};
        }
    };
    auto vector = [](const at::Tensor &tensor, int64_t count, const char *name) {
        if (!tensor.defined()) { return; }
        if (tensor.numel() != count || tensor.scalar_type() != at::kFloat || !tensor.is_contiguous() || !tensor.is_cpu()) {
            throw Fault{CT_SHAPE, std::string(name) + " of a layer is not " + std::to_string(count) + " numbers"};
        }
    };
    int64_t mixed = (heads + 2 * keyHeads) * size, fed = isGated ? 2 * wide : wide;
    auto isWide = [](const std::shared_ptr<PackedWeight> &weight) { return weight->bits == 16; };
    fits(layer.mix, mixed, width, "the matrix of queries, keys and values");
    fits(layer.output, width, heads * size, "the output matrix");
    fits(layer.up, fed, width, "the first matrix of the feed-forward");
    fits(layer.down, width, wide, "the second matrix of the feed-forward");
    for (auto *weight : {&layer.mix, &layer.output, &layer.up, &layer.down}) {
        if (isWide(*weight) != isWide(layers.empty() ? layer.mix : layers[0].mix)) {
            throw Fault{CT_ARGUMENT, "16 bits do not go with fewer in one stack of layers"};
        }
    }
    vector(layer.mixBias, mixed, "the bias of queries, keys and values");
    vector(layer.outputBias, width, "the bias of the output");
    vector(layer.upBias, fed, "the first bias of the feed-forward");
    vector(layer.downBias, width, "the second bias of the feed-forward");
    vector(layer.queryNorm, size, "the norm of queries");
    vector(layer.keyNorm, size, "the norm of keys");
    for (auto *norm : {&layer.attentionNorm, &layer.feedNorm}) {
        vector(norm->weight, width, "a norm");
        vector(norm->bias, width, "the bias of a norm");
    }
}

void LayerStack::check(const Pass &pass) const {
    int64_t rows = 0;
    auto count = static_cast<int64_t>(layers.size()) * pass.caches;
    if (static_cast<int64_t>(pass.keys.size()) != count || pass.values.size() != pass.keys.size()) {
        throw Fault{CT_ARGUMENT, "a stack of layers wants keys and values of every layer and cache"};
    }
    for (const StackPart &part : pass.parts) {
        if (part.cache < 0 || part.cache >= pass.caches || part.count < 1 || part.before < 0 || part.row < 0) {
            throw Fault{CT_ARGUMENT, "a part of a pass is of no cache, or empty"};
        }
        for (size_t layer = 0; layer < layers.size(); layer++) {
            for (auto *all : {&pass.keys, &pass.values}) {
                const at::Tensor &one = (*all)[layer * pass.caches + part.cache];
                if (one.dim() != 4 || one.size(0) <= part.row || one.size(1) != keyHeads || one.size(3) != size ||
                    one.size(2) < part.before + part.count || one.scalar_type() != at::kBFloat16 ||
                    !one.is_contiguous() || !one.is_cpu()) {
                    throw Fault{CT_SHAPE, "a cache " + describe(one.sizes()) + " does not fit the layers, or lacks room"};
                }
            }
        }
        rows += part.count;
    }
    if (rows != pass.rows) { throw Fault{CT_SHAPE, "the parts of a pass are not as long as it is"}; }
}

at::Tensor LayerStack::run(
    const at::Tensor &x, const std::optional<at::Tensor> &cosine, const std::optional<at::Tensor> &sine,
    const std::vector<at::Tensor> &keys, const std::vector<at::Tensor> &values, const std::vector<StackPart> &parts) const {
    if (x.dim() != 2 || x.size(1) != width || x.size(0) < 1 || !x.is_cpu() || !x.is_floating_point()) {
        throw Fault{CT_SHAPE, "a stack of layers takes [rows, " + std::to_string(width) + "], not " + describe(x.sizes())};
    }
    for (auto *angles : {&cosine, &sine}) {
        if (!angles->has_value()) { continue; }
        const at::Tensor &one = **angles;
        if (one.numel() != x.size(0) * size || one.scalar_type() != at::kFloat || !one.is_contiguous() || !one.is_cpu()) {
            throw Fault{CT_SHAPE, "angles " + describe(one.sizes()) + " beside " + std::to_string(x.size(0)) + " rows"};
        }
    }
    if (cosine.has_value() != sine.has_value()) { throw Fault{CT_ARGUMENT, "cosine and sine come together"}; }
    // A copy, which becomes the residual stream.
    auto stream = at::empty(x.sizes(), x.options().dtype(at::kFloat));
    stream.copy_(x);
    Pass pass{
        x.size(0), stream.mutable_data_ptr<float>(), cosine ? cosine->const_data_ptr<float>() : nullptr,
        sine ? sine->const_data_ptr<float>() : nullptr, keys, values, parts,
        static_cast<int64_t>(keys.size() / std::max<size_t>(layers.size(), 1)), at::get_num_threads()};
    check(pass);
    int64_t fed = isGated ? 2 * wide : wide, mixed = (heads + 2 * keyHeads) * size, group = heads / keyHeads;
    for (const StackPart &part : parts) {
        auto row = static_cast<int64_t>(pass.places.size());
        for (int64_t i = 0; i < part.count; i++) { pass.places.push_back({&part, i}); }
        pass.longest = std::max(pass.longest, (part.before + part.count + 15) / 16 * 16);
        // Cut so that the threads have a few spans each, of whole tiles of queries.
        int64_t tiles = (part.count * group + mostQueries - 1) / mostQueries;
        int64_t pieces = std::max<int64_t>(1, std::min(tiles, pass.threads * 8 / keyHeads));
        for (int64_t head = 0; head < keyHeads; head++) {
            for (int64_t piece = 0; piece < pieces; piece++) {
                int64_t first = tiles * piece / pieces * mostQueries;
                int64_t last = std::min(tiles * (piece + 1) / pieces * mostQueries, part.count * group);
                pass.spans.push_back({&part, row, head, first, last - first});
            }
        }
    }
    pass.mixed.reserve(pass.rows * std::max(fed, mixed));
    pass.states.reserve(pass.rows * std::max(width, heads * size));
    pass.queries.reserve(pass.rows * heads * size);
    if (!layers.empty()) {
        pass.streamRows.prepare(*layers[0].mix, pass.rows);
        pass.attendedRows.prepare(*layers[0].output, pass.rows);
        pass.fedRows.prepare(*layers[0].down, pass.rows);
    }
    Tickets tickets;
    for (size_t index = 0; index < layers.size(); index++) {
        addAttention(tickets, pass, index);
        addFeedForward(tickets, pass, index);
    }
    if (hasFinalNorm) {
        auto last = normWeights(finalNorm, isCentred, epsilon);
        tickets.add(pass.rowTickets(), [this, &pass, last](int64_t ticket) {
            pass.eachRow(ticket, [&](int64_t row) {
                float *own = pass.x + row * width;
                kernels().norm(last, own, width, own);
            });
        });
    }
    tickets.run();
    return stream;
}

void LayerStack::addAttention(Tickets &tickets, Pass &pass, size_t index) const {
    const StackLayer &layer = layers[index];
    addNormed(tickets, pass, layer.attentionNorm);
    addProduct(tickets, pass, *layer.mix, pass.streamRows, layer.mixBias, pass.mixed.data(), false);
    tickets.add(pass.rowTickets(), [this, &pass, &layer, index](int64_t ticket) {
        pass.eachRow(ticket, [&](int64_t row) { place(pass, layer, index, row); });
    });
    tickets.add(static_cast<int64_t>(pass.spans.size()), [this, &pass, &layer, index](int64_t ticket) {
        attend(pass, layer, index, ticket);
    });
    tickets.add(pass.rowTickets(), [this, &pass](int64_t ticket) {
        pass.eachRow(ticket, [&](int64_t row) {
            kernels().fillRow(
                pass.attendedRows, row, 0, pass.attendedRows.groups, pass.states.data() + row * heads * size);
        });
    });
    addProduct(tickets, pass, *layer.output, pass.attendedRows, layer.outputBias, pass.x, true);
}

void LayerStack::addFeedForward(Tickets &tickets, Pass &pass, size_t index) const {
    const StackLayer &layer = layers[index];
    addNormed(tickets, pass, layer.feedNorm);
    addProduct(tickets, pass, *layer.up, pass.streamRows, layer.upBias, pass.mixed.data(), false);
    // One token's gates are worth sharing out too.
    int64_t groups = pass.fedRows.groups, cuts = pass.rows >= pass.threads ? 1 : std::min(groups, pass.threads * 2);
    tickets.add(pass.rowTickets() * cuts, [this, &pass, groups, cuts](int64_t ticket) {
        int64_t from = groups * (ticket % cuts) / cuts, to = groups * (ticket % cuts + 1) / cuts;
        int64_t first = from * groupSize, last = std::min(to * groupSize, wide);
        pass.eachRow(ticket / cuts, [&](int64_t row) {
            float *own = pass.mixed.data() + row * (isGated ? 2 * wide : wide);
            kernels().gate(curve, own + first, isGated ? own + wide + first : nullptr, last - first, own + first);
            kernels().fillRow(pass.fedRows, row, from, to, own);
        });
    });
    addProduct(tickets, pass, *layer.down, pass.fedRows, layer.downBias, pass.x, true);
}

void LayerStack::addNormed(Tickets &tickets, Pass &pass, const StackNorm &norm) const {
    auto weights = normWeights(norm, isCentred, epsilon);
    tickets.add(pass.rowTickets(), [this, &pass, weights](int64_t ticket) {
        pass.eachRow(ticket, [&](int64_t row) {
            float *own = pass.states.data() + row * width;
            kernels().norm(weights, pass.x + row * width, width, own);
            kernels().fillRow(pass.streamRows, row, 0, pass.streamRows.groups, own);
        });
    });
}

void LayerStack::addProduct(
    Tickets &tickets, Pass &pass, const PackedWeight &weight, const ProductRows &rows, const at::Tensor &bias, float *out,
    bool adds) const {
    // A few per thread, so that one taken off its core does not hold up all.
    int64_t parts = std::min((weight.blocks + 3) / 4, pass.threads * 4);
    const float *added = numbers(bias);
    tickets.add(parts, [&pass, &weight, &rows, parts, added, out, adds](int64_t ticket) {
        auto [from, to] = weight.share(ticket, parts);
        kernels().product(weight, rows, 0, pass.rows, from, to, added, out, weight.outputs, adds);
    });
}

// A row's queries, keys and values: normed, turned, and put where attention looks for them.
void LayerStack::place(Pass &pass, const StackLayer &layer, size_t index, int64_t row) const {
    float *own = pass.mixed.data() + row * (heads + 2 * keyHeads) * size;
    const float *cosine = pass.cosine ? pass.cosine + row * size : nullptr;
    const float *sine = pass.sine ? pass.sine + row * size : nullptr;
    auto [part, at] = pass.places[row];
    auto cache = index * pass.caches + part->cache;
    int64_t room = pass.keys[cache].size(2);
    auto memory = [&](const at::Tensor &tensor, int64_t head) {
        auto *first = reinterpret_cast<uint16_t *>(tensor.mutable_data_ptr<at::BFloat16>());
        return first + ((part->row * keyHeads + head) * room + part->before + at) * size;
    };
    for (int64_t head = 0; head < heads; head++) {
        float *x = own + head * size;
        if (layer.queryNorm.defined()) { kernels().norm({false, epsilon, numbers(layer.queryNorm), nullptr}, x, size, x); }
        kernels().turn(x, cosine, sine, size, pass.queries.data() + (row * heads + head) * size);
    }
    for (int64_t head = 0; head < keyHeads; head++) {
        float *x = own + (heads + head) * size;
        if (layer.keyNorm.defined()) { kernels().norm({false, epsilon, numbers(layer.keyNorm), nullptr}, x, size, x); }
        kernels().turn(x, cosine, sine, size, memory(pass.keys[cache], head));
        kernels().turn(x + keyHeads * size, nullptr, nullptr, size, memory(pass.values[cache], head));
    }
}

void LayerStack::attend(Pass &pass, const StackLayer &layer, size_t index, int64_t ticket) const {
    thread_local std::vector<float> scratch;
    const Pass::Span &span = pass.spans[ticket];
    const StackPart &part = *span.part;
    int64_t group = heads / keyHeads;
    auto cache = index * pass.caches + part.cache;
    int64_t begin = (part.row * keyHeads + span.head) * pass.keys[cache].size(2) * size;
    auto memory = [&](const at::Tensor &tensor) {
        return reinterpret_cast<const uint16_t *>(tensor.const_data_ptr<at::BFloat16>()) + begin;
    };
    if (static_cast<int64_t>(scratch.size()) < mostQueries * pass.longest) { scratch.resize(mostQueries * pass.longest); }
    Attended what{};
    what.keys = memory(pass.keys[cache]);
    what.values = memory(pass.values[cache]);
    what.size = size;
    what.scale = layer.scale;
    what.scratch = scratch.data();
    for (int64_t first = span.first; first < span.first + span.count; first += mostQueries) {
        what.count = std::min(mostQueries, span.first + span.count - first);
        for (int64_t i = 0; i < what.count; i++) {
            int64_t token = (first + i) / group, head = span.head * group + (first + i) % group;
            int64_t at = ((span.row + token) * heads + head) * size;
            what.queries[i] = pass.queries.data() + at;
            what.out[i] = pass.states.data() + at;
            what.last[i] = part.before + token + 1;
            what.first[i] = layer.window > 0 ? std::max<int64_t>(0, what.last[i] - layer.window) : 0;
        }
        kernels().attend(what);
    }
}

} // namespace ctorch
