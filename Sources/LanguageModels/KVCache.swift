import Torch

/// Keys and values of the tokens so far, one pair per layer, in memory that grows by doubling.
///
/// Belongs to one generation at a time.
public final class KVCache {
    private var keys: [Tensor?]
    private var values: [Tensor?]
    /// Tokens that every layer holds.
    public private(set) var length = 0
    private var capacity: Int

    /// - Parameter capacity: Tokens to make room for at first.
    public init(layers: Int, capacity: Int = 64) {
        keys = Array(repeating: nil, count: layers)
        values = Array(repeating: nil, count: layers)
        self.capacity = max(capacity, 1)
    }

    /// Adds the new tokens' keys and values [B, heads, T, D] of a layer; gives all so far.
    func extend(layer: Int, key: Tensor, value: Tensor) throws -> (key: Tensor, value: Tensor) {
        let new = key.shape[2]
        // The first layer of a step decides about room; the others follow.
        if length + new > capacity { capacity = max(2 * capacity, length + new) }
        keys[layer] = try store(key, in: keys[layer], new: new)
        values[layer] = try store(value, in: values[layer], new: new)
        guard let k = keys[layer], let v = values[layer] else { throw TorchError(.runtime, "the cache has no layer \(layer)") }
        return (
            try k.narrow(dim: 2, start: 0, length: length + new), try v.narrow(dim: 2, start: 0, length: length + new)
        )
    }

    /// Called once per step, after the last layer.
    func advance(by count: Int) { length += count }

    private func store(_ part: Tensor, in whole: Tensor?, new: Int) throws -> Tensor {
        var target = whole
        if target == nil || target?.shape[2] ?? 0 < capacity {
            let shape = part.shape
            let grown = try Tensor.zeros([shape[0], shape[1], capacity, shape[3]], dtype: part.dtype, device: part.device)
            if let whole, length > 0 {
                try grown.narrow(dim: 2, start: 0, length: length).copy(from: whole.narrow(dim: 2, start: 0, length: length))
            }
            target = grown
        }
        guard let target else { throw TorchError(.runtime, "the cache could not grow") }
        try target.narrow(dim: 2, start: length, length: new).copy(from: part)
        return target
    }

    /// Keeps these rows of the batch, in this order: replies that are done leave.
    public func keep(rows: [Int]) throws {
        for layer in keys.indices {
            guard let key = keys[layer], let value = values[layer] else { continue }
            let index = try Tensor(rows, device: key.device)
            keys[layer] = try key.indexSelect(dim: 0, index: index)
            values[layer] = try value.indexSelect(dim: 0, index: index)
        }
    }
}
