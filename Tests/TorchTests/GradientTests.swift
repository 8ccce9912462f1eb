import Testing
import Torch

@Suite("Gradients")
struct GradientTests {
    private struct Halt: Error {}

    @Test("of a small formula by hand")
    func formula() throws {
        // y = Σ (w x)², dy/dw = 2 w x².
        let w = try Tensor([1.0, -2.0]).requireGradient()
        let x = try Tensor([3.0, 0.5])
        try (w * x).square().sum().backward()
        #expect(try #require(w.gradient).doubles() == [18, -1])
        try (w * x).square().sum().backward()
        #expect(try #require(w.gradient).doubles() == [36, -2])
        try w.zeroGradient()
        #expect(w.gradient == nil && x.gradient == nil)
    }

    @Test("detach cuts, a cast passes in the master's type")
    func flow() throws {
        let w = try Tensor([2] as [Float]).requireGradient()
        #expect(try !(w * 3).detach().requiresGradient)
        try (w.to(.bfloat16) * 3).to(.float32).sum().backward()
        let gradient = try #require(w.gradient)
        #expect(try gradient.dtype == .float32 && gradient.floats() == [3])
    }

    @Test("withoutGradients records nothing and is undone after a throw, also when nested")
    func withoutRecording() throws {
        let w = try Tensor([2.0]).requireGradient()
        #expect(try !withoutGradients { try w * 2 }.requiresGradient)
        #expect(throws: Halt.self) {
            try withoutGradients {
                try withoutGradients { _ = try w * 2 }
                #expect(try !(w * 2).requiresGradient)
                throw Halt()
            }
        }
        #expect(throws: TorchError.self) { try withoutGradients { _ = try w + Tensor.zeros([2, 0]).reshape([3]) } }
        #expect(try (w * 2).requiresGradient)
    }

    @Test("clipping scales all gradients together and tells the norm before")
    func clipping() throws {
        let a = Parameter(try Tensor([0.0, 0.0]).requireGradient())
        let b = Parameter(try Tensor([0.0]).requireGradient())
        let still = Parameter(try Tensor([0.0]).requireGradient())
        func setGradients(_ last: Double) throws {
            try a.value.zeroGradient()
            try b.value.zeroGradient()
            try ((a.value * Tensor([3.0, 4.0])).sum() + (b.value * last).sum()).backward()
        }
        try setGradients(12)
        #expect(abs(try clipGradients([a, b, still], maximumNorm: 6.5) - 13) < 1e-12)
        #expect(close(try #require(a.value.gradient).doubles(), [1.5, 2], within: 1e-6))
        #expect(close(try #require(b.value.gradient).doubles(), [6], within: 1e-6))
        #expect(abs(try clipGradients([a, b], maximumNorm: 100) - 6.5) < 1e-5)
        #expect(close(try #require(b.value.gradient).doubles(), [6], within: 1e-6))
        try setGradients(.infinity)
        #expect(try clipGradients([a, b], maximumNorm: 1) == .infinity)
        #expect(try #require(a.value.gradient).doubles() == [3, 4])
        #expect(try clipGradients([still], maximumNorm: 1) == 0)
    }
}
