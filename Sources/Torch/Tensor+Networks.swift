import CTorch

// Parts of networks, by libtorch's own fused operators.
extension Tensor {
    /// `x Wᵀ + b` over the last dimension; `weight` is [out, in].
    public func linear(weight: Tensor, bias: Tensor? = nil) throws -> Tensor {
        try Tensor { ct_linear(handle.pointer, weight.handle.pointer, bias?.handle.pointer, $0) }
    }
    /// Rows of `weight` [entries, width] at these int64 indices.
    public func embedding(weight: Tensor) throws -> Tensor {
        try Tensor { ct_embedding(handle.pointer, weight.handle.pointer, $0) }
    }
    /// Root-mean-square norm over the last dimension (1910.07467).
    public func rmsNorm(weight: Tensor, eps: Double) throws -> Tensor {
        try Tensor { ct_rms_norm(handle.pointer, weight.handle.pointer, eps, $0) }
    }
    /// Layer norm over the last dimension (1607.06450).
    public func layerNorm(weight: Tensor, bias: Tensor?, eps: Double) throws -> Tensor {
        try Tensor { ct_layer_norm(handle.pointer, weight.handle.pointer, bias?.handle.pointer, eps, $0) }
    }
    /// Attention with this as the query [B, H, T, D]; key and value [B, Hkv, S, D], where H is a multiple of Hkv.
    /// - Parameters:
    ///   - mask: bool (true = may look) or additive, broadcast to [B, H, T, S]; not together with `isCausal`.
    ///   - scale: 1/√D when `nil`.
    public func scaledDotProductAttention(
        key: Tensor, value: Tensor, mask: Tensor? = nil, isCausal: Bool = false, scale: Double? = nil
    ) throws -> Tensor {
        try Tensor {
            ct_attention(
                handle.pointer, key.handle.pointer, value.handle.pointer, mask?.handle.pointer, isCausal, scale ?? 0, $0)
        }
    }
    /// −log softmax at the target, per row of logits […, C]; 0 where the target is `ignoreIndex`.
    public func crossEntropy(targets: Tensor, ignoreIndex: Int = -100) throws -> Tensor {
        try Tensor { ct_cross_entropy(handle.pointer, targets.handle.pointer, Int64(ignoreIndex), $0) }
    }
    /// Binary cross-entropy of logits against targets in [0, 1], per element.
    public func bceWithLogits(targets: Tensor) throws -> Tensor {
        try Tensor { ct_bce_with_logits(handle.pointer, targets.handle.pointer, $0) }
    }
}
