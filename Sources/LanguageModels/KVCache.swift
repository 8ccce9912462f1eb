import Torch

/// Keys and values of the tokens so far, one pair per layer, in memory that grows by doubling.
///
/// Belongs to one generation at a time. It is for use, not for learning: no gradient passes through it.
public final class KVCache {
    private var keys: [Tensor?]
    private var values: [Tensor?]
    /// Tokens that every layer holds.
    public private(set) var length = 0
    /// Tokens that there is room for now.
    public private(set) var capacity: Int

    /// - Parameter capacity: Tokens to make room for at first.
    public init(layers: Int, capacity: Int = 64) {
        keys = Array(repeating: nil, count: layers)
        values = Array(repeating: nil, count: layers)
        self.capacity = max(capacity, 1)
    }

    /// Adds the new tokens' keys and values [B, heads, T, D] of a layer; gives all so far.
    func extend(layer: Int, key: Tensor, value: Tensor) throws -> (key: Tensor, value: Tensor) {
        guard keys.indices.contains(layer) else {
            throw LanguageModelError(.input, "the cache was made for \(keys.count) layers, the model has more")
        }
        let new = key.shape[2]
        // The first layer of a step decides about room; the others follow.
        if length + new > capacity { capacity = max(2 * capacity, length + new) }
        return try withoutGradients {
            let (allKeys, allValues) = (try store(key, in: keys[layer]), try store(value, in: values[layer]))
            (keys[layer], values[layer]) = (allKeys, allValues)
            return (
                try allKeys.narrow(dim: 2, start: 0, length: length + new),
                try allValues.narrow(dim: 2, start: 0, length: length + new)
            )
        }
    }

    /// Called once per step, after the last layer; a step that failed half-way is simply written over.
    func advance(by count: Int) { length += count }

    /// Writes a part behind what is there, in new memory where the old is too small.
    private func store(_ part: Tensor, in whole: Tensor?) throws -> Tensor {
        let shape = part.shape
        let target: Tensor
        if let whole, whole.shape[2] >= capacity {
            target = whole
        } else {
            target = try Tensor.zeros(
                [shape[0], shape[1], capacity, shape[3]], dtype: part.dtype, device: part.device)
            if let whole, length > 0 {
                try target.narrow(dim: 2, start: 0, length: length)
                    .copy(from: whole.narrow(dim: 2, start: 0, length: length))
            }
        }
        try target.narrow(dim: 2, start: length, length: shape[2]).copy(from: part)
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
}
