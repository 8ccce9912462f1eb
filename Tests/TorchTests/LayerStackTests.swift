import Testing

@testable import Torch

/// A decoder's layers in one computation, against the plain operators in float32 on the same weights.
@Suite("Stack of layers")
struct LayerStackTests {
    /// Sizes of a stack, odd ones among them.
    struct Case: Sendable, CustomTestStringConvertible {
        var shape: LayerStack.Shape
        var window: Int?
        var hasBiases = false
        var hasHeadNorms = false
        var turns = true

        var testDescription: String {
            "\(shape.headCount)/\(shape.keyValueHeadCount) heads of \(shape.headSize), \(shape.curve)\(window == nil ? "" : ", a window")"
        }
    }

    static let cases: [Case] = [
        // Grouped queries, a gate, root mean squares.
        Case(
            shape: .init(
                width: 96, headCount: 4, keyValueHeadCount: 2, headSize: 64, innerWidth: 176, isGated: true,
                curve: .silu,
                isCentred: false, epsilon: 1e-6), hasHeadNorms: true),
        // Layer norms, biases, no turning.
        Case(
            shape: .init(
                width: 72, headCount: 3, keyValueHeadCount: 3, headSize: 24, innerWidth: 200, isGated: false,
                curve: .geluTanh, isCentred: true, epsilon: 1e-5), hasBiases: true, turns: false),
        // A window, heads of an odd size, all queries on one head.
        Case(
            shape: .init(
                width: 64, headCount: 7, keyValueHeadCount: 1, headSize: 80, innerWidth: 64, isGated: true,
                curve: .gelu,
                isCentred: false, epsilon: 1e-6), window: 5),
        Case(
            shape: .init(
                width: 40, headCount: 2, keyValueHeadCount: 1, headSize: 128, innerWidth: 90, isGated: false,
                curve: .relu,
                isCentred: true, epsilon: 1e-5), hasBiases: true, turns: false),
    ]

    private struct Made {
        var stack: LayerStack
        var layers: [LayerStack.Layer]
        var finalNorm: LayerStack.Norm
    }

    private func random(_ shape: [Int], _ seed: UInt64, _ scale: Double = 1) throws -> Tensor {
        try Tensor.randn(shape, generator: Generator(seed: seed)) * scale
    }

    private func make(_ one: Case, _ bits: PackedWeight.Bits) throws -> Made {
        let shape = one.shape
        let mixed = (shape.headCount + 2 * shape.keyValueHeadCount) * shape.headSize
        func matrix(_ outputs: Int, _ inputs: Int, _ seed: UInt64) throws -> LayerStack.Matrix {
            .init(
                weight: try PackedWeight(random([outputs, inputs], seed, 1 / Double(inputs).squareRoot()), bits: bits),
                bias: one.hasBiases ? try random([outputs], seed + 50, 0.1) : nil)
        }
        func norm(_ seed: UInt64) throws -> LayerStack.Norm {
            .init(
                weight: try random([shape.width], seed, 0.1) + 1,
                bias: shape.isCentred ? try random([shape.width], seed + 50, 0.1) : nil)
        }
        let layers = try (0..<2).map { index in
            let seed = UInt64(100 * index)
            return LayerStack.Layer(
                attentionNorm: try norm(seed + 1), feedForwardNorm: try norm(seed + 2),
                mix: try matrix(mixed, shape.width, seed + 3),
                output: try matrix(shape.width, shape.headCount * shape.headSize, seed + 4),
                up: try matrix((shape.isGated ? 2 : 1) * shape.innerWidth, shape.width, seed + 5),
                down: try matrix(shape.width, shape.innerWidth, seed + 6),
                queryNorm: one.hasHeadNorms ? try random([shape.headSize], seed + 7, 0.1) + 1 : nil,
                keyNorm: one.hasHeadNorms ? try random([shape.headSize], seed + 8, 0.1) + 1 : nil,
                scale: 1 / Double(shape.headSize).squareRoot(), window: one.window)
        }
        let last = try norm(999)
        return Made(stack: try LayerStack(shape, layers: layers, finalNorm: last), layers: layers, finalNorm: last)
    }

