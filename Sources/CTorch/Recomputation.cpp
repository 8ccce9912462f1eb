// Gradient checkpointing: a part of a model whose inner values are thrown away and computed again when the gradient asks for them
// (Chen et al. 2016, arXiv 1604.06174). And the moment at which a weight's gradient is complete, told to whoever listens.
#include "Barrier.hpp"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

using namespace ctorch;

namespace {

// A caller's function of one tensor, with what it needs; given back when nobody can call it any more.
struct Body {
    CTBody function;
    void (*release)(void *);
    void *context;

    Body(CTBody function, void (*release)(void *), void *context)
        : function(function), release(release), context(context) {}
    ~Body() { release(context); }
    Body(const Body &) = delete;
    Body &operator=(const Body &) = delete;

    at::Tensor operator()(const at::Tensor &x) const {
        CTTensor input(x);
        CTTensor *output = nullptr;
        int status = function(context, &input, &output);
        // The caller's own error waits on its side; this text is for errors that surface in the backward pass.
        if (status != CT_OK || output == nullptr) {
            throw Fault{status == CT_OK ? CT_RUNTIME : status, "a recomputed part of the model failed"};
        }
        at::Tensor value = output->value;
        delete output;
        return value;
    }
};

struct Recomputation : torch::autograd::Node {
    at::Tensor input;
    std::shared_ptr<Body> body;

    torch::autograd::variable_list apply(torch::autograd::variable_list &&gradients) override {
        TORCH_CHECK(body != nullptr, "this part's values are gone: its gradient was taken before");
        auto x = input.detach();
        x.set_requires_grad(true);
        {
            c10::AutoGradMode on(true);
            at::Tensor y;
            try {
                y = (*body)(x);
            } catch (const Fault &fault) {
                TORCH_CHECK(false, fault.message);
            }
            if (gradients[0].defined() && y.requires_grad()) { y.backward(gradients[0]); }
        }
        return {x.grad()};
    }

    void release_variables() override {
        input.reset();
        body.reset();
    }
};

struct Listener : torch::autograd::PostAccumulateGradHook {
    void (*function)(void *);
    void *context;

    Listener(void (*function)(void *), void *context) : function(function), context(context) {}
    void operator()(const at::Tensor &) override { function(context); }
};

} // namespace

extern "C" {

int ct_recomputed(
    const CTTensor *self, CTBody function, void (*release)(void *), void *context, CTTensor **out) {
    return yielding(out, [&] {
        auto body = std::make_shared<Body>(function, release, context);
        const auto &x = self->value;
        if (!c10::GradMode::is_enabled() || !x.requires_grad()) { return (*body)(x); }
        at::Tensor y;
        {
            c10::AutoGradMode off(false);
            y = (*body)(x);
        }
        // The result must be nobody else's memory: it gets a history of its own.
        if (y.is_same(x) || y.is_alias_of(x)) { y = y.clone(); }
        auto node = c10::make_intrusive<Recomputation>();
        node->input = x;
        node->body = std::move(body);
        node->set_next_edges(torch::autograd::collect_next_edges(x));
        torch::autograd::set_history(y, node);
        return y;
    });
}

int ct_on_gradient(const CTTensor *self, void (*function)(void *), void *context) {
    return guarded([&] {
        torch::autograd::impl::set_post_acc_grad_hooks(
            self->value, function ? std::make_unique<Listener>(function, context) : nullptr);
    });
}

int ct_set_gradient(CTTensor *self, const CTTensor *gradient) {
    return guarded([&] {
        if (gradient->value.sizes() != self->value.sizes()) {
            throw Fault{
                CT_SHAPE, "a gradient " + describe(gradient->value.sizes()) + " for " + describe(self->value.sizes())};
        }
        self->value.mutable_grad() = gradient->value;
    });
}

} // extern "C"
