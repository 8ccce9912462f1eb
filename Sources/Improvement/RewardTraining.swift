import Conversations
import Foundation
import Training

/// Learns a reward model: `loam train reward`.
public struct RewardTraining {
    /// What the model is made of.
    public enum Shape: String, Sendable, CaseIterable {
        /// A sentence encoder, fine-tuned end to end.
        case encoder
        /// A dialogue model with a `score` head on pairs.
        case pairwise
        /// A dialogue model with a `score` head on single replies.
        case binary
        /// A logistic head on frozen states of a dialogue model and on frozen sentence vectors.
        case frozen
    }

    public var shape: Shape
    public var options: TrainingOptions
    public var perStep: Int
    public var encoder: URL
    /// Whether the person's next message is read too (`encoder` only).
    public var usesNextMessage: Bool

    public init(
        _ shape: Shape, options: TrainingOptions, perStep: Int = 16, encoder: URL, usesNextMessage: Bool = false
    ) {
        self.shape = shape
        self.options = options
        self.perStep = perStep
        self.encoder = encoder
        self.usesNextMessage = usesNextMessage
    }

    /// What came of it, in a sentence.
    /// - Parameter now: The clock, asked once in a run's life: chat templates are told the day on which it began.
    public func run(
        _ files: [URL], model: URL?, to folder: URL, now: Date, makeEncoder: () throws -> any TextEncoder,
        onProgress: (String) -> Void
    ) async throws -> String {
        // A folder is opened as an encoder's wherever that file is.
        let other = folder.appending(path: "reward.json")
        guard shape == .encoder || !FileManager.default.fileExists(atPath: other.path) else {
            throw ImprovementError.model(
                folder.path,
                "holds a reward model of the shape encoder (\(other.lastPathComponent)) and would be read as one; "
                    + "choose another --out")
        }
        switch shape {
        case .pairwise, .binary:
            guard let model else { throw TrainingError(.options, "a \(shape.rawValue) reward model needs --model") }
            var data = try MethodTraining.data(files)
            if shape == .pairwise, data.pairs.isEmpty { data.pairs = data.pairedByContext() }
            let kind: ScoreLoss.Kind = shape == .pairwise ? .pairwise : .binary
            let made = try DecoderRewardTraining(kind: kind, perStep: perStep, options: options).run(
                data, base: model, to: folder, today: RunDay.of(folder.appending(path: "training"), now: now),
                origin: Self.origin(of: model),
                onStep: { step in
                    if step.step % 20 == 0 {
                        onProgress("step \(step.step) of \(options.steps), loss \(String(format: "%.3f", step.loss))")
                    }
                })
            return "\(made.summary.steps) steps, loss "
                + (made.summary.last.map { String(format: "%.3f", $0.loss) } ?? "–")
        case .encoder:
            var shape = EncoderRewardModel.Shape()
            shape.usesNextMessage = usesNextMessage
            var training = EncoderRewardTraining()
            training.seed = options.seed
            let votes = try Self.votes(files)
            let outcome = try training.train(
                votes, encoder: encoder, shape: shape,
                onStep: { if $0 % 20 == 0 { onProgress("step \($0) of \($1)") } })
            try outcome.model.save(to: folder, like: encoder)
            return "\(votes.count) votes, \(outcome.epochs) passes, log loss of kept-back people "
                + outcome.losses.map { String(format: "%.3f", $0) }.joined(separator: ", ")
        case .frozen:
            let votes = try Self.votes(files)
            let today = try RunDay.of(folder, now: now)
            let states = try model.map { try ModelBench($0, today: today).states(votes.map { ($0.context, $0.reply) }) }
            var settings = RewardModel.Options()
            settings.seed = options.seed
            let made = try await RewardModel.train(
                votes, encoder: makeEncoder(), encoderName: encoder.lastPathComponent, extra: states, options: settings)
            try made.save(to: folder)
            // Whose states it reads: without that nobody could open it.
            if let model {
                try RunFolder.write(
                    StatefulReward.Source(of: model.path), to: folder.appending(path: StatefulReward.Source.file))
            }
            return "\(votes.count) votes, out-of-fold AUC " + String(format: "%.3f", made.training.outOfFoldAUC)
        }
    }

    /// What a run's checkpoints are begun with and do not hold themselves: the base model's weights, as `MethodTraining` has it.
    /// `nil` where there are none: what is wrong with such a folder is said when it is loaded.
    private static func origin(of model: URL) throws -> String? {
        try Fingerprint.of(weights: model).map { "model \($0.prefix(16))" }
    }

    /// Thumbs of logs and labels of training files; each line of a file counts as a person of its own.
    private static func votes(_ files: [URL]) throws -> [RewardExample] {
        var votes: [RewardExample] = []
        for file in files {
            guard try LearnableLog.isLog(file) else {
                votes += try TrainingFile(file).read().labelled.enumerated().map { index, one in
                    RewardExample(
                        context: one.item.context + (one.item.plainPrompt.map { [Turn(.human, $0)] } ?? []),
                        reply: one.item.reply, isGood: one.item.label == .good, weight: one.item.weight,
                        userID: "\(file.lastPathComponent):\(one.line ?? index)")
                }
                continue
            }
            let log = try LearnableLog(file)
            while let event = try log.next() {
                guard case .conversation(let conversation) = event else { continue }
                votes += conversation.rewardExamples()
            }
        }
        return votes
    }
}
