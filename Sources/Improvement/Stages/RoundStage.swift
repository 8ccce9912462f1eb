import Conversations
import Foundation
import LanguageModels
import Statistics
import Torch
import Training

/// One round of learning: SFT on good replies alone (the arm to beat), or CRINGE on good and bad ones.
///
/// Round 1 learns from the log. Each later round first lets the model of the round before answer the training prompts,
/// labels its replies with the reward model, caps copies and balances, adds them to the log's examples, and goes on from
/// that model's weights (iterative CRINGE, 2211.05826 section 3). A training run that is cut off goes on from its last
/// checkpoint.
struct RoundStage: Stage {
    /// 0 is the SFT arm.
    let round: Int
    let loss: ImproveConfiguration.Loss
    let configuration: ImproveConfiguration
    let makeEncoder: @Sendable () throws -> any TextEncoder

    var name: String { round == 0 ? "sft" : "\(loss.rawValue)-\(round)" }

    /// The round's optimizer steps.
    private var steps: Int {
        let training = configuration.training
        return round == 0 ? training.sftSteps ?? training.steps : training.steps
    }

    var settings: [String: String] {
        let training = configuration.training
        var settings = [
            "loss": loss.rawValue, "steps": "\(steps)", "half": "\(training.half)",
            "learning_rate": "\(training.learningRate)", "warm_up": "\(training.warmUp)", "clip": "\(training.clip)",
            "alpha": "\(training.alpha)", "probability_mask": "\(training.probabilityMask)", "k": "\(training.k)",
        ]
        if let share = training.interpolation, share != 1 { settings["interpolation"] = "\(share)" }
        if isAnchored { settings["reference"] = "base" }
        let labels = configuration.labels
        if round > 1 || loss.planned?.needsPairs == true { settings["generations"] = "\(labels.generations)" }
        if round > 1 {
            if let most = labels.provokedPrompts, let draws = labels.provokedDraws {
                settings["provoked"] = "\(most) \(draws)"
            }
        }
        return settings
    }

    /// The stage whose model this one starts from; `nil` for the base.
    private var previous: String? { round > 1 ? "\(loss.rawValue)-\(round - 1)" : nil }

    /// Whether the reference is the base and not the model that the round starts from. KTO stops where a reply is clearly likelier, or
    /// less likely, than the reference finds it; with a reference that moves along, every round would go as far again on the same votes,
    /// the wrong ones among them.
    var isAnchored: Bool { loss == .kto && round > 1 }

    func run(_ work: StageWork) async throws -> StageOutcome {
        let base = URL(filePath: configuration.model)
        let start = try previous.map { try work.file("model", of: $0) } ?? base
        var examples = try RunFolder.readLines(Example.self, from: work.file("examples.jsonl", of: "label"))
        let fromLog = examples.count
        var figures: [StageOutcome.Figure] = []
        if round > 1 {
            let made = try await generated(from: start, work)
            figures += [
                .init("generated good", StageOutcome.grouped(made.count { $0.label == .good })),
                .init("bad", StageOutcome.grouped(made.count { $0.label == .bad })),
            ]
            examples += made
        }
        let bench = try ModelBench(start, today: work.today)
        let weights = try WeightInterpolation(of: bench.decoder)
        let training = configuration.training
        if let method = loss.planned {
            return try await planned(
                method, examples, from: start, bench: bench, weights: weights, work, figures: figures, fromLog: fromLog)
        }
        let tokenized = try bench.examples.tokenize(examples)
        let isSFT = loss == .sft
        let source = try BalancedSampler(
            tokenized.examples, rowLength: bench.rowLength,
            goodPerStep: isSFT ? 2 * training.half : training.half, badPerStep: isSFT ? 0 : training.half,
            seed: configuration.seed &+ UInt64(round))
        let options = TrainingOptions(
            steps: steps, learningRate: training.learningRate, warmUp: training.warmUp, clip: training.clip,
            checkpointEvery: training.checkpointEvery, seed: configuration.seed &+ UInt64(round))
        let trainer = try Trainer(
            model: bench.decoder, loss: makeLoss(), source: source, options: options, folder: work.folder)
        var losses: [Double] = []
        let summary = try trainer.run(onStep: { step in
            losses.append(step.loss)
            if step.step % 10 == 0 {
                work.report("step \(step.step) of \(steps), loss \(String(format: "%.3f", step.loss))")
            }
        })
        try weights.end(after: training.interpolation ?? 1)
        try bench.save(to: work.own("model"), like: base)
        // The weights are in `model` now; the checkpoint was for resuming.
        try? FileManager.default.removeItem(at: work.own("checkpoints"))
        let skipped = tokenized.skipped.reduce(into: [String: Int]()) {
            $0[$1.key.rawValue.replacingOccurrences(of: "_", with: " ")] = $1.value
        }
        if let last = summary.last { figures.append(.init("loss", String(format: "%.3f", last.loss))) }
        figures.append(.init("steps", "\(summary.steps)"))
        return StageOutcome(
            unit: "examples", cameIn: examples.count, wentOut: tokenized.examples.count, dropped: skipped,
            figures: [.init("from the log", StageOutcome.grouped(fromLog))] + figures)
    }

    private func makeLoss() throws -> any TokenLoss {
        let training = configuration.training
        switch loss {
        case .sft: return CrossEntropyLoss()
        case .cringe: return try CRINGELoss(alpha: training.alpha, k: training.k)
        case .maskedCringe:
            return try CRINGELoss.masked(alpha: training.alpha, k: training.k, threshold: training.probabilityMask)
        case .unlikelihood: return try UnlikelihoodLoss(alpha: training.alpha)
        case .director, .dpo, .kto:
            throw ImprovementError.noData(loss.rawValue, "is trained by its own plan")
        }
    }
}
