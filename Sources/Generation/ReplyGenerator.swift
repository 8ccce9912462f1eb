import Conversations
import Foundation
import LanguageModels
import Tokenizers
import Torch

/// Writes replies with a model folder of ours: a Llama decoder, byte-level BPE and the chat format.
///
/// Many histories are drawn in batches of like length; each reply has random numbers of its own, from its seed, so it
/// does not depend on what is drawn beside it. May be used from many tasks: they take turns by single steps.
public final class ReplyGenerator: TextGenerator {
    /// What a `Sampling` does not say.
    public struct Options: Sendable, Hashable {
        /// Replies drawn together.
        public var batchSize: Int
        /// Most tokens of padded prompts in one batch, which bounds the memory of the first pass.
        public var batchTokens: Int
        /// Fewest tokens of a reply before it may end.
        public var minimumTokens: Int
        /// Only the k most probable tokens; 0 keeps all.
        public var topK: Int

        public init(batchSize: Int = 64, batchTokens: Int = 16_384, minimumTokens: Int = 1, topK: Int = 0) {
            self.batchSize = max(1, batchSize)
            self.batchTokens = max(1, batchTokens)
            self.minimumTokens = minimumTokens
            self.topK = topK
        }
    }

    public let modelID: String
    public let format: ChatFormat
    public let options: Options
    private let model: any LanguageModels.Decoder
    private let window: PromptWindow
    private let lane: ComputeLane
    private let compute: DType?

    /// Loads a model folder.
    /// - Parameters:
    ///   - modelID: kept with each reply; the folder's name when `nil`.
    ///   - dtype: type of the weights and of computing.
    ///   - lane: where to compute; its own unless models share one.
    /// - Throws: errors of `ModelFormats`, `Tokenizers` and `LanguageModels`; `GenerationError` `mismatch` when the
    ///   tokenizer has more tokens than the model.
    public convenience init(
        folder: URL, modelID: String? = nil, dtype: DType = .float32, device: Device = .cpu,
        options: Options = Options(), lane: ComputeLane = ComputeLane()
    ) throws {
        try self.init(
            model: LlamaModel(folder: folder, dtype: dtype, device: device), format: ChatFormat(folder: folder),
            modelID: modelID ?? folder.lastPathComponent, options: options, lane: lane)
    }

    /// - Parameter compute: type to compute in; `nil` is the weights' own.
    public init(
        model: any LanguageModels.Decoder, format: ChatFormat, modelID: String, options: Options = Options(),
        lane: ComputeLane = ComputeLane(), compute: DType? = nil
    ) throws {
        guard format.tokenizer.vocabularySize <= model.configuration.vocabularySize else {
            throw GenerationError(
                .mismatch,
                "the tokenizer has \(format.tokenizer.vocabularySize) tokens, "
                    + "the model only \(model.configuration.vocabularySize)")
        }
        self.model = model
        self.format = format
        self.modelID = modelID
        self.options = options
        self.lane = lane
        self.compute = compute
        window = PromptWindow(format: format, contextLength: model.configuration.contextLength)
    }

    public func reply(
        to turns: [Turn], sampling: Sampling, onPiece: (@Sendable (String) -> Void)? = nil
    ) async throws -> Reply {
        let batch = try self.batch(
            [window.prompt(for: turns, replyTokens: sampling.maximumTokens)], [sampling.seed], sampling)
        var decoder = format.tokenizer.streamingDecoder()
        var shown = 0
        while !batch.isDone {
            let ids = try await lane.run {
                try batch.step()
                return batch.ids(of: 0)
            }
            guard let onPiece else { continue }
            for id in ids.dropFirst(shown) {
                let piece = decoder.append(id)
                if !piece.isEmpty { onPiece(piece) }
            }
            shown = ids.count
        }
        let rest = decoder.finish()
        if let onPiece, !rest.isEmpty { onPiece(rest) }
        guard let drawn = batch.replies.first else { throw CancellationError() }
        return reply(drawn)
    }

    public func replies(to histories: [[Turn]], sampling: Sampling) async throws -> [Reply] {
        let prompts = histories.map { window.prompt(for: $0, replyTokens: sampling.maximumTokens) }
        // Longest first, so that the largest batch fails early if memory is short.
        let order = prompts.indices.sorted { (prompts[$1].count, $0) < (prompts[$0].count, $1) }
        var result = [Reply?](repeating: nil, count: prompts.count)
        var start = 0
        while start < order.count {
            let rows = min(options.batchSize, max(1, options.batchTokens / max(prompts[order[start]].count, 1)))
            let part = order[start..<min(start + rows, order.count)]
            start += part.count
            let batch = try self.batch(part.map { prompts[$0] }, part.map { sampling.seed &+ UInt64($0) }, sampling)
            while !batch.isDone { try await lane.run { try batch.step() } }
            for (place, drawn) in zip(part, batch.replies) { result[place] = reply(drawn) }
        }
        return result.compactMap { $0 }
    }

    private func batch(_ prompts: [[Int]], _ seeds: [UInt64], _ sampling: Sampling) throws -> DecodingBatch {
        guard sampling.maximumTokens > 0 else {
            throw GenerationError(.setting, "max_tokens is \(sampling.maximumTokens), should be 1 or more")
        }
        let vocabulary = model.configuration.vocabularySize
        let ends = Set(model.configuration.endIDs).union([format.end])
        // Tokens that the model has and the tokenizer lacks (padding of the matrix) are no text.
        let strange = Set(format.tokenizer.vocabularySize..<max(vocabulary, format.tokenizer.vocabularySize))
        let rules = DrawingRules(
            endIDs: ends, suppressedIDs: strange.union(format.tokenizer.specialTokens.keys).subtracting(ends),
            minimumTokens: options.minimumTokens,
            maximumTokens: min(sampling.maximumTokens, model.configuration.contextLength),
            blockedNGram: sampling.blockedNGram)
        return try DecodingBatch(
            model: model, prompts: prompts, seeds: seeds,
            sampler: TokenSampler(temperature: sampling.temperature, topP: sampling.topP, topK: options.topK),
            rules: rules, compute: compute)
    }

    private func reply(_ drawn: DrawnReply) -> Reply {
        Reply(
            text: format.tokenizer.decode(drawn.ids), finishReason: drawn.ended ? "stop" : "length",
            tokenCount: drawn.tokenCount, meanLogProbability: drawn.meanLogProbability)
    }
}
