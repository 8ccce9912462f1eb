import Conversations
import Foundation
import LanguageModels
import Tokenizers
import Torch
import Training

/// Tunes a model with any method on training files or logs as they stand: `loam train`. Every vote counts the same; for votes
/// that are not to be trusted so, run the loop instead.
public struct MethodTraining {
    public var method: Training.Method
    public var settings: MethodSettings
    public var options: TrainingOptions
    public var device: Device

    /// What was used and what came of it.
    public struct Outcome: Sendable {
        public var summary: TrainingSummary
        /// What could not be used, by reason.
        public var skipped: [String: Int]
        /// Documents that lost old turns to fit the context.
        public var truncated: Int
    }

    public init(
        _ method: Training.Method, settings: MethodSettings = MethodSettings(), options: TrainingOptions,
        device: Device = .cpu
    ) {
        self.method = method
        self.settings = settings
        self.options = options
        self.device = device
    }

    /// Trains and writes the model folder; `training/` in it holds metrics, checkpoints and the reference's figures. A run that
    /// is cut off goes on when it is started again.
    /// - Throws: `LogError` for a file or line that cannot be used, `TrainingError` when the data is not what the method needs.
    public func run(
        _ files: [URL], model: URL, to folder: URL, onProgress: (String) -> Void = { _ in },
        onStep: (StepMetrics) throws -> Void
    ) throws -> Outcome {
        var data = try Self.data(files)
        if method.needsPairs, data.pairs.isEmpty { data.pairs = data.pairedByContext() }
        let bench = try ModelBench(model)
        let work = folder.appending(path: "training")
        let plan = try MethodPlan(
            method, settings: settings, data: data, model: bench.decoder, format: bench.format, cache: work,
            compute: options.compute, seed: options.seed, onProgress: onProgress)
        let trainer = try Trainer(
            model: bench.decoder, loss: plan.loss, source: plan.source, options: options, folder: work)
        let summary = try trainer.run(onStep: onStep)
        try bench.write(into: folder, like: model)
        try plan.director?.save(to: folder)
        var skipped = data.skipped
        for (reason, count) in plan.skipped { skipped[reason.rawValue, default: 0] += count }
        return Outcome(summary: summary, skipped: skipped, truncated: plan.truncated)
    }

    /// The data of several files together.
    static func data(_ files: [URL]) throws -> TrainingData {
        var data = TrainingData()
        for file in files { data += try TrainingData(contentsOf: file) }
        return data
    }
}
