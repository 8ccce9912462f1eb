import Conversations
import Foundation
import LanguageModels
import Tokenizers
import Torch

/// How probable a model finds a reply.
public struct ReplyLikelihood: Sendable, Hashable {
    /// Log-probability of each token of the reply, the end of the turn last, in nats.
    public var tokenLogProbabilities: [Double]
    /// Mean over these tokens of the model's last hidden state where each is predicted; empty unless asked for.
    public var meanState: [Float]

    /// Of the whole reply, in nats.
    public var logProbability: Double { tokenLogProbabilities.reduce(0, +) }
    /// Per token, in nats.
    public var meanLogProbability: Double {
        tokenLogProbabilities.isEmpty ? 0 : logProbability / Double(tokenLogProbabilities.count)
    }
}

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

/// Scores given replies under a model, as text: for choosing among candidates and for showing how sure a model is.
///
/// Histories are cut as for writing a reply, so the score is of what the model would have seen. May be used from many
/// tasks.
public final class LikelihoodScorer: Sendable {
    private let model: any LanguageModels.Decoder
    private let format: any PromptFormat
    private let window: PromptWindow
    private let lane: ComputeLane
    private let compute: DType?
    private let batchTokens: Int

    /// - Parameters:
    ///   - batchTokens: most padded tokens of one pass.
    ///   - compute: type to compute in; `nil` is the weights' own.
    public init(
        model: any LanguageModels.Decoder, format: any PromptFormat, lane: ComputeLane = ComputeLane(),
        batchTokens: Int = 8192, compute: DType? = nil
    ) {
        self.model = model
        self.format = format
        self.lane = lane
        self.compute = compute
        self.batchTokens = batchTokens
        window = PromptWindow(format: format, contextLength: model.configuration.contextLength)
    }

    /// One score per pair, in order.
    /// - Parameter states: whether to give mean hidden states too.
    public func scores(
        _ pairs: [(history: [Turn], reply: String)], states: Bool = false
    ) async throws -> [ReplyLikelihood] {
        let inputs = try pairs.map { pair in
            // A reply beyond half the context loses its end, as a longer one would never have been drawn.
            let reply = (format.vocabulary.encode(pair.reply) + (format.endIDs.min().map { [$0] } ?? []))
                .prefix(max(model.configuration.contextLength / 2, 1))
            return Input(prompt: try window.prompt(for: pair.history, replyTokens: reply.count), reply: Array(reply))
        }
        return try await scores(inputs, states: states)
    }

    /// Scores texts as they stand, without turns around them.
    /// - Parameter begin: a token that stands before every text, where the model was trained so; without one a text's
    ///   first token has no score.
    public func scores(ofTexts texts: [String], begin: Int? = nil) async throws -> [TextLikelihood] {
        try await scores(ofTokens: texts.map { format.vocabulary.encode($0) }, begin: begin)
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
                inputs.append(Input(prompt: Array(whole[start..<scored]), reply: Array(whole[scored..<end])))
                owners.append(index)
                scored = end
            }
        }
        var result = sequences.map { ids in
            TextLikelihood(ids: ids, tokenLogProbabilities: begin == nil && !ids.isEmpty ? [nil] : [])
        }
        for (owner, score) in zip(owners, try await scores(inputs, states: false)) {
            result[owner].tokenLogProbabilities += score.tokenLogProbabilities.map { $0 }
        }
        return result
    }

    private func scores(_ inputs: [Input], states: Bool) async throws -> [ReplyLikelihood] {
        let order = inputs.indices.sorted { (inputs[$1].length, $0) < (inputs[$0].length, $1) }
        var result = [ReplyLikelihood?](repeating: nil, count: inputs.count)
        var start = 0
        while start < order.count {
            let rows = max(1, batchTokens / max(inputs[order[start]].length, 1))
            let part = Array(order[start..<min(start + rows, order.count)])
            start += part.count
            let scores = try await lane.run { try self.pass(part.map { inputs[$0] }, states: states) }
            for (place, score) in zip(part, scores) { result[place] = score }
        }
        return result.compactMap { $0 }
    }

    private struct Input {
        let prompt: [Int]
        let reply: [Int]
        /// The last token predicts nothing that is asked for.
        var length: Int { prompt.count + reply.count - 1 }
    }

    /// Padding stands on the right, where a causal model's real tokens never look.
    private func pass(_ inputs: [Input], states: Bool) throws -> [ReplyLikelihood] {
        let columns = inputs.map(\.length).max() ?? 0
        var (ids, predictors, targets): ([Int], [Int], [Int]) = ([], [], [])
        for (row, input) in inputs.enumerated() {
            ids += input.prompt + input.reply.dropLast()
            ids += repeatElement(format.pad, count: columns - input.length)
            let first = row * columns + input.prompt.count - 1
            predictors += first..<(first + input.reply.count)
            targets += input.reply
        }
        return try withoutGradients {
            let device = model.device
            let positions = try Tensor.arange(columns, device: device).unsqueeze(0).expand([inputs.count, columns])
            let hidden = try model.hidden(
                Tensor(ids, shape: [inputs.count, columns], device: device), positions: positions, mask: .causal,
                cache: nil, compute: compute
            ).reshape([inputs.count * columns, model.configuration.hiddenSize])
                .indexSelect(dim: 0, index: Tensor(predictors, device: device))
            // Logits of a whole batch over a large vocabulary would be the largest thing in memory by far.
            var losses: [Double] = []
            let chunk = max(1, (1 << 25) / model.configuration.vocabularySize)
            for start in stride(from: 0, to: targets.count, by: chunk) {
                let count = min(chunk, targets.count - start)
                losses += try model.logits(hidden.narrow(dim: 0, start: start, length: count)).to(.float32)
                    .crossEntropy(targets: Tensor(Array(targets[start..<(start + count)]), device: device)).doubles()
            }
            var start = 0
            return try inputs.map { input in
                let count = input.reply.count
                defer { start += count }
                return ReplyLikelihood(
                    tokenLogProbabilities: losses[start..<(start + count)].map { -$0 },
                    meanState: states
                        ? try hidden.narrow(dim: 0, start: start, length: count).to(.float32).mean(dim: 0).floats() : []
                )
            }
        }
    }
}
