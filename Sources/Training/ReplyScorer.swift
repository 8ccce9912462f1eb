import Foundation
import LanguageModels
import Torch

/// What a model thinks of one reply.
public struct ReplyScore: Sendable, Hashable {
    /// Sum of the supervised tokens' log-probabilities, in nats.
    public var logProbability: Double
    /// The least probable token's.
    public var minimum: Double
    /// Supervised tokens, the end of turn included.
    public var tokenCount: Int
    /// Mean hidden state over the supervised tokens' predictors; empty unless asked for.
    public var meanState: [Float]

    /// Per token, in nats.
    public var meanLogProbability: Double { tokenCount > 0 ? logProbability / Double(tokenCount) : 0 }

    /// A row of frozen states for the reward model: mean state, mean and minimum log-probability, log length.
    public var features: [Float] {
        meanState + [Float(meanLogProbability), Float(minimum), Float(log(1 + Double(tokenCount)))]
    }
}

/// Scores replies under a model: held-out perplexity, the margin of liked over disliked, features for the reward model.
public struct ReplyScorer {
    public let model: any LanguageModels.Decoder
    /// Rows of one forward pass.
    public var rowsPerBatch: Int
    /// Most tokens of a row; `nil` is `ExampleTokenizer.rowLength(for:)`, or the longest example where that is more: rows as
    /// long as the whole context would cost gigabytes of attention.
    public var rowLength: Int?
    /// Most tokens whose logits exist at once.
    public var chunk: Int
    public var compute: TrainingOptions.ComputeType

    public init(
        model: any LanguageModels.Decoder, rowsPerBatch: Int = 16, rowLength: Int? = nil, chunk: Int = 2048,
        compute: TrainingOptions.ComputeType = .fastest()
    ) {
        self.model = model
        self.rowsPerBatch = max(1, rowsPerBatch)
        self.rowLength = rowLength
        self.chunk = max(1, chunk)
        self.compute = compute
    }

    /// One score per example, in order.
    public func scores(_ examples: [TokenizedExample], states: Bool = false) throws -> [ReplyScore] {
        guard let device = model.namedParameters.first?.parameter.value.device else { return [] }
        let capacity = rowLength ?? ExampleTokenizer.rowLength(for: model.configuration, holding: examples)
        let rows = try Packing.rows(lengths: examples.map(\.count), capacity: capacity)
        var result = [ReplyScore](
            repeating: ReplyScore(logProbability: 0, minimum: 0, tokenCount: 0, meanState: []), count: examples.count)
        for start in stride(from: 0, to: rows.count, by: rowsPerBatch) {
            let part = rows[start..<min(start + rowsPerBatch, rows.count)]
            let batch = Batch(
                rows: part.map { $0.map { examples[$0] } }, padID: model.configuration.padID ?? 0)
            let owners = part.flatMap { $0 }
            try withoutGradients {
                let hidden = try model.predictorStates(of: batch, on: device, compute: compute.dtype)
                let values = try model.logProbabilities(of: batch.targets, after: hidden, chunk: chunk)
                for (place, value) in values.enumerated() {
                    let owner = owners[batch.owners[place]]
                    result[owner].logProbability += value
                    result[owner].minimum = min(result[owner].minimum, value)
                    result[owner].tokenCount += 1
                }
                if states { try addStates(hidden, batch: batch, owners: owners, to: &result) }
            }
        }
        return result
    }

    /// Mean `−log p` per supervised token over all examples, in nats; its exponential is the perplexity.
    public func crossEntropy(_ examples: [TokenizedExample]) throws -> Double {
        let scores = try scores(examples)
        let tokens = scores.reduce(0) { $0 + $1.tokenCount }
        guard tokens > 0 else { throw TrainingError(.data, "there is nothing to score") }
        return -scores.reduce(0) { $0 + $1.logProbability } / Double(tokens)
    }

    /// Supervised tokens of a document stand together, so each mean is over one range of rows.
    private func addStates(_ hidden: Tensor, batch: Batch, owners: [Int], to result: inout [ReplyScore]) throws {
        let width = hidden.shape[1]
        let values = try hidden.floats()
        var start = 0
        while start < batch.owners.count {
            let owner = batch.owners[start]
            var sum = [Float](repeating: 0, count: width)
            var end = start
            while end < batch.owners.count, batch.owners[end] == owner {
                for column in 0..<width { sum[column] += values[end * width + column] }
                end += 1
            }
            result[owners[owner]].meanState = sum.map { $0 / Float(end - start) }
            start = end
        }
    }
}
