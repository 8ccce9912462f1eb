import Conversations
import Foundation
import LanguageModels
import ModelFormats
import Statistics
import Tokenizers
import Torch

/// Makes a dialogue model from nothing: vocabulary, token rows, training, and a Hugging Face folder at the end.
///
/// Killed and started again in the same folder it goes on from its last checkpoint and ends with the same weights.
public struct PretrainingTask: Sendable, Hashable, Codable {
    public var preset: ModelPreset
    /// Ids of the vocabulary; `nil` takes the preset's.
    public var vocabularySize: Int?
    /// Longest sequence in tokens; `nil` takes the preset's.
    public var contextLength: Int?
    public var supervision: DialogueTokenizer.Supervision
    /// Rows of the context's length per step.
    public var rowsPerStep: Int
    public var training: TrainingOptions
    /// One dialogue in so many is held out for the perplexity; 0 holds none out.
    public var heldOutEvery: Int
    /// Seeds weights and order of the data.
    public var seed: UInt64

    public init(
        preset: ModelPreset, vocabularySize: Int? = nil, contextLength: Int? = nil,
        supervision: DialogueTokenizer.Supervision = .allTurns,
        rowsPerStep: Int = 16, training: TrainingOptions, heldOutEvery: Int = 50, seed: UInt64 = 0
    ) {
        self.preset = preset
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        self.supervision = supervision
        self.rowsPerStep = rowsPerStep
        self.training = training
        self.heldOutEvery = heldOutEvery
        self.seed = seed
    }

    /// What a context may be long: a turn has to fit, and attention's scores of a row have to fit into memory.
    static let contextLengths = 16...8192

    /// What it came to.
    public struct Outcome: Sendable {
        public var training: TrainingSummary
        public var parameterCount: Int
        /// Dialogues that were learned from, and their tokens.
        public var dialogues: Int
        public var tokens: Int
        /// Documents after cutting at the context's length.
        public var documents: Int
        public var skipped: [ExampleTokenizer.Skip: Int]
        /// Share of the rows' tokens that documents fill.
        public var fill: Double
        /// Perplexity of held-out dialogues; `nil` when none were held out.
        public var heldOutPerplexity: Double?
        /// Bits that held-out dialogues cost per byte of UTF-8, the end of each turn counted as one byte; models with other
        /// vocabularies, and other kinds of model, can be compared by it. `nil` when none were held out.
        public var heldOutBitsPerByte: Double?
    }

