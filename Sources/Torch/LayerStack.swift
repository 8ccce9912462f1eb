import CTorch

/// All layers of a transformer in one computation, for generating on the CPU: norm, attention, norm, feed-forward, with the
/// residual stream in float32 and keys and values in bfloat16.
///
/// Operation by operation, waking threads and making tensors costs as much as the numbers do. Here threads are woken once. With the
/// fast kernels every token is computed by the same operations in the same order whatever is in the pass beside it, so it
/// matters neither what a sequence is batched with nor how its prompt was cut.
public final class LayerStack: @unchecked Sendable {
    /// What all layers have in common.
    public struct Shape: Sendable, Hashable {
        /// Curves of the feed-forward.
        public enum Curve: Int32, Sendable, Hashable {
            case relu = 0
            /// By the error function.
            case gelu = 1
            case geluTanh = 2
            case silu = 3
            case tanh = 4
        }

        public var width: Int
        public var headCount: Int
        public var keyValueHeadCount: Int
        public var headSize: Int
        /// Of the feed-forward.
        public var innerWidth: Int
        /// curve(gate) · up instead of curve(up).
        public var isGated: Bool
        public var curve: Curve
        /// Layer norms, not only root mean squares.
        public var isCentred: Bool
        public var epsilon: Double

        public init(
            width: Int, headCount: Int, keyValueHeadCount: Int, headSize: Int, innerWidth: Int, isGated: Bool,
            curve: Curve,
            isCentred: Bool, epsilon: Double
        ) {
            (self.width, self.headCount, self.keyValueHeadCount) = (width, headCount, keyValueHeadCount)
            (self.headSize, self.innerWidth, self.isGated) = (headSize, innerWidth, isGated)
            (self.curve, self.isCentred, self.epsilon) = (curve, isCentred, epsilon)
        }
    }

    /// The weights of a norm; `nil` where there are none.
    public struct Norm: Sendable {
        public var weight, bias: Tensor?

        public init(weight: Tensor?, bias: Tensor? = nil) { (self.weight, self.bias) = (weight, bias) }
    }

    /// A matrix with its bias.
    public struct Matrix: Sendable {
        public var weight: PackedWeight
        public var bias: Tensor?

        public init(weight: PackedWeight, bias: Tensor? = nil) { (self.weight, self.bias) = (weight, bias) }
    }

    /// One layer's weights.
    public struct Layer: Sendable {
        public var attentionNorm, feedForwardNorm: Norm
        /// Queries, keys and values, one below the other.
        public var mix: Matrix
        public var output: Matrix
        /// Gate and up, one below the other, or up alone.
        public var up: Matrix
        public var down: Matrix
        /// Over each head.
        public var queryNorm, keyNorm: Tensor?
        /// What scores are multiplied by.
        public var scale: Double
        /// Each token looks at itself and the `window` − 1 before it.
        public var window: Int?

        public init(
            attentionNorm: Norm, feedForwardNorm: Norm, mix: Matrix, output: Matrix, up: Matrix, down: Matrix,
            queryNorm: Tensor? = nil, keyNorm: Tensor? = nil, scale: Double, window: Int? = nil
        ) {
            (self.attentionNorm, self.feedForwardNorm) = (attentionNorm, feedForwardNorm)
            (self.mix, self.output, self.up, self.down) = (mix, output, up, down)
            (self.queryNorm, self.keyNorm, self.scale, self.window) = (queryNorm, keyNorm, scale, window)
        }
    }

    /// New tokens of one sequence.
    public struct Part: Sendable, Hashable {
        /// Which cache, and which row of it.
        public var cache, row: Int
        /// Tokens that the cache holds, and new ones.
        public var before, count: Int

        public init(cache: Int, row: Int, before: Int, count: Int) {
            (self.cache, self.row, self.before, self.count) = (cache, row, before, count)
        }
    }

