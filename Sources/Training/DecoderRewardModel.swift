import Conversations
import Foundation
import LanguageModels
import Statistics
import Tokenizers
import Torch

/// A reward model that is a decoder with a `score` head (`…ForSequenceClassification`), and how one is learned.
///
/// The text is the dialogue with the reply at its end, in the model's own format; the score is read off the last token, the end
/// of turn. transformers loads the folder as it is.
public struct DecoderRewardModel: Sendable {
    public let scorer: SequenceScorer
    private let examples: ExampleTokenizer

    /// Loads a folder of one.
    /// - Parameter now: What a chat template that asks for the date is told.
    /// - Throws: as `SequenceScorer`; `TokenizersError` and `ChatTemplateError` for a tokenizer that cannot be read.
    public init(
        folder: URL, dtype: DType = .float32, device: Device = .cpu,
        now: @escaping @Sendable () -> Date = { Date() }
    ) throws {
        scorer = try SequenceScorer(folder: folder, dtype: dtype, device: device)
        examples = try ExampleTokenizer(
            format: PromptFormats.of(folder, ends: scorer.body.configuration.endIDs, now: now),
            contextLength: ExampleTokenizer.rowLength(for: scorer.body.configuration))
    }

    init(scorer: SequenceScorer, examples: ExampleTokenizer) {
        self.scorer = scorer
        self.examples = examples
    }

    /// The score of each reply, larger is better; `nil` where it cannot be read (an empty one, one longer than the context).
    /// - Parameter compute: Number type to compute in; `nil` is the weights' own.
    public func scores(
        _ pairs: [(context: [Turn], reply: String)], compute: DType? = nil, batch: Int = 16
    ) throws -> [Double?] {
        let made = try examples.tokenize(pairs.map { Example(context: $0.context, reply: $0.reply) })
        var result = [Double?](repeating: nil, count: pairs.count)
        let order = made.examples.indices.sorted { (made.examples[$1].count, $0) < (made.examples[$0].count, $1) }
        let device = scorer.body.device
        for start in stride(from: 0, to: order.count, by: batch) {
            let part = order[start..<min(start + batch, order.count)]
            let documents = Batch(rows: part.map { [made.examples[$0]] }, padID: examples.format.pad)
            let values = try withoutGradients {
                try scorer.scores(
                    documents.idTensor(on: device), positions: documents.positionTensor(on: device), mask: .causal,
                    last: Tensor(part.map { made.examples[$0].count - 1 }, device: device), compute: compute)
            }.to(.float32).reshape([part.count, -1]).narrow(dim: 1, start: 0, length: 1).doubles()
            for (place, value) in zip(part, values) { result[made.origins[place]] = value }
        }
        return result
    }
}

/// The score as a probability: the one of being good for a binary model, the one of being better than a reply of score 0 for
/// a pairwise one. What cannot be read is not good.
extension DecoderRewardModel: TextClassifier {
    public func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        try scores(pairs.map { (context: $0.context, reply: $0.text) }).map { $0.map(LogisticRegression.sigmoid) ?? 0 }
    }
}

/// Learns a `DecoderRewardModel` from a dialogue model.
public struct DecoderRewardTraining: Sendable {
    public var kind: ScoreLoss.Kind
    /// Pairs, or single replies, per step.
    public var perStep: Int
    public var options: TrainingOptions
    /// Coefficient of `(r_w + r_l)²`.
    public var centring: Double

    public init(kind: ScoreLoss.Kind, perStep: Int = 16, options: TrainingOptions, centring: Double = 0) {
        self.kind = kind
        self.perStep = perStep
        self.options = options
        self.centring = centring
    }

    /// Trains, and writes the folder with tokenizer; `training/` in it holds metrics and checkpoints.
    /// - Parameters:
    ///   - today: What a chat template that asks for the date is told; the same when a run goes on.
    ///   - origin: Says which model `base` is: a checkpoint that was begun from another one is refused. `nil` does not ask.
    /// - Throws: `TrainingError` for data of one class or without pairs, `LogError` naming the line that does not fit.
    public func run(
        _ data: TrainingData, base: URL, to folder: URL, today: Date, device: Device = .cpu, origin: String? = nil,
        onStep: (StepMetrics) throws -> Void = { _ in }, shouldStop: () -> Bool = { Task.isCancelled }
    ) throws -> (model: DecoderRewardModel, summary: TrainingSummary) {
        let scorer = try SequenceScorer(
            decoder: base, labels: ["reward"], generator: Generator(seed: options.seed), device: device)
        let format = try PromptFormats.of(base, ends: scorer.body.configuration.endIDs, now: { today })
        let context = ExampleTokenizer.rowLength(for: scorer.body.configuration)
        // One place is kept for the placeholder that the loss reads.
        let tokenizer = try ExampleTokenizer(format: format, contextLength: context - 1)
        func scored(_ documents: [TokenizedExample]) throws -> [TokenizedExample] {
            try documents.map { try $0.scored(placeholder: format.pad) }
        }
        let loss: ScoreLoss
        let source: any BatchSource
        switch kind {
        case .pairwise:
            try data.requirePairs(for: "a pairwise reward model")
            let documents = try tokenizer.documents(pairs: data.pairs)
            let margins = data.pairs.map(\.item.margin)
            loss = try ScoreLoss(
                kind, score: scorer.score,
                margins: margins.contains { $0 != nil } ? documents.origins.map { margins[$0] ?? 0 } : [],
                centring: centring)
            source = try PairSource(
                scored(documents.documents), rowLength: context, pairsPerStep: perStep, seed: options.seed)
        case .binary:
            try data.requireBothKinds(for: "a binary reward model")
            loss = try ScoreLoss(kind, score: scorer.score, centring: 0)
            source = try GroupedSource(
                scored(tokenizer.documents(data.labelled).documents), rowLength: context, perStep: max(2, perStep),
                seed: options.seed)
        }
        let trainer = try Trainer(
            model: scorer.body, loss: loss, source: source, options: options,
            folder: folder.appending(path: "training"), origin: origin)
        let summary = try trainer.run(onStep: onStep, shouldStop: shouldStop)
        try scorer.save(to: folder, metadata: ["format": "pt"])
        try TokenizerFiles.carry(from: base, to: folder)
        return (
            DecoderRewardModel(
                scorer: scorer, examples: try ExampleTokenizer(format: format, contextLength: context)), summary
        )
    }
}
