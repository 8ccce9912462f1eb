import Foundation
import LanguageModels
import Tokenizers
import Torch

/// How probable a model finds a text as it stands.
public struct TextLikelihood: Sendable, Hashable {
    public var ids: [Int]
    /// Of each token after those before it, in nats; `nil` for a first token that nothing is before.
    public var tokenLogProbabilities: [Double?]

    /// Sum over the tokens that have one, in nats.
    public var logProbability: Double { tokenLogProbabilities.reduce(0) { $0 + ($1 ?? 0) } }
    /// Tokens that have a log-probability.
    public var scoredCount: Int { tokenLogProbabilities.count { $0 != nil } }
    /// exp(−log-probability per token); `nil` where no token has one.
    public var perplexity: Double? { Self.perplexity(of: [self]) }

    /// exp(Σ −log p / Σ tokens) over all tokens of some texts, as ParlAI's PPL: long texts count for more.
    public static func perplexity(of texts: [TextLikelihood]) -> Double? {
        let count = texts.reduce(0) { $0 + $1.scoredCount }
        return count > 0 ? exp(-texts.reduce(0) { $0 + $1.logProbability } / Double(count)) : nil
    }
}

/// Scores texts and sequences of tokens as they stand, without turns around them: log-probabilities and perplexity.
///
/// Replies in their context are scored by `Training.ReplyScorer`. May be used from many tasks.
public final class LikelihoodScorer: Sendable {
    private let model: any LanguageModels.Decoder
    private let tokenizer: any Tokenizer
    private let lane: ComputeLane
    private let compute: DType?
    private let batchTokens: Int

    /// - Parameters:
    ///   - batchTokens: most padded tokens of one pass.
    ///   - compute: type to compute in; `nil` is the weights' own.
    public init(
        model: any LanguageModels.Decoder, tokenizer: any Tokenizer, lane: ComputeLane = ComputeLane(),
        batchTokens: Int = 8192, compute: DType? = nil
    ) {
        self.model = model
        self.tokenizer = tokenizer
        self.lane = lane
        self.compute = compute
        self.batchTokens = batchTokens
    }

    /// One score per text, in order.
    /// - Parameter begin: a token that stands before every text, where the model was trained so; without one a text's
    ///   first token has no score.
    public func scores(ofTexts texts: [String], begin: Int? = nil) async throws -> [TextLikelihood] {
        try await scores(ofTokens: texts.map { tokenizer.encode($0) }, begin: begin)
    }

    /// Scores sequences of tokens. One beyond the context is scored in windows that overlap by half, so that every token
    /// has half a context or more before it, if the sequence has.
    /// - Throws: `GenerationError` `mismatch` for a token beyond the vocabulary.
    public func scores(ofTokens sequences: [[Int]], begin: Int? = nil) async throws -> [TextLikelihood] {
        let vocabulary = model.configuration.vocabularySize
        let first = begin.map { [$0] } ?? []
        var inputs: [Input] = []
        var owners: [Int] = []
        for (index, ids) in sequences.enumerated() {
            if let stray = (first + ids).first(where: { !(0..<vocabulary).contains($0) }) {
                throw GenerationError(.mismatch, "token \(stray) is beyond the model's vocabulary of \(vocabulary)")
            }
            let whole = first + ids
            let context = max(model.configuration.contextLength, 1)
            // What has been scored so far, counted with the begin token.
            var scored = 1
            while scored < whole.count {
                let start = scored == 1 ? 0 : max(scored - (context + 1) / 2, 0)
                let end = min(start + context + 1, whole.count)
                inputs.append(Input(seen: Array(whole[start..<scored]), scored: Array(whole[scored..<end])))
                owners.append(index)
                scored = end
            }
        }
        var result = sequences.map { ids in
            TextLikelihood(ids: ids, tokenLogProbabilities: begin == nil && !ids.isEmpty ? [nil] : [])
        }
        for (owner, values) in zip(owners, try await scores(inputs)) {
            result[owner].tokenLogProbabilities += values.map { $0 }
        }
        return result
    }

    private func scores(_ inputs: [Input]) async throws -> [[Double]] {
        let order = inputs.indices.sorted { (inputs[$1].length, $0) < (inputs[$0].length, $1) }
        var result = [[Double]](repeating: [], count: inputs.count)
        var start = 0
        while start < order.count {
            let rows = max(1, batchTokens / max(inputs[order[start]].length, 1))
            let part = Array(order[start..<min(start + rows, order.count)])
            start += part.count
            let scores = try await lane.run { try self.pass(part.map { inputs[$0] }) }
            for (place, values) in zip(part, scores) { result[place] = values }
        }
        return result
    }

    /// A window of a sequence: tokens that are only seen, and those that are scored after them.
    private struct Input {
        let seen: [Int]
        let scored: [Int]
        /// The last token predicts nothing that is asked for.
        var length: Int { seen.count + scored.count - 1 }
    }

    /// Padding stands on the right, where a causal model's real tokens never look.
    private func pass(_ inputs: [Input]) throws -> [[Double]] {
        let columns = inputs.map(\.length).max() ?? 0
        let pad = model.configuration.padID ?? 0
        var (ids, predictors): ([Int], [Int]) = ([], [])
        for (row, input) in inputs.enumerated() {
            ids += input.seen + input.scored.dropLast()
            ids += repeatElement(pad, count: columns - input.length)
            let first = row * columns + input.seen.count - 1
            predictors += first..<(first + input.scored.count)
        }
        return try withoutGradients {
            let device = model.device
            let positions = try Tensor.arange(columns, device: device).unsqueeze(0).expand([inputs.count, columns])
            let hidden = try model.hidden(
                Tensor(ids, shape: [inputs.count, columns], device: device), positions: positions, mask: .causal,
                cache: nil, compute: compute
            ).reshape([inputs.count * columns, model.configuration.hiddenSize])
                .indexSelect(dim: 0, index: Tensor(predictors, device: device))
            var values = try model.logProbabilities(of: inputs.flatMap(\.scored), after: hidden)[...]
            return inputs.map { input in
                defer { values = values.dropFirst(input.scored.count) }
                return Array(values.prefix(input.scored.count))
            }
        }
    }
}
