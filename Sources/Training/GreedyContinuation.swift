import LanguageModels
import Torch

/// What a model writes greedily behind prompts, while it is being trained. Talking has `Generation`, with everything that
/// drawing needs; this is for losses that look at the model's own text.
struct GreedyContinuation {
    let model: any LanguageModels.Decoder
    /// Most tokens of a continuation.
    let length: Int
    let compute: TrainingOptions.ComputeType

    /// One continuation per prompt, its end token included where the model came to one.
    func continuations(_ prompts: [[Int]]) throws -> [[Int]] {
        let configuration = model.configuration
        let longest = prompts.map(\.count).max() ?? 0
        let steps = min(length, configuration.contextLength - longest)
        guard longest > 0, steps > 0, let device = model.namedParameters.first?.parameter.value.device else {
            return prompts.map { _ in [] }
        }
        let count = prompts.count
        let ends = Set(configuration.endIDs)
        let padding = prompts.map { longest - $0.count }
        return try withoutGradients {
            let cache = KVCache(layers: configuration.layerCount, capacity: longest + steps)
            // Prompts end together: padding stands on the left and looks at itself alone.
            let filler = configuration.padID ?? 0
            var ids = zip(prompts, padding).flatMap { prompt, pad -> [Int] in
                [Int](repeating: filler, count: pad) + prompt
            }
            var positions = padding.flatMap { pad -> [Int] in (0..<longest).map { max(0, $0 - pad) } }
            var width = longest
            var found = [[Int]](repeating: [], count: count)
            var isDone = prompts.map(\.isEmpty)
            for step in 0..<steps {
                let seen = longest + step
                let mask = (0..<count).flatMap { row in
                    (seen - width..<seen).flatMap { query in
                        (0..<seen).map { $0 == query || ($0 >= padding[row] && $0 <= query && query >= padding[row]) }
                    }
                }
                let hidden = try model.hidden(
                    Tensor(ids, shape: [count, width], device: device),
                    positions: Tensor(positions, shape: [count, width], device: device),
                    mask: .explicit(Tensor(mask, shape: [count, 1, width, seen], device: device)), cache: cache,
                    compute: compute.dtype)
                let last = try hidden.narrow(dim: 1, start: width - 1, length: 1)
                let next = try model.logits(last).reshape([count, configuration.vocabularySize]).argmax(dim: -1).ints()
                for row in 0..<count where !isDone[row] {
                    found[row].append(next[row])
                    isDone[row] = ends.contains(next[row])
                }
                guard isDone.contains(false) else { break }
                ids = next
                positions = padding.map { seen - $0 }
                width = 1
            }
            return found
        }
    }
}
