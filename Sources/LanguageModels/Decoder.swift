import Torch

/// A causal language model: token ids to hidden states to logits.
///
/// One file per family. Weights keep their own type (float32 masters to train, bfloat16 to serve); each call computes in
/// the type it is asked for.
public protocol Decoder: Module, Sendable {
    var configuration: DecoderConfiguration { get }

    /// Hidden states after the last norm.
    /// - Parameters:
    ///   - ids: Token ids, int64 [B, T].
    ///   - positions: Position of each token in its document, int64 [B, T].
    ///   - mask: What each token may look at.
    ///   - cache: Keys and values of earlier tokens; these ones are added to it. It may be a packed one, of several
    ///     sequences behind one another (`KVCache(packing:)`): then B is 1 and the mask causal.
    ///   - compute: The type to compute in; `nil` is the weights' own.
    /// - Returns: [B, T, H] in the compute type.
    /// - Throws: `LanguageModelError` for shapes that do not fit, `TorchError` for an id outside the vocabulary.
    func hidden(
        _ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?, compute: DType?
    ) throws -> Tensor

    /// Logits of hidden states: […, H] to […, V], in the type of `hidden`.
    func logits(_ hidden: Tensor) throws -> Tensor

    /// Whether the values inside the layers are thrown away in the forward pass and computed again for the gradient
    /// (gradient checkpointing): memory of one layer instead of all, for a third more time. For learning only; off at first,
    /// and without effect on a decoder that cannot.
    var recomputesLayers: Bool { get set }

    /// Share of the embeddings, and of what each part of a layer adds to them, that is dropped while learning; 0 at first. A
    /// decoder that cannot drop keeps 0.
    var dropout: Double { get set }

    /// What is dropped follows from this seed; `nil`, as it is at first, drops nothing. Set before each pass by whoever trains,
    /// so that a run can be repeated. Without effect on a decoder that drops nothing.
    var dropoutSeed: UInt64? { get set }

    /// Weights in the matrices of the layers, without embeddings and head: what the arithmetic of a token is counted by.
    var layerMatrixCount: Int { get }
}

extension Decoder {
    public var recomputesLayers: Bool {
        get { false }
        set {}
    }

    public var dropout: Double {
        get { 0 }
        set {}
    }

    public var dropoutSeed: UInt64? {
        get { nil }
        set {}
    }

    /// Whether a weight embeds tokens or places, by its checkpoint name in any family.
    public func isEmbedding(_ name: String) -> Bool { ["embed", "wte", "wpe"].contains { name.contains($0) } }

    public var layerMatrixCount: Int {
        namedParameters.reduce(0) { sum, item in
            let isOutside = isEmbedding(item.name) || item.name.contains("lm_head")
            return isOutside || item.parameter.value.rank != 2 ? sum : sum + item.parameter.value.count
        }
    }

    /// One layer of a pass, recomputed where that is asked for. A cache is for use, not for learning.
    func layer(_ x: Tensor, _ cache: KVCache?, _ body: @escaping (Tensor) throws -> Tensor) throws -> Tensor {
        recomputesLayers && cache == nil ? try x.recomputed(body) : try body(x)
    }

    /// The first layer's input. Frozen embeddings do not ask for a gradient, and then no later layer would record one.
    func firstLayerInput(_ x: Tensor, _ cache: KVCache?) throws -> Tensor {
        guard recomputesLayers, cache == nil, !x.requiresGradient else { return x }
        return try x.detach().requireGradient(true)
    }

    /// The same in the weights' own type.
    public func hidden(_ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?) throws -> Tensor {
        try hidden(ids, positions: positions, mask: mask, cache: cache, compute: nil)
    }

    /// Where the weights are.
    public var device: Device { namedParameters.first?.parameter.value.device ?? .cpu }
}
