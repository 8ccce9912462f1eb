import Torch

/// Causal attention over heads, with or without a cache: the one path that every decoder family takes, so that a new kind
/// of cache or mask is written once.
///
/// Grouped queries (Ainslie et al. 2023, arXiv 2305.13245): several query heads may share one key and value head.
struct Attention: Sendable {
    /// What the scores are multiplied by; `nil` is 1 / √D.
    var scale: Double?
    /// Each token looks at itself and at the `window` − 1 tokens before it (Mistral's sliding window, Jiang et al. 2023,
    /// arXiv 2310.06825); `nil` is all. Goes with a causal mask; an explicit one says everything itself.
    var window: Int?

    /// - Parameters:
    ///   - query: [B, heads, T, D], rotary positions already in it.
    ///   - key: [B, key-value heads, T, D], the same.
    ///   - value: [B, key-value heads, T, D].
    ///   - layer: Which layer of the cache.
    ///   - mask: What each token may look at.
    ///   - cache: Earlier tokens; these are added to it.
    /// - Returns: [B, T, heads · D].
    func callAsFunction(
        query: Tensor, key: Tensor, value: Tensor, layer: Int, mask: AttentionMask, cache: KVCache?
    ) throws -> Tensor {
        let (batch, heads, length) = (query.shape[0], query.shape[1], query.shape[2])
        let before = cache?.length ?? 0
        var (key, value) = (key, value)
        if let cache { (key, value) = try cache.extend(layer: layer, key: key, value: value) }
        let isNarrow = window.map { before + length > $0 } ?? false
        let mixed: Tensor
        switch mask {
        case .explicit(let mask):
            mixed = try query.scaledDotProductAttention(key: key, value: value, mask: mask, scale: scale)
        case .causal where length == 1:
            if isNarrow, let window {
                key = try key.narrow(dim: 2, start: before + 1 - window, length: window)
                value = try value.narrow(dim: 2, start: before + 1 - window, length: window)
            }
            mixed = try query.scaledDotProductAttention(key: key, value: value, scale: scale)
        case .causal where before == 0 && !isNarrow:
            mixed = try query.scaledDotProductAttention(key: key, value: value, isCausal: true, scale: scale)
        case .causal:
            // New tokens after a prefix: each sees the prefix and the new ones up to itself.
            let rows = try (Tensor.arange(length, device: query.device) + before).reshape([1, 1, length, 1])
            let columns = try Tensor.arange(before + length, device: query.device)
                .reshape([1, 1, 1, before + length])
            var seen = try columns.lessOrEqual(to: rows)
            if isNarrow, let window { seen = try seen.logicalAnd(columns.greater(than: rows - window)) }
            mixed = try query.scaledDotProductAttention(key: key, value: value, mask: seen, scale: scale)
        }
        return try mixed.transpose(1, 2).reshape([batch, length, heads * query.shape[3]])
    }
}
