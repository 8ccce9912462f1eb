import ArgumentParser
import Conversations
import Foundation
import Improvement
import Torch
import Training

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Makes or tunes a model: pretrain, sft, cringe, masked-cringe or unlikelihood.",
        discussion: """
            pretrain reads dialogues (lines with "turns", or a Loam log) and makes a model from nothing. The others start
            from --model and read a Loam log with votes. A run that is cut off goes on when the same command is given again.

            Example: loam train pretrain --data dialogues.jsonl --preset small --steps 1500 --out models/base
            """)

    /// What is learned.
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case pretrain, sft, cringe
        case maskedCringe = "masked-cringe"
        case unlikelihood
    }

    @Argument(help: "pretrain, sft, cringe, masked-cringe or unlikelihood.")
    var kind: Kind

    @Option(name: .long, parsing: .upToNextOption, help: "Data files.")
    var data: [String]

    @Option(name: .long, help: "The folder of the new model.")
    var out: String

    @Option(name: .long, help: "Folder of the model to start from (not for pretrain).")
    var model: String?

    @Option(name: .long, help: "Size of a new model: \(ModelPreset.allCases.map(\.rawValue).joined(separator: ", ")).")
    var preset: ModelPreset = .small

    @Option(name: .long, help: "Optimizer steps.")
    var steps = 1000

    @Option(name: .long, help: "Peak learning rate (default: 1e-3 for pretrain, 3e-4 otherwise).")
    var learningRate: Double?

    @Option(name: .long, help: "Rows per step, each as long as the context; for the others good replies per step.")
    var rows = 16

    @Option(name: .long, help: "Weight of the term that pushes bad replies down.")
    var alpha: Double?

    @Option(name: .long, help: "cpu, cuda or cuda:N.")
    var device = "cpu"

    @Option(name: .long, help: "Threads of libtorch.")
    var threads = 2

    @Option(name: .long, help: "Makes the run repeatable.")
    var seed: UInt64 = 1

    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var steps: Int
        var loss: Double?
        var tokensPerSecond: Double
        var heldOutPerplexity: Double?
        var model: String

        enum CodingKeys: String, CodingKey {
            case steps, loss, model
            case tokensPerSecond = "tokens_per_second"
            case heldOutPerplexity = "held_out_perplexity"
        }
    }

    func run() async throws {
        try Engine.setThreadCount(threads)
        let console = common.console
        let options = TrainingOptions(
            steps: steps, learningRate: learningRate ?? (kind == .pretrain ? 1e-3 : 3e-4),
            warmUp: min(50, steps / 10 + 1),
            checkpointEvery: 100, seed: seed)
        let show: (StepMetrics) -> Void = { step in
            guard step.step % 20 == 0 || step.step == steps else { return }
            console.say(
                String(
                    format: "step %d of %d  loss %.3f  %.0f tokens/s  %.0f s left", step.step, steps, step.loss,
                    step.wall.tokensPerSecond, step.wall.seconds * Double(steps - step.step)))
        }
        let device = try Device(parsing: device)
        if kind == .pretrain {
            var dialogues: [[Turn]] = []
            for file in data {
                let content = try DialogueFile().readEither(URL(filePath: file))
                console.say(
                    "\(file): \(content.dialogues.count) dialogues, \(content.rejected) rejected, \(content.skippedCount) skipped"
                )
                dialogues += content.dialogues
            }
            let task = PretrainingTask(preset: preset, rowsPerStep: rows, training: options, seed: seed)
            let outcome = try task.run(
                dialogues, to: URL(filePath: out), sources: data.map { URL(filePath: $0).lastPathComponent },
                device: device,
                onStep: show)
            try console.result(
                Answer(
                    steps: outcome.training.steps, loss: outcome.training.last?.loss,
                    tokensPerSecond: outcome.training.tokensPerSecond, heldOutPerplexity: outcome.heldOutPerplexity,
                    model: out))
            console.show(
                "\(outcome.parameterCount) parameters, \(outcome.tokens) tokens of \(outcome.dialogues) dialogues; held-out perplexity "
                    + (outcome.heldOutPerplexity.map { String(format: "%.2f", $0) } ?? "not measured"))
            return
        }
        guard let model else { throw ValidationError("--model is needed for \(kind.rawValue)") }
        let task = try VoteTraining(
            loss: loss(), model: URL(filePath: model), logs: data.map { URL(filePath: $0) }, options: options,
            half: rows,
            goodOnly: kind == .sft, seed: seed)
        let summary = try task.run(to: URL(filePath: out), onStep: show)
        try console.result(
            Answer(
                steps: summary.steps, loss: summary.last?.loss, tokensPerSecond: summary.tokensPerSecond,
                heldOutPerplexity: nil,
                model: out))
        console.show("\(summary.steps) steps; the model is in \(out)")
    }

    private func loss() throws -> any TokenLoss {
        switch kind {
        case .pretrain, .sft: CrossEntropyLoss()
        case .cringe: try CRINGELoss(alpha: alpha ?? 1)
        case .maskedCringe: try CRINGELoss.masked(alpha: alpha ?? 0.3)
        case .unlikelihood: try UnlikelihoodLoss(alpha: alpha ?? 1)
        }
    }
}

extension ModelPreset: ExpressibleByArgument {}
