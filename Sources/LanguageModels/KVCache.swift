import Torch

/// Keys and values of the tokens so far, one pair per layer, in memory that grows by doubling.
///
/// Belongs to one generation at a time. It is for use, not for learning: no gradient passes through it.
///
/// A pass may also serve several sequences that stand one behind the other in a single row: `init(packing:)`. Every
/// sequence keeps its own cache, so that it can join, leave and share a beginning without touching the others.
public final class KVCache {
    /// One sequence of a packed pass.
    struct Part {
        let cache: KVCache
        /// Its new tokens in this pass.
        let count: Int
    }

    private var keys: [Tensor?]
    private var values: [Tensor?]
    /// Tokens that there is room for in each layer's memory; 0 before the first.
    private var rooms: [Int]
    /// Tokens that every layer holds; 0 for a packed pass, whose sequences count for themselves.
    public private(set) var length = 0
    /// Tokens that there is room for now.
    public private(set) var capacity: Int
    /// The sequences of a packed pass in their order; empty for a cache of its own.
    let parts: [Part]

    /// - Parameter capacity: Tokens to make room for at first.
    public init(layers: Int, capacity: Int = 64) {
        keys = Array(repeating: nil, count: layers)
        values = Array(repeating: nil, count: layers)
        rooms = Array(repeating: 0, count: layers)
        self.capacity = max(capacity, 1)
        parts = []
    }

    /// One pass over several sequences: ids and positions are [1, N], the first sequence's new tokens first, and each
    /// token looks only at its own sequence. The mask must be `causal`. Lasts for one pass.
    /// - Parameter sequences: each one's cache of a single row, with how many new tokens it has in the pass.
    public init(packing sequences: [(cache: KVCache, count: Int)]) {
        (keys, values, rooms, capacity) = ([], [], [], 0)
        parts = sequences.map { Part(cache: $0.cache, count: $0.count) }
    }

    /// Bytes that the layers take, with the room not yet used.
    public var byteCount: Int {
        (keys + values).reduce(0) { sum, tensor in sum + (tensor.map { $0.count * $0.dtype.byteCount } ?? 0) }
    }

    /// Adds the new tokens' keys and values [B, heads, T, D] of a layer; gives all so far.
    func extend(layer: Int, key: Tensor, value: Tensor, count: Int) throws -> (key: Tensor, value: Tensor) {
        guard keys.indices.contains(layer) else {
            throw LanguageModelError(.input, "the cache was made for \(keys.count) layers, the model has more")
        }
        // The first layer of a step decides about room; the others follow.
        if length + count > capacity { capacity = max(2 * capacity, length + count) }
        return try withoutGradients {
            let isRoomy = rooms[layer] >= capacity
            let allKeys = try store(key, count, in: keys[layer], isRoomy: isRoomy)
            let allValues = try store(value, count, in: values[layer], isRoomy: isRoomy)
            (keys[layer], values[layer]) = (allKeys, allValues)
            if !isRoomy { rooms[layer] = capacity }
            return (
                try allKeys.narrow(dim: 2, start: 0, length: length + count),
                try allValues.narrow(dim: 2, start: 0, length: length + count)
            )
        }
    }

    /// The memory of every layer with room for new tokens, which whoever asked writes into, `advance` then counts: bfloat16
    /// [rows, heads, room, size].
    /// - Throws: `LanguageModelError` `input` where the cache holds rows of another kind.
    func reserve(
        _ count: Int, rows: Int, heads: Int, size: Int, layers: Int
    ) throws -> [(key: Tensor, value: Tensor)] {
        guard keys.count == layers else {
            throw LanguageModelError(.input, "the cache was made for \(keys.count) layers, the model has \(layers)")
        }
        if length + count > capacity { capacity = max(2 * capacity, length + count) }
        return try withoutGradients {
            try keys.indices.map { layer in
                if let key = keys[layer], let value = values[layer], rooms[layer] >= capacity { return (key, value) }
                func grown(_ whole: Tensor?) throws -> Tensor {
                    let target = try Tensor.zeros([rows, heads, capacity, size], dtype: .bfloat16)
                    guard let whole, length > 0 else { return target }
                    guard whole.dtype == .bfloat16, whole.shape[0] == rows, whole.shape[1] == heads,
                        whole.shape[3] == size
                    else {
                        throw LanguageModelError(
                            .input, "a cache of \(whole.dtype) \(whole.shape) is of another model or batch")
                    }
                    try target.narrow(dim: 2, start: 0, length: length)
                        .copy(from: whole.narrow(dim: 2, start: 0, length: length))
                    return target
                }
                let pair = (key: try grown(keys[layer]), value: try grown(values[layer]))
                (keys[layer], values[layer], rooms[layer]) = (pair.key, pair.value, capacity)
                return pair
            }
        }
    }