    /// The same by plain operators, a whole sequence without a cache.
    private func reference(_ made: Made, _ one: Case, _ x: Tensor, _ cosine: Tensor?, _ sine: Tensor?) throws -> Tensor
    {
        let (shape, length) = (one.shape, x.shape[0])
        func norm(_ x: Tensor, _ norm: LayerStack.Norm) throws -> Tensor {
            let weight = norm.weight!
            return shape.isCentred
                ? try x.layerNorm(weight: weight, bias: norm.bias, eps: shape.epsilon)
                : try x.rmsNorm(weight: weight, eps: shape.epsilon)
        }
        func product(_ x: Tensor, _ matrix: LayerStack.Matrix) throws -> Tensor {
            try x.linear(weight: matrix.weight.unpacked(), bias: matrix.bias)
        }
        func curve(_ x: Tensor) throws -> Tensor {
            switch shape.curve {
            case .relu: try x.relu()
            case .gelu: try x.gelu()
            case .geluTanh: try x.geluTanh()
            case .silu: try x.silu()
            case .tanh: try x.tanh()
            }
        }
        let rows = try Tensor.arange(length).reshape([length, 1])
        let columns = try Tensor.arange(length).reshape([1, length])
        var seen = try columns.lessOrEqual(to: rows)
        if let window = one.window { seen = try seen.logicalAnd(columns.greater(than: rows - window)) }
        var x = x
        for layer in made.layers {
            let mixed = try product(norm(x, layer.attentionNorm), layer.mix)
            func heads(_ start: Int, _ count: Int, _ weight: Tensor?, turned: Bool) throws -> Tensor {
                var part = try mixed.narrow(dim: 1, start: start * shape.headSize, length: count * shape.headSize)
                    .reshape([1, length, count, shape.headSize])
                if let weight { part = try part.rmsNorm(weight: weight, eps: shape.epsilon) }
                part = try part.transpose(1, 2)
                guard turned, let cosine, let sine else { return part }
                let angles = [1, 1, length, shape.headSize]
                return try part.rotated(cosine: cosine.reshape(angles), sine: sine.reshape(angles))
            }
            let attended = try heads(0, shape.headCount, layer.queryNorm, turned: true).scaledDotProductAttention(
                key: heads(shape.headCount, shape.keyValueHeadCount, layer.keyNorm, turned: true),
                value: heads(shape.headCount + shape.keyValueHeadCount, shape.keyValueHeadCount, nil, turned: false),
                mask: seen.reshape([1, 1, length, length]), scale: layer.scale)
            x =
                try x
                + product(attended.transpose(1, 2).reshape([length, shape.headCount * shape.headSize]), layer.output)
            let fed = try product(norm(x, layer.feedForwardNorm), layer.up)
            let inner =
                shape.isGated
                ? try curve(fed.narrow(dim: 1, start: 0, length: shape.innerWidth))
                    * fed.narrow(dim: 1, start: shape.innerWidth, length: shape.innerWidth) : try curve(fed)
            x = try x + product(inner, layer.down)
        }
        return try norm(x, made.finalNorm)
    }

    private func memory(_ one: Case, rows: Int = 1, room: Int) throws -> [[Tensor]] {
        try (0..<2).map { _ in
            [
                try Tensor.zeros(
                    [rows, one.shape.keyValueHeadCount, room, one.shape.headSize], dtype: .bfloat16)
            ]
        }
    }

    private func angles(_ one: Case, _ length: Int) throws -> (cosine: Tensor?, sine: Tensor?) {
        guard one.turns else { return (nil, nil) }
        let angle = try random([length, one.shape.headSize / 2], 77)
        let both = try Tensor.cat([angle, angle], dim: 1)
        return (try both.cos(), try both.sin())
    }

