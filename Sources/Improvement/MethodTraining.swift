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
    public var run: TrainingRun

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
        device: Device = .cpu, run: TrainingRun = TrainingRun()
    ) {
        self.method = method
        self.settings = settings
        self.options = options
        self.device = device
        self.run = run
    }

    /// Trains and writes the model folder; `training/` in it holds metrics, checkpoints and the reference's figures. A run that
    /// is cut off goes on when it is started again.
    /// - Parameter now: The clock, asked once in a run's life: chat templates are told the day on which it began.
    /// - Throws: `LogError` for a file or line that cannot be used, `TrainingError` when the data is not what the method needs.
    public func run(
        _ files: [URL], model: URL, to folder: URL, now: Date, onProgress: (String) -> Void = { _ in },
        onStep: (StepMetrics) throws -> Void
    ) throws -> Outcome {
        try run(Self.data(files), model: model, to: folder, now: now, onProgress: onProgress, onStep: onStep)
    }

    /// The same on data that was read, or made, before.
    public func run(
        _ data: TrainingData, model: URL, to folder: URL, now: Date, onProgress: (String) -> Void = { _ in },
        onStep: (StepMetrics) throws -> Void
    ) throws -> Outcome {
        var data = data
        if method.needsPairs, data.pairs.isEmpty { data.pairs = data.pairedByContext() }
        let work = folder.appending(path: "training")
        let bench = try ModelBench(model, today: RunDay.of(work, now: now, in: run.group), device: device)
        let plan = try MethodPlan(
            method, settings: settings, data: data, model: bench.decoder, format: bench.format,
            head: head(of: model, for: bench.decoder.configuration), cache: run.group.isFirst ? work : nil,
            compute: options.compute, seed: options.seed, onProgress: onProgress)
        let adapted = try run.lora.map {
            try LoRAModel(bench.decoder, adapter: $0, generator: Generator(seed: options.seed))
        }
        let learner: any LanguageModels.Decoder = adapted ?? bench.decoder
        let trainer = try Trainer(
            model: learner, loss: plan.loss, source: plan.source, options: options, folder: work, group: run.group,
            peak: run.measuresPeak ? ComputePeak.measure(options.compute, device: device) : nil,
            origin: origin(of: model))
        let heldOut =
            run.heldOut.isEmpty ? [] : try bench.examples.documents(toImitate: Self.data(run.heldOut)).documents
        let samples = try sampleLog(work, data, bench, from: trainer.step)
        let scorer = ReplyScorer(model: learner, compute: options.compute)
        let summary = try trainer.run(
            onStep: { step in
                try onStep(step)
                if let samples, step.step % run.sampleEvery == 0 { try samples.append(learner, step: step.step) }
            },
            evaluate: { heldOut.isEmpty ? [:] : ["ppl": exp(try scorer.crossEntropy(heldOut))] })
        if run.group.isFirst {
            try adapted?.save(to: folder.appending(path: "adapter"), base: model.path)
            try bench.write(into: folder, like: model, adapted?.merged())
            try plan.director?.save(to: folder)
        }
        var skipped = data.skipped
        for (reason, count) in plan.skipped { skipped[reason.rawValue, default: 0] += count }
        return Outcome(summary: summary, skipped: skipped, truncated: plan.truncated)
    }

    /// DIRECTOR's head that the model has, to go on with: of the kind that is asked for, with γ as asked.
    private func head(of model: URL, for configuration: DecoderConfiguration) throws -> DirectorHead? {
        guard method == .director, DirectorHead.isPresent(in: model) else { return nil }
        let own = try DirectorHead(folder: model, for: configuration, device: device)
        guard own.kind == settings.head else { return nil }
        return settings.guidance == MethodSettings().guidance ? own : own.guided(by: settings.guidance)
    }

    /// What this run's checkpoints are begun with and do not hold themselves: the base model's weights, and how an adapter is
    /// put beside them. Only the first process has checkpoints.
    private func origin(of model: URL) throws -> String? {
        guard run.group.isFirst else { return nil }
        var parts = try Fingerprint.of(weights: model).map { ["model \($0.prefix(16))"] } ?? []
        if let lora = run.lora {
            parts.append("LoRA of rank \(lora.rank) and alpha \(lora.alpha)")
            if lora.isRankStabilized { parts.append("rank-stabilised") }
            parts += lora.ranks.sorted { $0.key < $1.key }.map { "rank \($0.value) of \($0.key)" }
            parts += lora.alphas.sorted { $0.key < $1.key }.map { "alpha \($0.value) of \($0.key)" }
            if !lora.targets.isEmpty { parts.append("of \(lora.targets.sorted().joined(separator: " "))") }
            if lora.dropout > 0 { parts.append("dropout \(lora.dropout)") }
        }
        return parts.joined(separator: ", ")
    }

    /// Where samples are written, when they are asked for: the first of the data's contexts, each once.
    private func sampleLog(_ work: URL, _ data: TrainingData, _ bench: ModelBench, from step: Int) throws -> SampleLog?
    {
        guard run.sampleEvery > 0, run.group.isFirst else { return nil }
        var contexts: [[Turn]] = []
        for example in data.wanted where !example.item.context.isEmpty && !contexts.contains(example.item.context) {
            contexts.append(example.item.context)
            if contexts.count == run.sampleCount { break }
        }
        return try SampleLog(
            work.appending(path: "samples.jsonl"), after: step, contexts: contexts, format: bench.format,
            contextLength: bench.decoder.configuration.contextLength)
    }

    /// The data of several files together.
    static func data(_ files: [URL]) throws -> TrainingData {
        var data = TrainingData()
        for file in files { data += try TrainingData(contentsOf: file) }
        return data
    }
}