    /// Called once per step, after the last layer; a step that failed half-way is simply written over.
    /// - Parameter count: New tokens of the pass; a packed pass knows its sequences' own.
    public func advance(by count: Int) {
        length += parts.isEmpty ? count : 0
        for part in parts { part.cache.advance(by: part.count) }
    }

    /// Writes a part behind what is there, in new memory where the old is too small.
    private func store(_ part: Tensor, _ count: Int, in whole: Tensor?, isRoomy: Bool) throws -> Tensor {
        let target: Tensor
        if let whole, isRoomy {
            target = whole
        } else {
            let shape = part.shape
            target = try Tensor.zeros(
                [shape[0], shape[1], capacity, shape[3]], dtype: part.dtype, device: part.device)
            if let whole, length > 0 {
                try target.narrow(dim: 2, start: 0, length: length)
                    .copy(from: whole.narrow(dim: 2, start: 0, length: length))
            }
        }
        try target.narrow(dim: 2, start: length, length: count).copy(from: part)
        return target
    }

    /// Keeps these rows of the batch, in this order: replies that are done leave, a row may come more than once.
    public func keep(rows: [Int]) throws {
        for layer in keys.indices {
            guard let key = keys[layer], let value = values[layer] else { continue }
            let index = try Tensor(rows, device: key.device)
            let kept = (try key.indexSelect(dim: 0, index: index), try value.indexSelect(dim: 0, index: index))
            (keys[layer], values[layer]) = kept
        }
    }

    // MARK: - Sharing a beginning

    /// A copy of what the layers hold of some tokens, to begin other sequences with.
    /// - Throws: `LanguageModelError` `input` unless the cache is of a single row and holds these tokens.
    public func segment(_ range: Range<Int>) throws -> KVSegment {
        guard range.lowerBound >= 0, range.upperBound <= length, !range.isEmpty, parts.isEmpty else {
            throw LanguageModelError(.input, "the cache holds \(length) tokens, not all of \(range)")
        }
        let views = try zip(keys, values).flatMap { key, value in
            guard let key, let value, key.shape[0] == 1 else {
                throw LanguageModelError(.input, "only a cache of a single row can be shared")
            }
            return [
                try key.narrow(dim: 2, start: range.lowerBound, length: range.count),
                try value.narrow(dim: 2, start: range.lowerBound, length: range.count),
            ]
        }
        // Joined, not viewed: a view would keep the whole cache alive.
        return KVSegment(layers: try .cat(views), count: range.count)
    }

    /// Writes the first tokens of a segment behind what is there, as if the model had just been shown them.
    /// - Throws: `LanguageModelError` `input` for a segment of another model.
    public func append(_ segment: KVSegment, count: Int) throws {
        guard segment.layerCount == keys.count, (1...segment.count).contains(count) else {
            throw LanguageModelError(
                .input,
                "\(count) tokens of a segment of \(segment.count) in \(segment.layerCount) layers do not fit "
                    + "a cache of \(keys.count) layers")
        }
        let first = try segment.layers.narrow(dim: 2, start: 0, length: count)
        for layer in keys.indices {
            _ = try extend(
                layer: layer, key: first.narrow(dim: 0, start: 2 * layer, length: 1),
                value: first.narrow(dim: 0, start: 2 * layer + 1, length: 1), count: count)
        }
        advance(by: count)
    }
}

/// Keys and values of a run of tokens, all layers, in memory of its own. It only means something behind the very tokens
/// that it was computed behind.
public struct KVSegment: Sendable {
    /// [2 · layers, heads, count, D]: a layer's keys, then its values. One tensor, since a cache of beginnings keeps many short
    /// runs, and every tensor has a cost of its own.
    let layers: Tensor
    /// Number of tokens.
    public let count: Int

    /// Bytes of memory that it takes.
    public var byteCount: Int { layers.count * layers.dtype.byteCount }

    /// Layers that it has keys and values of.
    var layerCount: Int { layers.shape[0] / 2 }

    /// The first `place` tokens and the rest, each in memory of its own, so that one can go without the other.
    /// - Throws: `LanguageModelError` `input` where a part would be empty.
    public func split(at place: Int) throws -> (KVSegment, KVSegment) {
        guard place > 0, place < count else {
            throw LanguageModelError(.input, "a segment of \(count) tokens has no two parts at \(place)")
        }
        func part(_ start: Int, _ length: Int) throws -> KVSegment {
            KVSegment(layers: try layers.narrow(dim: 2, start: start, length: length).clone(), count: length)
        }
        return (try part(0, place), try part(place, count - place))
    }
}