    @Test("it gives what the plain operators give, but for rounding", arguments: cases, PackedWeight.Bits.allCases)
    func agrees(one: Case, bits: PackedWeight.Bits) throws {
        let (made, length) = (try make(one, bits), 37)
        let (x, angles) = (try random([length, one.shape.width], 5), try angles(one, length))
        let ours = try made.stack(
            x, cosine: angles.cosine, sine: angles.sine, keys: memory(one, room: 40), values: memory(one, room: 40),
            parts: [.init(cache: 0, row: 0, before: 0, count: length)]
        ).floats()
        let theirs = try reference(made, one, x, angles.cosine, angles.sine).floats()
        // Normed states are of size one. Activations are rounded to 8 bits or to bfloat16 seven times on the way.
        let square = zip(ours, theirs).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) } / Double(ours.count)
        #expect(square.squareRoot() < 0.03, "\(square.squareRoot())")
        #expect(square > 0)
    }

    @Test("how a sequence is cut and what is beside it changes no bit", arguments: cases, PackedWeight.Bits.allCases)
    func independent(one: Case, bits: PackedWeight.Bits) throws {
        let (made, length) = (try make(one, bits), 37)
        let (x, angles) = (try random([length, one.shape.width], 5), try angles(one, length))
        let whole = try made.stack(
            x, cosine: angles.cosine, sine: angles.sine, keys: memory(one, room: 40), values: memory(one, room: 40),
            parts: [.init(cache: 0, row: 0, before: 0, count: length)])
        // In pieces, in the second row of a larger cache, with another sequence before it.
        let (keys, values) = (try memory(one, rows: 2, room: 50), try memory(one, rows: 2, room: 50))
        var (start, other) = (0, 0)
        var pieces: [Tensor] = []
        for count in [1, 1, 17, 3, 15] {
            func rows(_ of: Tensor?) throws -> Tensor? {
                try of.map {
                    let own = try $0.narrow(dim: 0, start: start, length: count)
                    return try Tensor.cat([$0.narrow(dim: 0, start: 0, length: 2), own], dim: 0)
                }
            }
            let states = try made.stack(
                rows(x)!, cosine: rows(angles.cosine), sine: rows(angles.sine), keys: keys, values: values,
                parts: [
                    .init(cache: 0, row: 0, before: other, count: 2),
                    .init(cache: 0, row: 1, before: start, count: count),
                ])
            pieces.append(try states.narrow(dim: 0, start: 2, length: count))
            start += count
            other += 2
        }
        #expect(try Tensor.cat(pieces, dim: 0).floats() == whole.floats())
    }

    @Test("a remembered key that is no number leaves none in what looks at it", arguments: cases)
    func notANumber(one: Case) throws {
        let made = try make(one, .sixteen)
        let (x, angles) = (try random([2, one.shape.width], 5), try angles(one, 2))
        let (keys, values) = (try memory(one, room: 8), try memory(one, room: 8))
        for layer in keys { for each in layer { try each.copy(from: each + Double.nan) } }
        let states = try made.stack(
            x, cosine: angles.cosine, sine: angles.sine, keys: keys, values: values,
            parts: [.init(cache: 0, row: 0, before: 2, count: 2)]
        ).floats()
        #expect(states.allSatisfy { $0.isNaN })
    }

    @Test("what does not fit is refused")
    func refusals() throws {
        let one = Self.cases[0]
        let made = try make(one, .eight)
        let x = try random([3, one.shape.width], 1)
        let angles = try angles(one, 3)
        func run(_ x: Tensor, room: Int = 8, count: Int = 3, cache: Int = 0) throws {
            _ = try made.stack(
                x, cosine: angles.cosine, sine: angles.sine, keys: memory(one, room: room),
                values: memory(one, room: room),
                parts: [.init(cache: cache, row: 0, before: 0, count: count)])
        }
        try run(x)
        #expect(throws: TorchError.self) { try run(x, room: 2) }
        #expect(throws: TorchError.self) { try run(x, count: 2) }
        #expect(throws: TorchError.self) { try run(x, cache: 1) }
        #expect(throws: TorchError.self) { try run(random([3, 5], 1)) }
        var wrong = made.layers[0]
        wrong.down = made.layers[0].output
        #expect(throws: TorchError.self) { try LayerStack(one.shape, layers: [wrong], finalNorm: nil) }
        let wide = try make(one, .sixteen)
        #expect(throws: TorchError.self) {
            try LayerStack(one.shape, layers: [made.layers[0], wide.layers[0]], finalNorm: nil)
        }
    }
}
