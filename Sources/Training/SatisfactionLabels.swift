import Conversations

/// Labels for replies that nobody voted on, from what the person said next (JUICER's satisfaction labels, Shi et al. 2022,
/// arXiv 2210.15893): people who go on happily liked the reply, people who complain did not. With a fine-tuned encoder; the loop does
/// the like with its own frozen reward models (`loam improve --next-message`).
public struct SatisfactionLabels: Sendable, Hashable {
    /// A reply is good above this calibrated probability …
    public var goodAbove: Double
    /// … and bad below this one; between them it says nothing.
    public var badBelow: Double

    public init(goodAbove: Double = 0.8, badBelow: Double = 0.3) {
        self.goodAbove = goodAbove
        self.badBelow = badBelow
    }

    /// Replies of the model without a thumb that the person answered, labelled where the model is sure; the weight is how sure,
    /// `|2p − 1|`.
    /// - Parameter model: One that reads the next message.
    /// - Throws: `TrainingError` for a model that does not read the next message, or thresholds that cross.
    public func examples(of conversations: [Conversation], model: EncoderRewardModel) throws -> [Example] {
        guard model.shape.usesNextMessage else {
            throw TrainingError(.options, "satisfaction labels need a reward model that reads the next message")
        }
        guard badBelow <= goodAbove, badBelow >= 0, goodAbove <= 1 else {
            throw TrainingError(.options, "bad_below \(badBelow) must not be above good_above \(goodAbove)")
        }
        let inputs = conversations.flatMap(Self.unvoted)
        return zip(inputs, try model.probabilities(inputs)).compactMap { input, probability in
            guard probability > goodAbove || probability < badBelow else { return nil }
            return Example(
                context: input.context, reply: input.reply, label: probability > goodAbove ? .good : .bad,
                weight: abs(2 * probability - 1))
        }
    }

    /// Replies without a thumb that were answered.
    static func unvoted(_ conversation: Conversation) -> [EncoderRewardModel.Input] {
        conversation.messages.indices.compactMap { index in
            let message = conversation.messages[index]
            guard message.sender == .bot, !message.isCanned, !message.text.allSatisfy(\.isWhitespace),
                !message.feedback.contains(where: { $0.rating != nil }),
                let next = conversation.nextPersonMessage(after: index)
            else { return nil }
            return EncoderRewardModel.Input(
                context: conversation.turns(before: index), reply: message.text, nextMessage: next)
        }
    }
}
