import Conversations
import Foundation
import Generation
import LanguageModels
import Tokenizers
import Torch
import Training

/// A dialogue model opened for the loop: its decoder, its tokenizer, and what the stages ask of it.
struct ModelBench {
    let folder: URL
    let decoder: any DecoderFamily
    let tokenizer: ByteLevelBPE
    let format: ChatFormat
    let examples: ExampleTokenizer

    /// - Parameter dtype: float32 to train (masters), bfloat16 to score and generate.
    init(_ folder: URL, dtype: DType = .float32) throws {
        self.folder = folder
        let file = folder.appending(path: "tokenizer.json")
        guard FileManager.default.fileExists(atPath: folder.appending(path: "config.json").path) else {
            throw ImprovementError.model(folder.path, "no config.json here: not a model folder")
        }
        tokenizer = try ByteLevelBPE(contentsOf: file)
        format = try ChatFormat(tokenizer: tokenizer)
        decoder = try PretrainedDecoder.load(folder: folder, dtype: dtype, device: .cpu)
        examples = try ExampleTokenizer(format: format, contextLength: decoder.configuration.contextLength)
    }

    /// Frozen states of the model for each reply: features of the reward model. A reply that cannot be tokenized gets zeros.
    func states(_ pairs: [(context: [Turn], reply: String)]) throws -> [[Float]] {
        let tokenized = examples.tokenize(
            pairs.map { Example(context: $0.context, reply: $0.reply, label: .unlabelled) })
        let scores = try ReplyScorer(model: decoder).scores(tokenized.examples, states: true)
        var rows = [[Float]](
            repeating: [Float](repeating: 0, count: decoder.configuration.hiddenSize + 3), count: pairs.count)
        for (score, origin) in zip(scores, tokenized.origins) { rows[origin] = score.features }
        return rows
    }

    /// Mean and per-reply log-probability of each reply, `nil` where it cannot be tokenized.
    func scores(_ pairs: [(context: [Turn], reply: String)]) throws -> [ReplyScore?] {
        let tokenized = examples.tokenize(
            pairs.map { Example(context: $0.context, reply: $0.reply, label: .unlabelled) })
        let scores = try ReplyScorer(model: decoder).scores(tokenized.examples)
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

    /// Writes the weights and copies the tokenizer's files beside them.
    func write(into folder: URL, like base: URL) throws {
        let files = FileManager.default
        try decoder.save(to: folder, metadata: [:])
        for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json"] {
            let source = base.appending(path: name)
            let target = folder.appending(path: name)
            if files.fileExists(atPath: source.path), !files.fileExists(atPath: target.path) {
                try files.copyItem(at: source, to: target)
            }
        }
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

    /// For each reply the probability of good and, given bad, of each reason.
    func verdicts(_ pairs: [(context: [Turn], reply: String)]) async throws -> [(
        good: Double, reasons: [DislikeReason: Double]
    )] {
        guard !pairs.isEmpty else { return [] }
        let rows = try await model.features.rows(pairs, encoder: encoder, extra: bench.states(pairs))
        return zip(try model.probabilities(rows), try model.reasonProbabilities(rows)).map { (good: $0, reasons: $1) }
    }

    func probabilities(_ pairs: [(context: [Turn], reply: String)]) async throws -> [Double] {
        try await verdicts(pairs).map(\.good)
    }
}