    /// Trains and writes the model folder.
    /// - Parameters:
    ///   - dialogues: Turns of each, in order.
    ///   - folder: Gets `config.json`, `model.safetensors`, the tokenizer and a model card; `training/` holds metrics and
    ///     checkpoints.
    ///   - sources: Names of the data for the model card.
    ///   - group: The processes that train together; the first one writes.
    ///   - peak: The device's measured speed, for the log.
    /// - Throws: `TrainingError` when there is too little data or an option is at fault; `CancellationError`.
    public func run(
        _ dialogues: [[Turn]], to folder: URL, sources: [String] = [], device: Device = .cpu,
        group: any ProcessGroup = SingleProcess(), peak: ComputePeak? = nil,
        onStep: (StepMetrics) throws -> Void = { _ in }, shouldStop: () -> Bool = { Task.isCancelled }
    ) throws -> Outcome {
        try training.validate()
        guard Self.contextLengths.contains(rowLength) else {
            throw TrainingError(
                .options, "context_length \(rowLength) is not within \(Self.contextLengths)")
        }
        let held = heldOutEvery > 0 ? dialogues.indices.filter { $0 % heldOutEvery == heldOutEvery - 1 } : []
        let heldSet = Set(held)
        let learned = dialogues.indices.filter { !heldSet.contains($0) }.map { dialogues[$0] }
        guard !learned.isEmpty else { throw TrainingError(.data, "there are no dialogues to pre-train on") }
        let tokenizer = ByteLevelBPE.train(
            texts: learned.lazy.joined().map(\.text), vocabularySize: vocabularySize ?? preset.vocabularySize,
            specialTokens: ChatFormat.specialTokens)
        let format = try ChatFormat(tokenizer: tokenizer)
        let maker = try DialogueTokenizer(format: format, contextLength: rowLength)
        let documents = maker.tokenize(learned, supervising: supervision)
        guard !documents.examples.isEmpty else {
            throw TrainingError(
                .data, "none of \(learned.count) dialogues has a turn that fits \(rowLength) tokens")
        }
        let source = try PackedSource(
            documents.examples, rowLength: rowLength, rowsPerStep: rowsPerStep, seed: seed)
        let model = try LlamaModel(
            preset.configuration(format: format, contextLength: rowLength), generator: Generator(seed: seed),
            dtype: .float32, device: device)
        let trainer = try Trainer(
            model: model, loss: CrossEntropyLoss(), source: source, options: training,
            folder: folder.appending(path: "training"), group: group, peak: peak)
        let test = maker.tokenize(held.map { dialogues[$0] }, supervising: supervision).examples
        let bytes = Self.bytes(of: test, format: format)
        func heldOut() throws -> (perplexity: Double, bitsPerByte: Double)? {
            guard !test.isEmpty, bytes > 0 else { return nil }
            let nats = try ReplyScorer(model: model, compute: training.compute).crossEntropy(test)
            return (exp(nats), nats * Double(test.reduce(0) { $0 + $1.supervisedCount }) / log(2) / Double(bytes))
        }
        let summary = try trainer.run(
            onStep: onStep,
            evaluate: { try heldOut().map { ["ppl": $0.perplexity, "bits_per_byte": $0.bitsPerByte] } ?? [:] },
            shouldStop: shouldStop)
        let last = try heldOut()
        let lengths = documents.examples.map(\.count)
        let outcome = Outcome(
            training: summary, parameterCount: model.parameterCount,
            dialogues: learned.count, tokens: lengths.reduce(0, +), documents: lengths.count,
            skipped: documents.skipped,
            fill: Packing.fill(rows: source.packedRows, lengths: lengths, capacity: source.rowLength),
            heldOutPerplexity: last?.perplexity, heldOutBitsPerByte: last?.bitsPerByte)
        if group.isFirst {
            try DialogueModelFolder.save(model, format: format, card: card(outcome, sources: sources), to: folder)
        }
        return outcome
    }

    /// Bytes of UTF-8 of the supervised tokens; one for an end of turn.
    static func bytes(of documents: [TokenizedExample], format: ChatFormat) -> Int {
        documents.reduce(0) { sum, document in
            sum
                + zip(document.ids, document.labels).filter { $0.1 != .ignored }.reduce(0) {
                    let id = Int($1.0)
                    return $0 + (id == format.end ? 1 : format.tokenizer.bytes(of: id).count)
                }
        }
    }

    private var rowLength: Int { contextLength ?? preset.contextLength }

    private func card(_ outcome: Outcome, sources: [String]) -> ModelCard {
        var facts: [ModelCard.Fact] = [
            .init("parameters", "\(outcome.parameterCount)"), .init("size", preset.rawValue),
            .init("dialogues", "\(outcome.dialogues)"), .init("tokens", "\(outcome.tokens)"),
            .init("steps", "\(outcome.training.steps)"),
            .init("rows per step", "\(rowsPerStep) × \(rowLength)"),
            .init("optimizer", training.optimizer.rawValue), .init("peak learning rate", "\(training.learningRate)"),
            .init("seed", "\(seed)"),
        ]
        if let perplexity = outcome.heldOutPerplexity {
            facts.append(.init("held-out perplexity per token", String(format: "%.2f", perplexity)))
        }
        if let bits = outcome.heldOutBitsPerByte {
            facts.append(.init("held-out bits per byte", String(format: "%.3f", bits)))
        }
        return ModelCard(
            name: "Loam \(preset.rawValue)", languages: ["en"], datasets: sources, tags: ["dialogue"],
            library: "transformers", task: "text-generation",
            summary: "A small dialogue model, pre-trained from nothing on plain dialogues. It knows little and may say "
                + "anything; it is the base that feedback improves.",
            facts: facts)
    }
}
