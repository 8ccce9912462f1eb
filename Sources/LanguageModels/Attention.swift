import Torch

/// Causal attention over heads, with or without a cache: the one path that every decoder family takes, so that a new kind
/// of cache or mask is written once.
///
/// Grouped queries (Ainslie et al. 2023, arXiv 2305.13245): several query heads may share one key and value head.
struct Attention: Sendable {
    /// What the scores are multiplied by; `nil` is 1 / √D.
    var scale: Double?
    /// Each token looks at itself and at the `window` − 1 tokens before it (Mistral's sliding window, Jiang et al. 2023,
    /// arXiv 2310.06825); `nil` is all. Counted in columns, also within what an explicit mask leaves.
    var window: Int?

    /// - Parameters:
    ///   - query: [B, heads, T, D], rotary positions already in it.
    ///   - key: [B, key-value heads, T, D], the same.
    ///   - value: [B, key-value heads, T, D].
    ///   - layer: Which layer of the cache.
    ///   - mask: What each token may look at.
    ///   - cache: Earlier tokens; these are added to it.
    /// - Returns: [B, T, heads · D].
    /// - Throws: `LanguageModelError` `input` for a packed pass with an explicit mask or of another length than its parts.
    func callAsFunction(
        query: Tensor, key: Tensor, value: Tensor, layer: Int, mask: AttentionMask, cache: KVCache?
    ) throws -> Tensor {
        let shape = query.shape
        let length = shape[2]
        let mixed: Tensor
        if let cache, !cache.parts.isEmpty {
            mixed = try packed(query, key, value, shape, layer, mask, cache.parts)
        } else {
            mixed = try mix(query, key, value, length, layer, mask, cache)
        }
        return try mixed.transpose(1, 2).reshape([shape[0], length, shape[1] * shape[3]])
    }

    /// Each sequence of a packed pass by itself: the same numbers as alone, and nothing is padded.
    private func packed(
        _ query: Tensor, _ key: Tensor, _ value: Tensor, _ shape: [Int], _ layer: Int, _ mask: AttentionMask,
        _ parts: [KVCache.Part]
    ) throws -> Tensor {
        guard case .causal = mask, shape[0] == 1, parts.reduce(0, { $0 + $1.count }) == shape[2] else {
            throw LanguageModelError(
                .input, "a packed pass takes one row of exactly its sequences' tokens, and a causal mask")
        }
        var start = 0
        let mixed = try parts.map { part in
            defer { start += part.count }
            func own(_ x: Tensor) throws -> Tensor {
                parts.count == 1 ? x : try x.narrow(dim: 2, start: start, length: part.count)
            }
            return try mix(own(query), own(key), own(value), part.count, layer, mask, part.cache)
        }
        return mixed.count == 1 ? mixed[0] : try Tensor.cat(mixed, dim: 2)
    }

    /// - Returns: [B, heads, T, D].
    private func mix(
        _ query: Tensor, _ key: Tensor, _ value: Tensor, _ length: Int, _ layer: Int, _ mask: AttentionMask,
        _ cache: KVCache?
    ) throws -> Tensor {
        let before = cache?.length ?? 0
        var (key, value) = (key, value)
        if let cache { (key, value) = try cache.extend(layer: layer, key: key, value: value, count: length) }
        let isNarrow = window.map { before + length > $0 } ?? false
        switch mask {
        case .explicit(let mask):
            let seen = isNarrow ? try mask.logicalAnd(causal(before, length, query.device)) : mask
            return try query.scaledDotProductAttention(key: key, value: value, mask: seen, scale: scale)
        case .causal where length == 1:
            if isNarrow, let window {
                key = try key.narrow(dim: 2, start: before + 1 - window, length: window)
                value = try value.narrow(dim: 2, start: before + 1 - window, length: window)
            }
            return try query.scaledDotProductAttention(key: key, value: value, scale: scale)
        case .causal where before == 0 && !isNarrow:
            return try query.scaledDotProductAttention(key: key, value: value, isCausal: true, scale: scale)
        case .causal:
            return try query.scaledDotProductAttention(
                key: key, value: value, mask: causal(before, length, query.device), scale: scale)
        }
    }

    /// New tokens after a prefix: each sees the prefix and the new ones up to itself, within the window.
    private func causal(_ before: Int, _ length: Int, _ device: Device) throws -> Tensor {
        let rows = try (Tensor.arange(length, device: device) + before).reshape([1, 1, length, 1])
        let columns = try Tensor.arange(before + length, device: device).reshape([1, 1, 1, before + length])
        let seen = try columns.lessOrEqual(to: rows)
        return try window.map { try seen.logicalAnd(columns.greater(than: rows - $0)) } ?? seen
    }
}
