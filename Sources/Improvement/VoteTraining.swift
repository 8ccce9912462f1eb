import Conversations
import Foundation
import LanguageModels
import Training

/// Tunes a model on the thumbs of logs as they stand: every vote counts the same. For votes that are not to be trusted so,
/// run the loop instead.
public struct VoteTraining {
    private let bench: ModelBench
    private let base: URL
    /// A trainer that keeps its checkpoints in a folder, and goes on from those that are there.
    private let make: (URL) throws -> Trainer

    /// - Throws: `LogError` for a log that cannot be read, `TrainingError` when it holds no votes of the kinds needed.
    public init(
        loss: any TokenLoss, model: URL, logs: [URL], options: TrainingOptions, half: Int, goodOnly: Bool, seed: UInt64
    ) throws {
        base = model
        let bench = try ModelBench(model)
        self.bench = bench
        var examples: [Example] = []
        for log in logs {
            let reader = try LogFormat.loam.reader(of: log)
            while let event = try reader.next() {
                guard case .conversation(let conversation) = event, conversation.consent >= .improve else { continue }
                examples += conversation.votedReplies.compactMap { Example($0) }
            }
        }
        let tokenized = bench.examples.tokenize(examples)
        let source = try BalancedSampler(
            tokenized.examples, rowLength: bench.decoder.configuration.contextLength,
            goodPerStep: goodOnly ? 2 * half : half, badPerStep: goodOnly ? 0 : half, seed: seed)
        make = { try Trainer(model: bench.decoder, loss: loss, source: source, options: options, folder: $0) }
    }

    /// Trains and writes the model folder; `training/` in it holds metrics and checkpoints.
    public func run(to folder: URL, onStep: (StepMetrics) throws -> Void) throws -> TrainingSummary {
        let summary = try make(folder.appending(path: "training")).run(onStep: onStep)
        try bench.write(into: folder, like: base)
        return summary
    }
}
