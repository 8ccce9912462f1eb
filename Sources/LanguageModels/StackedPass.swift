import Torch

/// A decoder's layers as one computation, once their matrices are packed; `GatedDecoder`, GPT-2 and OPT share this way of running.
struct StackedPass: Sendable {
    private let stack: LayerStack
    private let shape: LayerStack.Shape
    private let layerCount: Int

    init(_ shape: LayerStack.Shape, layers: [LayerStack.Layer], finalNorm: LayerStack.Norm?) throws {
        stack = try LayerStack(shape, layers: layers, finalNorm: finalNorm)
        self.shape = shape
        layerCount = layers.count
    }

    /// Whether a pass can be taken: causal, in bfloat16, and, where the kernels are not made for many rows, of few.
    func takes(_ ids: Tensor, _ mask: AttentionMask, _ type: DType) -> Bool {
        guard case .causal = mask, type == .bfloat16 else { return false }
        return PackedWeight.hasFastKernels || ids.count <= 8
    }

    /// - Parameters:
    ///   - x: [B, T, H].
    ///   - angles: of each token, float32; `nil` turns nothing.
    ///   - cache: as `Decoder.hidden` takes it; the tokens are added, `advance` is the caller's.
    /// - Returns: [B, T, H] in bfloat16, after the last norm.
    func callAsFunction(_ x: Tensor, angles: Rotation.Angles?, cache: KVCache?) throws -> Tensor {
        let (batch, length, width) = (x.shape[0], x.shape[1], x.shape[2])
        let flat = [batch * length, shape.headSize]
        let parts: [LayerStack.Part]
        let memory: [[(key: Tensor, value: Tensor)]]
        if let cache {
            let caches = cache.parts.isEmpty ? [cache] : cache.parts.map(\.cache)
            let counts = cache.parts.isEmpty ? [length] : cache.parts.map(\.count)
            guard cache.parts.isEmpty || (batch == 1 && counts.reduce(0, +) == length) else {
                throw LanguageModelError(.input, "a packed pass takes one row of exactly its sequences' tokens")
            }
            memory = try zip(caches, counts).map { cache, count in
                try cache.reserve(
                    count, rows: batch, heads: shape.keyValueHeadCount, size: shape.headSize, layers: layerCount)
            }
            parts =
                cache.parts.isEmpty
                ? (0..<batch).map { .init(cache: 0, row: $0, before: cache.length, count: length) }
                : cache.parts.enumerated().map {
                    .init(cache: $0, row: 0, before: $1.cache.length, count: $1.count)
                }
        } else {
            // One layer's memory serves all: nobody looks at it afterwards.
            let once = try Tensor.zeros(
                [2, batch, shape.keyValueHeadCount, length, shape.headSize], dtype: .bfloat16, device: x.device)
            let pair = (key: try once.select(dim: 0, index: 0), value: try once.select(dim: 0, index: 1))
            memory = [Array(repeating: pair, count: layerCount)]
            parts = (0..<batch).map { .init(cache: 0, row: $0, before: 0, count: length) }
        }
        let states = try stack(
            x.reshape([batch * length, width]), cosine: angles?.cosine.reshape(flat), sine: angles?.sine.reshape(flat),
            keys: (0..<layerCount).map { layer in memory.map { $0[layer].key } },
            values: (0..<layerCount).map { layer in memory.map { $0[layer].value } }, parts: parts)
        return try states.reshape([batch, length, width]).to(.bfloat16)
    }
}

extension Activation {
    /// The same curve in a stack of layers.
    var curve: LayerStack.Shape.Curve {
        switch self {
        case .relu: .relu
        case .gelu, .geluPython: .gelu
        case .geluNew, .geluPytorchTanh, .geluFast: .geluTanh
        case .silu, .swish: .silu
        case .tanh: .tanh
        }
    }
}

extension RMSNorm {
    var stacked: LayerStack.Norm { .init(weight: weight.value) }
}

extension LayerNorm {
    var stacked: LayerStack.Norm { .init(weight: weight?.value, bias: bias?.value) }
}

extension Linear {
    /// The matrix in a stack of layers; `nil` while it is not packed.
    var stacked: LayerStack.Matrix? { packed.map { .init(weight: $0, bias: bias?.value) } }
}
