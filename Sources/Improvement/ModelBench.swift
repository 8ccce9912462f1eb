import Conversations
import Foundation
import Generation
import LanguageModels
import Tokenizers
import Torch
import Training

/// A dialogue model opened for the loop: its decoder, the format that it speaks, and what the stages ask of it.
struct ModelBench {
    let folder: URL
    let decoder: any DecoderFamily
    let examples: ExampleTokenizer

    /// - Parameters:
    ///   - today: What a chat template that asks for the date is told: the day on which the run began.
    ///   - dtype: float32 to train (masters), bfloat16 to score and generate.
    /// - Throws: `ImprovementError` for what is no model folder; errors of `ModelFormats`, `LanguageModels` and
    ///   `Tokenizers` that name the file, also where tokenizer and model do not belong together.
    init(_ folder: URL, today: Date, dtype: DType = .float32, device: Device = .cpu) throws {
        self.folder = folder
        guard FileManager.default.fileExists(atPath: folder.appending(path: "config.json").path) else {
            throw ImprovementError.model(folder.path, "no config.json here: not a model folder")
        }
        decoder = try PretrainedDecoder.load(folder: folder, dtype: dtype, device: device)
        let format = try PromptFormats.of(folder, ends: decoder.configuration.endIDs, now: { today })
        try decoder.configuration.requireVocabulary(tokens: format.vocabulary.vocabularySize, in: folder)
        examples = try ExampleTokenizer(
            format: format, contextLength: ExampleTokenizer.rowLength(for: decoder.configuration))
    }

    var format: any PromptFormat { examples.format }

    /// Tokens of a row in training: the longest example fits one.
    var rowLength: Int { examples.contextLength }

    /// Frozen states of the model for each reply: features of the reward model. A reply that cannot be tokenized gets zeros.
    func states(_ pairs: [(context: [Turn], reply: String)]) throws -> [[Float]] {
        let scores = try scores(pairs, states: true)
        let none = [Float](repeating: 0, count: decoder.configuration.hiddenSize + 3)
        return scores.map { $0?.features ?? none }
    }

    /// Mean and per-reply log-probability of each reply, `nil` where it cannot be tokenized.
    func scores(_ pairs: [(context: [Turn], reply: String)], states: Bool = false) throws -> [ReplyScore?] {
        let tokenized = try examples.tokenize(
            pairs.map { Example(context: $0.context, reply: $0.reply, label: .unlabelled) })
        let scores = try ReplyScorer(model: decoder, rowLength: rowLength).scores(tokenized.examples, states: states)
        var rows = [ReplyScore?](repeating: nil, count: pairs.count)
        for (score, origin) in zip(scores, tokenized.origins) { rows[origin] = score }
        return rows
    }

    /// Writes the decoder's present weights with the tokenizer and the card of where they come from as a folder that
    /// Loam and transformers open.
    func save(to place: URL, like base: URL) throws {
        let half = place.deletingLastPathComponent().appending(path: place.lastPathComponent + ".part")
        let files = FileManager.default
        try? files.removeItem(at: half)
        try files.createDirectory(at: half, withIntermediateDirectories: true)
        try write(into: half, like: base)
        try? files.removeItem(at: place)
        try files.moveItem(at: half, to: place)
    }

    /// Writes the weights beside the base's tokenizer and chat template, which stay as they are.
    /// - Parameter other: Another model of the same shape, in place of the bench's own.
    func write(into folder: URL, like base: URL, _ other: (any DecoderFamily)? = nil) throws {
        try TokenizerFiles.carry(from: base, to: folder)
        try (other ?? decoder).save(to: folder, metadata: [:])
    }
}

/// The reward model with the frozen dialogue model that gives it states: the probability that people like a reply.
struct Judge {
    let model: RewardModel
    let bench: ModelBench
    let encoder: any TextEncoder

    init(folder: URL, bench: ModelBench, encoder: any TextEncoder) throws {
        model = try RewardModel(folder: folder)
        self.bench = bench
        self.encoder = encoder
    }

    /// What is thought of a reply.
    struct Verdict {
        /// Probability of good, among replies that people vote on.
        var good: Double
        /// Probability of each reason, given bad.
        var reasons: [DislikeReason: Double]
        /// Above 0 where people would call it inappropriate; see `RewardModel.rudeness`.
        var rude: Double
    }

    /// For each reply what is thought of it.
    /// - Parameter next: What the person said after each reply, for a model that reads it.
    func verdicts(
        _ pairs: [(context: [Turn], reply: String)], next: [String?]? = nil
    ) async throws -> [Verdict] {
        guard !pairs.isEmpty else { return [] }
        var extra = try bench.states(pairs)
        if let next { extra = zip(extra, try await NextMessages(encoder: encoder).rows(next)).map { $0 + $1 } }
        let rows = try await model.features.rows(pairs, encoder: encoder, extra: extra)
        let (good, reasons, rude) = (
            try model.probabilities(rows), try model.reasonProbabilities(rows), try model.rudeness(rows)
        )
        return good.indices.map { Verdict(good: good[$0], reasons: reasons[$0], rude: rude?[$0] ?? -.infinity) }
    }

    func probabilities(_ pairs: [(context: [Turn], reply: String)]) async throws -> [Double] {
        try await verdicts(pairs).map(\.good)
    }
}
