import Foundation
import Testing
import Torch

@Suite("Tensor: parts of networks")
struct NetworkTests {
    @Test("norms by hand")
    func norms() throws {
        let x = try Tensor([3.0, 4.0])
        // rms = √12.5, with epsilon 0; mean 3.5, deviation 0.5.
        let rms = 12.5.squareRoot()
        #expect(close(try x.rmsNorm(weight: Tensor([1.0, 2.0]), eps: 0).doubles(), [3 / rms, 8 / rms], within: 1e-12))
        let normed = try x.layerNorm(weight: Tensor([1.0, 2.0]), bias: Tensor([0.0, 5.0]), eps: 0)
        #expect(close(try normed.doubles(), [-1, 7], within: 1e-12))
    }

    @Test("cross-entropy per token, ignored ones are zero without gradient")
    func crossEntropy() throws {
        let logits = try Tensor([0, 1.0986122886681098, 0, 0, 5, 5], shape: [3, 2]).requireGradient()
        let loss = try logits.crossEntropy(targets: Tensor([0, 1, -100]))
        #expect(close(try loss.doubles(), [1.3862943611, 0.6931471806, 0], within: 1e-9))
        try loss.sum().backward()
        let gradient = try #require(logits.gradient).doubles()
        // softmax − one-hot.
        #expect(close(gradient, [-0.75, 0.75, 0.5, -0.5, 0, 0], within: 1e-9))
        #expect(try logits.to(.bfloat16).crossEntropy(targets: Tensor([0, 1, 0])).dtype == .float32)
        #expect(
            try logits.reshape([3, 1, 2]).crossEntropy(targets: Tensor([0, 1, 0], shape: [3, 1])).shape == [3, 1])
    }

    @Test("binary cross-entropy holds for huge logits")
    func binary() throws {
        let loss = try Tensor([0.0, 1000.0, -1000.0]).bceWithLogits(targets: Tensor([1.0, 1.0, 1.0]))
        #expect(close(try loss.doubles(), [0.6931471806, 0, 1000], within: 1e-9))
    }

    @Test("attention: causal equals its mask, grouped heads equal repeated ones")
    func attention() throws {
        let generator = try Generator(seed: 3)
        let query = try Tensor.randn([2, 4, 5, 8], generator: generator, dtype: .float64)
        let key = try Tensor.randn([2, 2, 5, 8], generator: generator, dtype: .float64)
        let value = try Tensor.randn([2, 2, 5, 8], generator: generator, dtype: .float64)
        let causal = try query.scaledDotProductAttention(key: key, value: value, isCausal: true)
        let mask = try Tensor.ones([1, 1, 5, 5]).tril().to(.bool)
        let masked = try query.scaledDotProductAttention(key: key, value: value, mask: mask)
        // By its definition.
        let keys = try key.repeatInterleave(2, dim: 1)
        let scores = try query.matmul(keys.transpose(2, 3)) * (1 / 8.0.squareRoot())
        let weights = try scores.maskedFill(mask.logicalNot(), -.infinity).softmax(dim: 3)
        let plain = try weights.matmul(value.repeatInterleave(2, dim: 1)).doubles()
        #expect(close(try causal.doubles(), plain, within: 1e-10))
        #expect(close(try masked.doubles(), plain, within: 1e-10))
        let single = try query.scaledDotProductAttention(key: key, value: value, scale: 0.5)
        #expect(try !close(single.doubles(), plain, within: 1e-3))
    }

    @Test("bfloat16 attention that records gradients agrees with float64", arguments: ["causal", "mask", "neither"])
    func attentionGradients(_ kind: String) throws {
        func run(_ dtype: DType) throws -> [[Double]] {
            let generator = try Generator(seed: 6)
            let leaves = try [4, 2, 2].map { heads in
                try Tensor.randn([2, heads, 6, 8], generator: generator).requireGradient()
            }
            let parts = try leaves.map { try $0.to(dtype) }
            // Documents of four and two places side by side.
            let marks = [0, 0, 0, 0, 1, 1]
            let allowed = (0..<6).flatMap { t in (0..<6).map { s in s <= t && marks[s] == marks[t] } }
            let mask = kind == "mask" ? try Tensor(allowed, shape: [1, 1, 6, 6]).expand([2, 1, 6, 6]) : nil
            let mixed = try parts[0].scaledDotProductAttention(
                key: parts[1], value: parts[2], mask: mask, isCausal: kind == "causal")
            let weights = try Tensor.randn([2, 4, 6, 8], generator: generator)
            try (mixed.to(.float32) * weights).sum().backward()
            return try [mixed.doubles()] + leaves.map { try #require($0.gradient).doubles() }
        }
        for (short, exact) in zip(try run(.bfloat16), try run(.float64)) {
            #expect(short.count == exact.count)
            let error = zip(short, exact).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            let size = exact.reduce(0) { $0 + $1 * $1 }
            #expect((error / size).squareRoot() < 0.015)
        }
    }

    @Test("a row that may look at nothing stays finite, with its gradients")
    func blindRow() throws {
        for dtype in [DType.float32, .bfloat16] {
            let x = try Tensor.randn([1, 1, 2, 4], generator: Generator(seed: 1)).requireGradient()
            let part = try x.to(dtype)
            let mask = try Tensor([false, false, true, true], shape: [1, 1, 2, 2])
            let mixed = try part.scaledDotProductAttention(key: part, value: part, mask: mask)
            try mixed.to(.float32).sum().backward()
            #expect(try mixed.isFinite() && #require(x.gradient).isFinite())
        }
    }
}
