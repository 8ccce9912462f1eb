import Foundation
import Testing
import Torch

/// Parts with a way back of their own, in bfloat16, against the same parts in float64 by libtorch's operations.
@Suite("Training parts")
struct TrainingPartsTests {
    private func numbers(_ shape: [Int], _ seed: UInt64, scale: Double = 1) throws -> Tensor {
        // Rounded to bfloat16 first, so that both ways begin with the same numbers.
        try (Tensor.randn(shape, generator: Generator(seed: seed)) * scale).to(.bfloat16).to(.float64)
    }

    /// Value and gradients of a part in one type, as doubles.
    private func run(
        _ inputs: [Tensor], as type: DType, _ part: ([Tensor]) throws -> Tensor
    ) throws -> (value: [Double], gradients: [[Double]]) {
        let leaves = try inputs.map { try $0.to(type).clone().requireGradient() }
        let y = try part(leaves)
        let slopes = try numbers(y.shape, 99)
        try (y.to(.float64) * slopes).sum().backward()
        return (try y.doubles(), try leaves.map { try $0.gradient?.doubles() ?? [] })
    }

    private func compare(_ inputs: [Tensor], tolerance: Double, _ part: ([Tensor]) throws -> Tensor) throws {
        let (exact, short) = (try run(inputs, as: .float64, part), try run(inputs, as: .bfloat16, part))
        for (a, b) in zip([exact.value] + exact.gradients, [short.value] + short.gradients) {
            #expect(a.count == b.count)
            let size = (a.reduce(0) { $0 + $1 * $1 } / Double(max(a.count, 1))).squareRoot()
            let error = zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
            #expect(error <= tolerance * max(size, 0.01) + 1e-6, "error \(error) beside \(size)")
        }
    }

    @Test("root-mean-square norm, its weight in float32 or short", arguments: [40, 33])
    func norm(width: Int) throws {
        try compare([numbers([3, 5, width], 1), numbers([width], 2)], tolerance: 0.06) {
            try $0[0].rmsNormWide(weight: $0[1], eps: 1e-5)
        }
    }

    @Test("gate")
    func gate() throws {
        try compare([numbers([7, 35], 1, scale: 3), numbers([7, 35], 2)], tolerance: 0.06) {
            try $0[0].siluTimes($0[1])
        }
    }

    @Test("rotation, of a view too")
    func rotation() throws {
        let angles = try Tensor.uniform([1, 1, 6, 8], generator: Generator(seed: 3)).to(.float64)
        // Both halves turn by the same angles, as in every model.
        let both = try Tensor.cat([angles, angles], dim: -1)
        let (cosine, sine) = (try both.cos().to(.bfloat16), try both.sin().to(.bfloat16))
        try compare([numbers([2, 6, 3, 16], 1)], tolerance: 0.06) {
            try $0[0].transpose(1, 2).rotated(cosine: cosine.to($0[0].dtype), sine: sine.to($0[0].dtype))
        }
    }

    @Test("attention: causal, masked, shared heads", arguments: [0, 1, 2])
    func attention(kind: Int) throws {
        let (heads, shared, length) = (4, kind == 2 ? 2 : 4, 21)
        let inputs = try [
            numbers([2, heads, length, 16], 1), numbers([2, shared, length, 16], 2),
            numbers([2, shared, length, 16], 3),
        ]
        // Two documents side by side, and a row that sees itself alone.
        let marks = (0..<2 * length * length).map { place in
            let (t, s) = (place / length % length, place % length)
            return s <= t && (t < 9) == (s < 9) || s == t
        }
        let mask = try Tensor(marks, shape: [2, 1, length, length])
        try compare(inputs, tolerance: 0.12) {
            try $0[0].scaledDotProductAttention(
                key: $0[1], value: $0[2], mask: kind == 1 ? mask : nil, isCausal: kind != 1)
        }
    }

    @Test("cross-entropy in float32 and short, with places that do not count")
    func crossEntropy() throws {
        let logits = try numbers([6, 53], 1, scale: 4)
        let targets = try Tensor([5, 0, -100, 52, 7, 7])
        let exact = try run([logits], as: .float64) { try $0[0].crossEntropy(targets: targets) }
        for (type, tolerance) in [(DType.float32, 1e-5), (.bfloat16, 0.02)] {
            let found = try run([logits], as: type) { try $0[0].crossEntropy(targets: targets) }
            #expect(zip(exact.value, found.value).allSatisfy { abs($0 - $1) < 1e-4 })
            #expect(zip(exact.gradients[0], found.gradients[0]).allSatisfy { abs($0 - $1) < tolerance })
        }
        let wrong = try Tensor([5, 0, 1, 53, 7, 7])
        #expect(throws: TorchError.self) { try logits.to(.float32).crossEntropy(targets: wrong) }
        // Infinities and NaN are seen, not hidden.
        for odd in [Double.infinity, -.infinity, .nan] {
            let values = try Tensor([odd, 1, 2], shape: [1, 3], dtype: .float32)
            let loss = try values.crossEntropy(targets: Tensor([0])).item()
            #expect(!loss.isFinite)
        }
    }

    @Test("scores and the largest other logit, in every type, the first of equal ones")
    func scores() throws {
        let logits = try numbers([5, 37], 1, scale: 3)
        let targets = try Tensor([3, 36, 0, 20, 20])
        let picks = try Tensor([3, 4, 36, 0, 0, 0, 20, 1, 20, 2], shape: [5, 2])
        func part(_ x: [Tensor]) throws -> Tensor {
            let (sums, values) = try x[0].scores(at: picks)
            return try Tensor.cat([sums.reshape([5, 1]), values], dim: 1)
        }
        let exact = try run([logits], as: .float64, part)
        for (type, tolerance) in [(DType.float32, 1e-5), (.bfloat16, 0.02)] {
            let found = try run([logits], as: type, part)
            #expect(zip(exact.value, found.value).allSatisfy { abs($0 - $1) < 1e-4 })
            #expect(zip(exact.gradients[0], found.gradients[0]).allSatisfy { abs($0 - $1) < tolerance })
            let short = try logits.to(type).largestOther(than: targets).ints()
            let wide = try logits.largestOther(than: targets).ints()
            #expect(short == wide)
        }
        let equal = try Tensor([1, 7, 7, 2, 7, 7, 7, 7] as [Float], shape: [2, 4])
        let first = try equal.largestOther(than: Tensor([1, 0])).ints()
        #expect(first == [2, 1])
        #expect(throws: TorchError.self) { try equal.largestOther(than: Tensor([1, 4])) }
        #expect(throws: TorchError.self) { try equal.scores(at: Tensor([1, 2])) }
    }
}
