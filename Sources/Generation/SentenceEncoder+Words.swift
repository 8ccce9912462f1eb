import Conversations
import LanguageModels
import Tokenizers
import Torch

/// States word by word, for heads that label words.
extension SentenceEncoder: WordEncoder {
    public var stateDimension: Int { dimension }

    /// Most pieces of one pass over a text; a longer text is read in pieces.
    private static let longestRun = 126
    /// Most pieces of a word that are read.
    private static let longestWord = 8

    /// Part of a text that is encoded in one go.
    private struct Run {
        var text: Int
        /// The text's words from here.
        var firstWord: Int
        var ids: [Int] = []
        /// Where each word's first piece stands among `ids`.
        var places: [Int] = []
    }

    public func states(ofWords texts: [[String]], layers: [Int]) async throws -> [[Float]] {
        let width = layers.count * dimension
        let runs = runs(texts)
        var states = texts.map { [Float](repeating: 0, count: $0.count * width) }
        let order = runs.indices.sorted { (runs[$1].ids.count, $0) < (runs[$0].ids.count, $1) }
        var start = 0
        while start < order.count {
            let rows = max(1, batchTokens / max(runs[order[start]].ids.count, 1))
            let part = order[start..<min(start + rows, order.count)].map { runs[$0] }
            start += part.count
            let values = try await lane.run { try self.states(part.map(\.ids), layers) }
            let columns = model.paddedLength(of: part.map(\.ids.count))
            for (row, run) in part.enumerated() {
                for (word, place) in run.places.enumerated() {
                    let target = (run.firstWord + word) * width
                    for (layer, of) in values.enumerated() {
                        let source = (row * columns + place) * dimension
                        for k in 0..<dimension { states[run.text][target + layer * dimension + k] = of[source + k] }
                    }
                }
            }
        }
        return states
    }

    private func runs(_ texts: [[String]]) -> [Run] {
        var runs: [Run] = []
        var known: [String: [Int]] = [:]
        for (index, words) in texts.enumerated() {
            var run = Run(text: index, firstWord: 0)
            for (place, word) in words.enumerated() {
                let pieces: [Int]
                if let before = known[word] {
                    pieces = before
                } else {
                    let ids = tokenizer.encode(word, parsing: .none).filter {
                        $0 != tokenizer.begin && $0 != tokenizer.end
                    }
                    pieces = ids.isEmpty ? [tokenizer.unknown] : Array(ids.prefix(Self.longestWord))
                    known[word] = pieces
                }
                if run.ids.count + pieces.count > Self.longestRun {
                    runs.append(run)
                    run = Run(text: index, firstWord: place)
                }
                // The text's begin mark stands first.
                run.places.append(run.ids.count + 1)
                run.ids += pieces
            }
            if !run.places.isEmpty { runs.append(run) }
        }
        return runs.map { run in
            var run = run
            run.ids = [tokenizer.begin] + run.ids + [tokenizer.end]
            return run
        }
    }

    private func states(_ inputs: [[Int]], _ layers: [Int]) throws -> [[Float]] {
        let columns = model.paddedLength(of: inputs.map(\.count))
        var ids: [Int] = []
        var isReal: [Bool] = []
        for input in inputs {
            let padding = columns - input.count
            ids += input + repeatElement(tokenizer.pad, count: padding)
            isReal += Array(repeating: true, count: input.count) + repeatElement(false, count: padding)
        }
        return try withoutGradients {
            let device = model.namedParameters.first?.parameter.value.device ?? .cpu
            let shape = [inputs.count, columns]
            let mask = try Tensor(isReal, shape: shape, device: device)
            return try model.hidden(Tensor(ids, shape: shape, device: device), attentionMask: mask, layers: layers)
                .map { try $0.to(.float32).floats() }
        }
    }
}
