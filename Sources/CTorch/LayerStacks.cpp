#include "Barrier.hpp"
#include "Kernels/LayerStack.hpp"
#include "PackedWeights.hpp"

using namespace ctorch;

struct CTLayerStack {
    LayerStack value;
};

namespace {

at::Tensor wide(const CTTensor *tensor) {
    return tensor ? tensor->value.to(at::kFloat).contiguous() : at::Tensor();
}

} // namespace

extern "C" {

int ct_stack_new(const CTStackShape *shape, CTLayerStack **out) {
    return guarded([&] {
        if (shape->width < 1 || shape->heads < 1 || shape->keyHeads < 1 || shape->size < 1 || shape->wide < 1 ||
            shape->heads % shape->keyHeads != 0 || shape->curve < 0 || shape->curve > 4) {
            throw Fault{CT_ARGUMENT, "no stack of layers has this shape"};
        }
        auto stack = std::make_unique<CTLayerStack>();
        LayerStack &value = stack->value;
        value.width = shape->width;
        value.heads = shape->heads;
        value.keyHeads = shape->keyHeads;
        value.size = shape->size;
        value.wide = shape->wide;
        value.isGated = shape->isGated;
        value.isCentred = shape->isCentred;
        value.curve = static_cast<Curve>(shape->curve);
        value.epsilon = static_cast<float>(shape->epsilon);
        value.hasFinalNorm = false;
        *out = stack.release();
    });
}

void ct_stack_free(CTLayerStack *stack) { delete stack; }

int ct_stack_add(CTLayerStack *stack, const CTStackLayer *layer) {
    return guarded([&] {
        StackLayer made;
        made.attentionNorm = {wide(layer->attentionNorm), wide(layer->attentionNormBias)};
        made.feedNorm = {wide(layer->feedNorm), wide(layer->feedNormBias)};
        made.mix = layer->mix->value;
        made.output = layer->output->value;
        made.up = layer->up->value;
        made.down = layer->down->value;
        made.mixBias = wide(layer->mixBias);
        made.outputBias = wide(layer->outputBias);
        made.upBias = wide(layer->upBias);
        made.downBias = wide(layer->downBias);
        made.queryNorm = wide(layer->queryNorm);
        made.keyNorm = wide(layer->keyNorm);
        made.scale = static_cast<float>(layer->scale);
        made.window = layer->window;
        stack->value.check(made);
        stack->value.layers.push_back(std::move(made));
    });
}

int ct_stack_set_final_norm(CTLayerStack *stack, const CTTensor *weight, const CTTensor *bias) {
    return guarded([&] {
        StackNorm norm{wide(weight), wide(bias)};
        for (auto *part : {&norm.weight, &norm.bias}) {
            if (part->defined() && part->numel() != stack->value.width) {
                throw Fault{CT_SHAPE, "the last norm is not as wide as the layers"};
            }
        }
        stack->value.finalNorm = norm;
        stack->value.hasFinalNorm = true;
    });
}

int ct_stack_run(
    const CTLayerStack *stack, const CTTensor *x, const CTTensor *cosine, const CTTensor *sine, const CTTensor *const *keys,
    const CTTensor *const *values, int64_t cacheCount, const CTStackPart *parts, int64_t partCount, CTTensor **out) {
    return yielding(out, [&] {
        std::vector<StackPart> all;
        for (int64_t i = 0; i < partCount; i++) {
            all.push_back({parts[i].cache, parts[i].row, parts[i].before, parts[i].count});
        }
        int64_t count = cacheCount * static_cast<int64_t>(stack->value.layers.size());
        return stack->value.run(
            x->value, optional(cosine), optional(sine), list(keys, count), list(values, count), all);
    });
}

bool ct_kernels_are_fast(void) { return areFast(kernels()); }

} // extern "C"
