import Conversations
import Foundation
import Statistics
import Torch

/// Tunes the upper layers of a sentence encoder to tell unsafe text on both sides of a turn.
public struct TunedSafetyTraining: Sendable {
    /// A text that somebody judged.
    public struct Text: Sendable, Hashable {
        public var context: [Turn]
        public var text: String
        public var side: Sender
        public var isUnsafe: Bool
        /// How much it counts in training.
        public var weight: Double
        /// The kind of harm that it was judged for, safe or not, where that is known.
        public var judgedFor: String?

        public init(
            context: [Turn] = [], text: String, side: Sender, isUnsafe: Bool, weight: Double = 1,
            judgedFor: String? = nil
        ) {
            self.context = context
            self.text = text
            self.side = side
            self.isUnsafe = isUnsafe
            self.weight = weight
            self.judgedFor = judgedFor
        }
    }

    public var tuning: EncoderRewardTraining
    /// Trainings, each with a seed of its own, whose weights are averaged.
    public var members: Int
    /// Share of ordinary texts that may score unsafe at the threshold.
    public var falseAlarms: Double
    /// Tokens of a text with its context, and of the text alone.
    public var maximumLength = 96
    public var textLength = 56

    public init(falseAlarms: Double = 0.01, members: Int = 1, seed: UInt64 = 0) {
        tuning = EncoderRewardTraining()
        tuning.epochs = 3
        // There are thousands of texts, and only the upper layers are kept: no probe to begin from.
        tuning.usesPrior = false
        tuning.layerDecay = 0.9
        tuning.headLearningRate = 2e-3
        tuning.frozenLayers = 1
        tuning.heldShare = 0.1
        tuning.seed = seed
        self.falseAlarms = falseAlarms
        self.members = members
    }

    /// - Parameters:
    ///   - texts: both sides, both classes.
    ///   - ordinary: texts of ordinary talk that are not learned: they set the thresholds.
    ///   - folder: where finished members are kept, so that a training that was cut off goes on; `nil` keeps none.
    ///   - onPass: called after each pass of one member alone with its number and the log loss of the texts kept back.
    /// - Throws: `TrainingError` when a class is missing on a side, or the folder's members are of other texts.
    public func train(
        _ texts: [Text], ordinary: [Text], encoder: URL, trainedOn: [String], device: Device = .cpu,
        keepingMembersIn folder: URL? = nil, onStep: (Int, Int) throws -> Void = { _, _ in },
        onPass: (Int, Double) throws -> Void = { _, _ in }
    ) async throws -> TunedSafetyModel {
        for side in [Sender.human, .bot] {
            let own = texts.filter { $0.side == side }
            guard own.contains(where: \.isUnsafe), own.contains(where: { !$0.isUnsafe }) else {
                throw TrainingError(
                    .data, "there are no safe, or no unsafe, texts of the \(side == .bot ? "bot's" : "person's") side")
            }
        }
        var shape = EncoderRewardModel.Shape()
        shape.contextTurns = 1
        shape.maximumLength = maximumLength
        shape.replyLength = textLength
        let examples = texts.enumerated().map { place, text in
            let input = TunedSafetyModel.input(text.context, text.text, text.side)
            return RewardExample(
                context: input.context, reply: input.reply, isGood: !text.isUnsafe, weight: text.weight,
                userID: "\(place)", judgedFor: text.judgedFor)
        }
        let tuned =
            members == 1
            ? try tuning.train(
                examples, encoder: encoder, shape: shape, device: device, onStep: onStep, onPass: onPass
            ).model
            : try SafetyEnsemble(tuning: tuning, members: members, folder: folder, trainedOn: trainedOn).average(
                examples, encoder: encoder, shape: shape, device: device, onStep: onStep)
        // The reward model's own scaling is of both sides together; each side keeps it, and gets its own threshold.
        let scaling = TunedSafetyModel.Side(slope: tuned.shape.slope, offset: -tuned.shape.offset, threshold: 0.5)
        var card = TunedSafetyModel.Card(shape: tuned.shape, person: scaling, reply: scaling, trainedOn: trainedOn)
        let model = TunedSafetyModel(tuned, card: card)
        func threshold(_ side: Sender) async throws -> Double {
            let own = ordinary.filter { $0.side == side }
            guard !own.isEmpty else { return 0.5 }
            let scores = try await model.probabilities(of: own.map { ($0.context, $0.text) }, saidBy: side)
            let sorted = scores.sorted(by: >)
            // Just above the first score that must pass.
            return min(1, max(0.5, sorted[min(sorted.count - 1, Int(Double(sorted.count) * falseAlarms))].nextUp))
        }
        card.person.threshold = try await threshold(.human)
        card.reply.threshold = try await threshold(.bot)
        return TunedSafetyModel(tuned, card: card)
    }
}
