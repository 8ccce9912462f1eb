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
}

extension Decoder {
    /// The same in the weights' own type.
    public func hidden(_ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?) throws -> Tensor {
        try hidden(ids, positions: positions, mask: mask, cache: cache, compute: nil)
    }

    /// Where the weights are.
    public var device: Device { namedParameters.first?.parameter.value.device ?? .cpu }
}
