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
    ///   - cache: Keys and values of earlier tokens; these ones are added to it.
    ///   - compute: The type to compute in; `nil` is the weights' own.
    /// - Returns: [B, T, H] in the compute type.
    func hidden(_ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?, compute: DType?) throws -> Tensor

    /// Logits of hidden states: […, H] to […, V], in the type of `hidden`.
    func logits(_ hidden: Tensor) throws -> Tensor
}

extension Decoder {
    public func hidden(_ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?) throws -> Tensor {
        try hidden(ids, positions: positions, mask: mask, cache: cache, compute: nil)
    }

    /// Where the weights are.
    public var device: Device { namedParameters.first?.parameter.value.device ?? .cpu }

    /// Number of trained numbers.
    public var parameterCount: Int { namedParameters.reduce(0) { $0 + $1.parameter.value.count } }
}

/// What every decoder can say of itself.
public struct DecoderConfiguration: Sendable, Hashable {
    public var vocabularySize: Int
    public var hiddenSize: Int
    public var layerCount: Int
    public var headCount: Int
    public var keyValueHeadCount: Int
    public var headDimension: Int
    /// Most tokens that it can look at.
    public var contextLength: Int
    public var padID: Int?
    /// Tokens that end a reply.
    public var endIDs: [Int]

    public init(
        vocabularySize: Int, hiddenSize: Int, layerCount: Int, headCount: Int, keyValueHeadCount: Int,
        headDimension: Int, contextLength: Int, padID: Int?, endIDs: [Int]
    ) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.keyValueHeadCount = keyValueHeadCount
        self.headDimension = headDimension
        self.contextLength = contextLength
        self.padID = padID
        self.endIDs = endIDs
    }
}

/// What a token may look at.
public enum AttentionMask: Sendable {
    /// Itself and everything before it in its row. With a cache and one new token: everything.
    case causal
    /// bool [B, 1, T, S], true = may look; S counts the cache's tokens first.
    case explicit(Tensor)
}