    private let pointer: OpaquePointer
    private let layerCount: Int

    /// - Parameter finalNorm: after the last layer; `nil` for none.
    /// - Throws: `TorchError` for weights that do not fit the shape, or of which some are in 16 bits and others in fewer.
    public init(_ shape: Shape, layers: [Layer], finalNorm: Norm?) throws {
        var plain = CTStackShape(
            width: Int64(shape.width), heads: Int64(shape.headCount), keyHeads: Int64(shape.keyValueHeadCount),
            size: Int64(shape.headSize), wide: Int64(shape.innerWidth), isGated: shape.isGated,
            isCentred: shape.isCentred,
            curve: shape.curve.rawValue, epsilon: shape.epsilon)
        var made: OpaquePointer?
        try check(ct_stack_new(&plain, &made))
        guard let made else { throw TorchError(.runtime, "the engine gave no stack of layers") }
        pointer = made
        layerCount = layers.count
        for layer in layers { try add(layer) }
        if let finalNorm {
            try Tensor.withHandle(finalNorm.weight) { weight in
                try Tensor.withHandle(finalNorm.bias) { bias in
                    try check(ct_stack_set_final_norm(pointer, weight, bias))
                }
            }
        }
    }

    deinit { ct_stack_free(pointer) }

    private func add(_ layer: Layer) throws {
        func handle(_ tensor: Tensor?) -> OpaquePointer? { tensor?.handle.pointer }
        var plain = CTStackLayer(
            attentionNorm: handle(layer.attentionNorm.weight), attentionNormBias: handle(layer.attentionNorm.bias),
            feedNorm: handle(layer.feedForwardNorm.weight), feedNormBias: handle(layer.feedForwardNorm.bias),
            mix: layer.mix.weight.pointer, output: layer.output.weight.pointer, up: layer.up.weight.pointer,
            down: layer.down.weight.pointer, mixBias: handle(layer.mix.bias), outputBias: handle(layer.output.bias),
            upBias: handle(layer.up.bias), downBias: handle(layer.down.bias), queryNorm: handle(layer.queryNorm),
            keyNorm: handle(layer.keyNorm), scale: layer.scale, window: Int64(layer.window ?? 0))
        try withExtendedLifetime(layer) { try check(ct_stack_add(pointer, &plain)) }
    }

    /// One pass: the new tokens of the parts stand in x one behind the other.
    /// - Parameters:
    ///   - x: [N, width], floating point.
    ///   - cosine, sine: float32 [N, head size], by which queries and keys are turned; `nil` turns nothing.
    ///   - keys, values: by layer, then by cache, [rows, key-value heads, room, head size], bfloat16. The new tokens' are written.
    /// - Returns: float32 [N, width], after the last norm.
    /// - Throws: `TorchError` for shapes that do not fit.
    public func callAsFunction(
        _ x: Tensor, cosine: Tensor?, sine: Tensor?, keys: [[Tensor]], values: [[Tensor]], parts: [Part]
    ) throws -> Tensor {
        let caches = keys.first?.count ?? 0
        guard keys.count == layerCount, values.count == layerCount, (keys + values).allSatisfy({ $0.count == caches })
        else {
            throw TorchError(.argument, "a stack of \(layerCount) layers wants keys and values of each")
        }
        let plain = parts.map {
            CTStackPart(cache: Int64($0.cache), row: Int64($0.row), before: Int64($0.before), count: Int64($0.count))
        }
        return try Tensor.withHandles(keys.flatMap { $0 }) { keys in
            try Tensor.withHandles(values.flatMap { $0 }) { values in
                try Tensor.withHandle(cosine) { cosine in
                    try Tensor.withHandle(sine) { sine in
                        try x.unary { x, out in
                            ct_stack_run(
                                pointer, x, cosine, sine, keys, values, Int64(caches), plain, Int64(plain.count), out)
                        }
                    }
                }
            }
        }
    }
}
