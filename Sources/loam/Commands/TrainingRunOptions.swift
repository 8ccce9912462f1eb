import ArgumentParser
import Foundation
import Improvement
import LanguageModels
import Torch
import Training

/// How `loam train` runs: length of the warm-up, checkpoints, evaluation, adapters, memory.
struct TrainingRunOptions: ParsableArguments {
    @Option(name: .long, help: "Steps over which the rate rises (default: a tenth of the steps, 50 at most).")
    var warmUp: Int?

    @Option(name: .long, help: "How the rate goes down.")
    var schedule: Schedule.Kind = .cosine

    @Option(name: .long, help: "Where it ends, as a share of the peak.")
    var floor = 0.1

    @Option(name: .long, help: "What moves the weights.")
    var optimizer: TrainingOptions.OptimizerKind = .adamW

    @Option(name: .long, help: "Decay of the weights, each step times the learning rate.")
    var weightDecay = 0.1

    @Option(
        name: .long,
        help: "Share of each layer's output that is dropped while learning, against learning by heart.")
    var dropout = 0.0

    @Option(name: .long, help: "Rows that go through the model at a time; a step of more accumulates gradients.")
    var microBatch = 16

    @Flag(name: .long, help: "Keep one layer's inner values at a time: less memory, a third more time.")
    var recomputeLayers = false

    @Option(name: .long, help: "Steps between checkpoints.")
    var checkpointEvery = 100

    @Option(name: .long, parsing: .upToNextOption, help: "Data whose perplexity is measured, as eval/ppl.")
    var heldOut: [String] = []

    @Option(name: .long, help: "Steps between evaluations.")
    var evaluateEvery = 0

    @Option(name: .long, help: "Stop when this figure no longer falls, eval/ppl say, and keep the best weights.")
    var earlyStop: String?

    @Option(name: .long, help: "Evaluations without improvement before that.")
    var patience = 3

    @Option(name: .long, help: "Steps between samples of what the model answers (samples.jsonl); 0 takes none.")
    var sampleEvery = 0

    @Option(name: .long, help: "Learn an adapter of this rank (LoRA) instead of all weights.")
    var loraRank: Int?

    @Option(name: .long, help: "Scale of the adapter: alpha / rank (default: twice the rank).")
    var loraAlpha: Double?

    @Option(
        name: .long, parsing: .upToNextOption,
        help: "Matrices that the adapter changes (default: queries and values); all-linear is all.")
    var loraTargets: [String] = []

    @Option(name: .long, help: "Share of the adapter's inputs that are dropped while learning.")
    var loraDropout = 0.0

    /// - Throws: `ValidationError` naming an option that says something and that a training of this kind would not hear.
    func requireUse(in kind: TrainCommand.Kind) throws {
        guard [.pretrain, .reward, .safety].contains(kind) else { return try requireCompany() }
        var unheard = [
            "--held-out", "--sample-every", "--lora-rank", "--lora-alpha", "--lora-targets", "--lora-dropout",
        ]
        if kind != .pretrain { unheard += ["--dropout", "--evaluate-every"] }
        guard let first = unheard.first(where: Settings.isTyped) else { return }
        throw ValidationError("\(kind.rawValue) has no use for \(first)")
    }

    /// - Throws: `ValidationError` naming an option that does nothing without another one.
    private func requireCompany() throws {
        let alone: [(name: String, isGiven: Bool, other: String)] = [
            ("--lora-alpha", loraAlpha != nil && loraRank == nil, "--lora-rank"),
            ("--lora-targets", !loraTargets.isEmpty && loraRank == nil, "--lora-rank"),
            ("--lora-dropout", loraDropout != 0 && loraRank == nil, "--lora-rank"),
            ("--held-out", !heldOut.isEmpty && evaluateEvery == 0, "--evaluate-every"),
            ("--evaluate-every", evaluateEvery != 0 && heldOut.isEmpty && earlyStop == nil, "--held-out"),
        ]
        guard let first = alone.first(where: { $0.isGiven && Settings.isTyped($0.name) }) else { return }
        throw ValidationError("\(first.name) goes with \(first.other)")
    }

    func options(steps: Int, learningRate: Double, seed: UInt64) -> TrainingOptions {
        var options = TrainingOptions(
            steps: steps, learningRate: learningRate, warmUp: warmUp ?? min(50, steps / 10 + 1), schedule: schedule,
            floor: floor, optimizer: optimizer, weightDecay: weightDecay, dropout: dropout,
            rowsPerMicroBatch: microBatch, checkpointEvery: checkpointEvery,
            seed: seed)
        options.recomputesLayers = recomputeLayers
        options.evaluateEvery = evaluateEvery
        options.earlyStopping = earlyStop.map { EarlyStopping(metric: $0, patience: patience) }
        return options
    }

    func run(in group: any ProcessGroup) -> TrainingRun {
        TrainingRun(
            lora: loraRank.map {
                LoRAConfiguration(
                    rank: $0, alpha: loraAlpha ?? 2 * Double($0), targets: loraTargets, dropout: loraDropout)
            }, heldOut: heldOut.map { URL(filePath: $0) }, sampleEvery: sampleEvery, group: group)
    }

    /// What made a run, for its report.
    func told(_ options: TrainingOptions, _ more: [(name: String, value: String)]) -> [(name: String, value: String)] {
        more + [
            ("steps", "\(options.steps)"), ("learning rate", "\(options.learningRate)"),
            ("schedule", "\(options.schedule.rawValue) to \(options.floor) of it, \(options.warmUp) steps of warm-up"),
            ("optimizer", options.optimizer.rawValue), ("weight decay", "\(options.weightDecay)"),
            ("dropout", "\(options.dropout)"), ("adapter", loraRank.map { "LoRA of rank \($0)" } ?? "none"),
            ("seed", "\(options.seed)"),
        ]
    }
}

extension Schedule.Kind: ExpressibleByArgument {}
extension TrainingOptions.OptimizerKind: ExpressibleByArgument {}
