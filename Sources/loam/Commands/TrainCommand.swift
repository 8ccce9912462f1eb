import ArgumentParser
import Conversations
import Deidentification
import Foundation
import Generation
import Improvement
import Safety
import Torch
import Training

struct TrainCommand: ResumableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Makes or tunes a model: \(Kind.allCases.map(\.rawValue).joined(separator: ", ")).",
        discussion: """
            pretrain reads dialogues (lines with "turns", or a Loam log) and makes a model from nothing. The others start
            from --model and read Loam logs with feedback, or JSON lines as TRL and OpenAI write them: prompt with completion,
            with a label, or with chosen and rejected. docs/methods.md says what each method is for. A run that is cut off
            goes on when the same command is given again; safety and reward --shape encoder or frozen begin anew (of
            --members each finished one is kept). modules makes tasks for the bot's modules (search and memory
            decisions, queries, memories, topics) of logs and dialogues, and tells how each did before and does after.

            Example: loam train pretrain --data dialogues.jsonl --preset small --steps 1500 --out models/base
            Example: loam train dpo --model models/base --data pairs.jsonl --steps 200 --out models/dpo
            Example: loam train modules --model models/base --data dialogues.jsonl --steps 600 --out models/modular
            Example: loam train reward --shape encoder --data chats.jsonl --out models/reward
            """)

    /// What is learned.
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case pretrain, sft, reward, safety, cringe
        case maskedCringe = "masked-cringe"
        case pairwiseCringe = "pairwise-cringe"
        case unlikelihood, director, dpo, kto, modules

        /// `nil` for what is no method of tuning a dialogue model.
        var method: Training.Method? { Training.Method(rawValue: rawValue) }
    }

    @Argument(help: "What to train.")
    var kind: Kind

    @Option(name: .long, parsing: .upToNextOption, help: "Data files.")
    var data: [String]

    @Option(name: .long, help: "The folder of the new model.")
    var out: String

    @Option(
        name: .long, help: "Folder of the model to start from (not for pretrain, safety and reward --shape encoder).")
    var model: String?

    @Option(name: .long, help: "Size of a new model: \(ModelPreset.allCases.map(\.rawValue).joined(separator: ", ")).")
    var preset: ModelPreset = .small
    @Option(
        help:
            "pretrain: ids of the new vocabulary (default: the preset's). Fewer cut rare names into letters, which a small model copies better."
    )
    var vocabulary: Int?

    @Option(name: .long, help: "pretrain: longest sequence in tokens (default: 256).")
    var context: Int?

    @Option(name: .long, help: "Optimizer steps (not for safety and reward --shape encoder or frozen).")
    var steps = 1000

    @Option(name: .long, help: "Peak learning rate (default: 1e-3 for pretrain, 1e-4 for dpo and kto, 3e-4 otherwise).")
    var learningRate: Double?

    @Option(
        name: .long,
        help:
            "Rows per step, each as long as the context; for the others good replies (as many bad ones) or pairs per step."
    )
    var rows = 16

    @Option(
        name: .long, help: "reward, safety: \(RewardTraining.Shape.allCases.map(\.rawValue).joined(separator: ", ")).")
    var shape: RewardTraining.Shape = .encoder

    @Flag(name: .long, help: "reward --shape encoder: also read what the person said next.")
    var nextMessage = false

    @Option(
        name: .long, help: "safety --shape encoder: trainings whose weights are averaged; each one finished is kept.")
    var members = 1

    @Option(name: .long, help: "cpu, cuda or cuda:N.")
    var device = "cpu"

    @Option(name: .long, help: "Threads of libtorch.")
    var threads = 2

    @Option(name: .long, help: "Makes the run repeatable.")
    var seed: UInt64 = 1

    @OptionGroup var teaching: TeachingOptions
    @OptionGroup var methods: MethodOptions
    @OptionGroup var training: TrainingRunOptions
    @OptionGroup var places: PlaceOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var steps: Int
        var loss: Double?
        var tokensPerSecond: Double
        var heldOutPerplexity: Double?
        var heldOutBitsPerByte: Double?
        var model: String

        enum CodingKeys: String, CodingKey {
            case steps, loss, model
            case tokensPerSecond = "tokens_per_second"
            case heldOutPerplexity = "held_out_perplexity"
            case heldOutBitsPerByte = "held_out_bits_per_byte"
        }
    }

    /// The tuned encoder and the heads on it, of rewards and of safety, keep nothing on the way but finished members.
    var goesOn: Bool { kind != .safety && (kind != .reward || isDecoderReward) }

    private var isDecoderReward: Bool { kind == .reward && (shape == .pairwise || shape == .binary) }

    func validate() throws {
        try training.requireUse(in: kind)
        try requireUse()
        try Threads.require(threads)
        for (name, value) in [("rows", rows), ("members", members)] where value < 1 {
            throw ValidationError("--\(name) must be at least 1, it is \(value)")
        }
        guard (try? Device(parsing: device)) != nil else {
            throw ValidationError("--device is cpu, cuda or cuda:N, not \(device)")
        }
    }

    /// - Throws: `ValidationError` naming an option that a training of this kind would not hear.
    private func requireUse() throws {
        let isOfText = kind == .reward || kind == .safety
        let isOwnPace = isOfText && !isDecoderReward
        let unheard: [(name: String, isUnheard: Bool)] = [
            ("--model", kind == .pretrain), ("--preset", kind != .pretrain), ("--vocabulary", kind != .pretrain),
            ("--context", kind != .pretrain), ("--shape", !isOfText),
            ("--next-message", kind != .reward || shape != .encoder),
            ("--members", kind != .safety || shape != .encoder),
            ("--device", isOfText), ("--steps", isOwnPace), ("--learning-rate", isOwnPace),
        ]
        guard let first = unheard.first(where: { $0.isUnheard && Settings.isTyped($0.name) }) else { return }
        let whose = isOfText ? "\(kind.rawValue) --shape \(shape.rawValue)" : kind.rawValue
        throw ValidationError("\(whose) has no use for \(first.name)")
    }

    func run() async throws {
        try Engine.setThreadCount(threads)
        try await ProcessGroups.run { group in try await train(in: group) }
    }

    private func train(in group: any ProcessGroup) async throws {
        let console = common.console
        let options = training.options(steps: steps, learningRate: learningRate ?? usualRate, seed: seed)
        let work = URL(filePath: out).appending(path: "training")
        func report() throws {
            guard group.isFirst else { return }
            try TrainingReport.write(
                of: work, title: "loam train \(kind.rawValue)",
                settings: training.told(
                    options,
                    [
                        ("kind", kind.rawValue), ("data", data.joined(separator: ", ")),
                        ("model", model ?? preset.rawValue),
                    ]),
                to: URL(filePath: out).appending(path: "report.html"))
        }
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
                    "\(file): \(content.dialogues.count) dialogues, \(content.rejected) rejected, "
                        + "\(content.skippedCount) skipped, \(content.withheld) without consent"
                )
                dialogues += content.dialogues
            }
            let task = PretrainingTask(
                preset: preset, vocabularySize: vocabulary, contextLength: context, rowsPerStep: rows,
                training: options, seed: seed)
            let outcome = try task.run(
                dialogues, to: URL(filePath: out), sources: data.map { URL(filePath: $0).lastPathComponent },
                device: device, group: group, peak: ComputePeak.measure(options.compute, device: device),
                onStep: show)
            try report()
            guard group.isFirst else { return }
            try console.result(
                Answer(
                    steps: outcome.training.steps, loss: outcome.training.last?.loss,
                    tokensPerSecond: outcome.training.tokensPerSecond, heldOutPerplexity: outcome.heldOutPerplexity,
                    heldOutBitsPerByte: outcome.heldOutBitsPerByte, model: out))
            console.show(
                "\(outcome.parameterCount) parameters, \(outcome.tokens) tokens of \(outcome.dialogues) dialogues; held-out perplexity "
                    + (outcome.heldOutPerplexity.map { String(format: "%.2f", $0) } ?? "not measured")
                    + (outcome.heldOutBitsPerByte.map { String(format: ", %.3f bits per byte", $0) } ?? ""))
            return
        }
        switch kind {
        case .pretrain: break
        case .reward: try await reward(options)
        case .safety: try await safety()
        case .modules:
            guard let model else { throw ValidationError("--model is needed for modules") }
            let outcome = try await ModuleTraining(
                style: teaching.promptStyle, modules: try teaching.modules, perModule: teaching.perModule,
                settings: methods.settings(perStep: rows), options: options, device: device,
                run: self.training.run(in: group)
            ).run(
                data.map { URL(filePath: $0) }, model: URL(filePath: model), to: URL(filePath: out), now: Date(),
                onProgress: { console.say($0) }, onStep: show)
            try report()
            guard group.isFirst else { return }
            try console.result(outcome.taught)
            for (reason, count) in outcome.training.skipped.sorted(by: { $0.key < $1.key }) {
                console.show("left out: \(count) \(reason.replacingOccurrences(of: "_", with: " "))")
            }
            console.show(outcome.taught.table)
            console.show("\(outcome.training.summary.steps) steps; the model is in \(out)")
        case .sft, .cringe, .maskedCringe, .pairwiseCringe, .unlikelihood, .director, .dpo, .kto:
            guard let model, let method = kind.method else {
                throw ValidationError("--model is needed for \(kind.rawValue)")
            }
            let outcome = try MethodTraining(
                method, settings: methods.settings(perStep: rows), options: options, device: device,
                run: training.run(in: group)
            ).run(
                data.map { URL(filePath: $0) }, model: URL(filePath: model), to: URL(filePath: out), now: Date(),
                onProgress: { console.say($0) }, onStep: show)
            let summary = outcome.summary
            try report()
            guard group.isFirst else { return }
            try console.result(
                Answer(
                    steps: summary.steps, loss: summary.last?.loss, tokensPerSecond: summary.tokensPerSecond,
                    heldOutPerplexity: nil, heldOutBitsPerByte: nil, model: out))
            for (reason, count) in outcome.skipped.sorted(by: { $0.key < $1.key }) {
                console.show("left out: \(count) \(reason.replacingOccurrences(of: "_", with: " "))")
            }
            console.show("\(summary.steps) steps; the model is in \(out)")
        }
    }

    private var usualRate: Double {
        switch kind {
        case .pretrain: 1e-3
        case .dpo, .kto: 1e-4
        default: 3e-4
        }
    }

    private struct Told: Encodable {
        var outcome: String
        var model: String
    }

    private func reward(_ options: TrainingOptions) async throws {
        let encoder = URL(filePath: places.encoderFolder)
        let outcome = try await RewardTraining(
            shape, options: options, perStep: rows, encoder: encoder, usesNextMessage: nextMessage
        ).run(
            data.map { URL(filePath: $0) }, model: model.map { URL(filePath: $0) }, to: URL(filePath: out),
            now: Date(),
            makeEncoder: { try SentenceEncoder(folder: encoder, dtype: Device.cpu.matrixType) },
            onProgress: { common.console.say($0) })
        try common.console.result(Told(outcome: outcome, model: out))
        common.console.show("\(outcome); the reward model is in \(out)")
    }

    private func safety() async throws {
        let (files, folder) = (data.map { URL(filePath: $0) }, URL(filePath: out))
        let encoder = URL(filePath: places.encoderFolder)
        let outcome: String
        switch shape {
        case .encoder:
            outcome = try await SafetyTraining().tune(
                files, encoder: encoder, to: folder, training: TunedSafetyTraining(members: members, seed: seed),
                mentions: PlainMentions(names: Lexicon().givenNames), onProgress: { common.console.say($0) })
        case .frozen:
            outcome = try await SafetyTraining().run(
                files, encoder: SentenceEncoder(folder: encoder, dtype: Device.cpu.matrixType), to: folder)
        case .pairwise, .binary: throw ValidationError("safety is of --shape encoder or frozen")
        }
        try common.console.result(Told(outcome: outcome, model: out))
        common.console.show("\(outcome); the classifier is in \(out)")
    }
}

extension ModelPreset: ExpressibleByArgument {}
extension RewardTraining.Shape: ExpressibleByArgument {}
