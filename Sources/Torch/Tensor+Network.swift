import CTorch

extension Tensor {
    /// x Wᵀ + b, with `weight` `[out, in]` as checkpoints hold it.
    public func linear(weight: Tensor, bias: Tensor? = nil) throws -> Tensor {
        try Tensor.withHandle(bias) { bias in try binary(weight) { ct_linear($0, $1, bias, $2) } }
    }

    /// The rows of `weight` `[rows, size]` that these int64 indices name.
    public func embedding(weight: Tensor) throws -> Tensor { try binary(weight, ct_embedding) }

    /// x / rms(x) · weight over the last dimension (Zhang and Sennrich 2019, arXiv 1910.07467). The mean square of
    /// bfloat16 input is taken in float32.
    public func rmsNorm(weight: Tensor, eps: Double) throws -> Tensor {
        try binary(weight) { ct_rms_norm($0, $1, eps, $2) }
    }

    /// The same with float32 statistics and weight whatever the type, rounded once at the end: what the Llama family does.
    public func rmsNormWide(weight: Tensor, eps: Double) throws -> Tensor {
        try binary(weight) { ct_rms_norm_wide($0, $1, eps, $2) }
    }

    /// x · cosine + turned · sine, turned being (−second half, first half) of the last dimension: rotary positions (Su et al.
    /// 2021, arXiv 2104.09864) as Hugging Face lays them out.
    /// - Parameters:
    ///   - cosine, sine: [B or 1, 1, T, D]; self is [B, heads, T, D].
    public func rotated(cosine: Tensor, sine: Tensor) throws -> Tensor {
        try sine.withHandle { sine in try binary(cosine) { ct_rotate($0, $1, sine, $2) } }
    }

    /// silu(self) · up: the gated unit of Llama's feed-forward (Shazeer 2020, arXiv 2002.05202).
    public func siluTimes(_ up: Tensor) throws -> Tensor { try binary(up, ct_silu_mul) }

    /// Layer normalisation over the last dimension (Ba et al. 2016, arXiv 1607.06450).
    public func layerNorm(weight: Tensor, bias: Tensor? = nil, eps: Double) throws -> Tensor {
        try Tensor.withHandle(bias) { bias in try binary(weight) { ct_layer_norm($0, $1, bias, eps, $2) } }
    }

    /// softmax(q kᵀ · scale) v, with the fused kernel of the device where it has one and it is the faster way.
    ///
    /// - Parameters:
    ///   - key, value: `[B, heads, S, D]`; self is the query, `[B, H, T, D]`. `heads` may be a divisor of `H`: grouped
    ///     queries (Ainslie et al. 2023, arXiv 2305.13245), neighbours share a head.
    ///   - mask: Broadcasts to `[B, H, T, S]`. Bool: true means may look. Floating point: added before the soft-max. A
    ///     row without a single "true" gives finite numbers of no meaning.
    ///   - isCausal: Query t looks at keys 0…t; faster than the same as a mask. Not together with `mask`.
    ///   - scale: 1 / √D when missing.
    public func scaledDotProductAttention(
        key: Tensor, value: Tensor, mask: Tensor? = nil, isCausal: Bool = false, scale: Double? = nil
    ) throws -> Tensor {
        try Tensor.withHandle(mask) { mask in
            try value.withHandle { value in
                try binary(key) { ct_attention($0, $1, value, mask, isCausal, scale ?? 0, $2) }
            }
        }
    }

    /// −ln softmax(self)[target] of each token, no reduction. Logits shorter than float32 are widened first.
    ///
    /// - Parameters:
    ///   - targets: int64, the shape of self without its last dimension.
    ///   - ignoreIndex: Targets of this value give 0 and no gradient.
    public func crossEntropy(targets: Tensor, ignoreIndex: Int = -100) throws -> Tensor {
        try binary(targets) { ct_cross_entropy($0, $1, Int64(ignoreIndex), $2) }
    }

    /// Of each row of logits, [n, C], ln Σ exp, [n], and the logits at some places, in float32 or wider. What losses over a
    /// large vocabulary are made of: one pass over the logits there and one back.
    /// - Parameter picks: int64 [n, k].
    public func scores(at picks: Tensor) throws -> (logSums: Tensor, values: Tensor) {
        try withHandle { this in
            try picks.withHandle { picks in try Tensor.makePair { ct_logit_scores(this, picks, $0, $1) } }
        }
    }

    /// Of each row of logits, [n, C], the place of the largest but the one at `place`, int64 [n]; of equal ones the first. No
    /// gradient passes.
    /// - Parameter place: int64 [n].
    public func largestOther(than place: Tensor) throws -> Tensor { try binary(place, ct_largest_other) }

    /// Binary cross-entropy of each element, exact for large logits. Targets in 0…1 of the same shape.
    public func bceWithLogits(targets: Tensor) throws -> Tensor { try binary(targets, ct_bce_with_logits) }
}
