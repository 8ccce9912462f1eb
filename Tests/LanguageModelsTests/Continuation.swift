import LanguageModels
import Torch

/// Ways to come to the same tokens.
struct Continuation {
    let model: any Decoder

    func logits(_ rows: [[Int]], compute: DType? = nil) throws -> Tensor {
        let (ids, positions) = try inputs(rows)
        return try withoutGradients {
            try model.logits(model.hidden(ids, positions: positions, mask: .causal, cache: nil, compute: compute))
        }
    }

    /// Greedy, everything computed anew at each step.
    func whole(_ prompt: [Int], count: Int) throws -> [Int] {
        var row = prompt
        for _ in 0..<count {
            row.append(try logits([row]).select(dim: 1, index: -1).argmax(dim: -1).ints()[0])
        }
        return Array(row.dropFirst(prompt.count))
    }

    /// Greedy with a cache, the prompt shown in parts that end at these places.
    func cached(_ prompt: [Int], count: Int, parts: [Int] = []) throws -> [Int] {
        let cache = KVCache(layers: model.configuration.layerCount, capacity: 8)
        var found: [Int] = []
        var parts = parts + [prompt.count]
        var next = Array(prompt[..<parts.removeFirst()])
        return try withoutGradients {
            while found.count < count {
                let (ids, positions) = try inputs([next], from: cache.length)
                let hidden = try model.hidden(ids, positions: positions, mask: .causal, cache: cache)
                if !parts.isEmpty {
                    next = Array(prompt[cache.length..<parts.removeFirst()])
                    continue
                }
                next = try model.logits(hidden.select(dim: 1, index: -1)).argmax(dim: -1).ints()
                found += next
            }
            return found
        }
    }

    /// Greedy for several prompts at once, padded on the left, with a cache, masks and positions.
    func padded(_ prompts: [[Int]], count: Int, pad: Int = 0) throws -> [[Int]] {
        let columns = prompts.map(\.count).max() ?? 0
        let padding = prompts.map { columns - $0.count }
        let cache = KVCache(layers: model.configuration.layerCount)
        // bool [B, 1, T, S]: not later, not padding, but always itself.
        func mask(from: Int, to: Int) throws -> AttentionMask {
            let values = padding.flatMap { padding in
                (from..<to).flatMap { t in (0..<to).map { s in s == t || (s < t && s >= padding) } }
            }
            return .explicit(try Tensor(values, shape: [prompts.count, 1, to - from, to]))
        }
        return try withoutGradients {
            let rows = zip(prompts, padding).map { Array(repeating: pad, count: $1) + $0 }
            var hidden = try model.hidden(
                Tensor(rows.flatMap { $0 }, shape: [rows.count, columns]),
                positions: Tensor(
                    padding.flatMap { padding in (0..<columns).map { max(0, $0 - padding) } },
                    shape: [rows.count, columns]), mask: mask(from: 0, to: columns), cache: cache)
            var found = [[Int]](repeating: [], count: rows.count)
            for step in 0..<count {
                let next = try model.logits(hidden.select(dim: 1, index: -1)).argmax(dim: -1).ints()
                for (row, id) in next.enumerated() { found[row].append(id) }
                let at = columns + step
                hidden = try model.hidden(
                    Tensor(next, shape: [rows.count, 1]),
                    positions: Tensor(padding.map { at - $0 }, shape: [rows.count, 1]),
                    mask: mask(from: at, to: at + 1), cache: cache)
            }
            return found
        }
    }
}
