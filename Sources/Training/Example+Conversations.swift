import Conversations

extension Example {
    /// A vote as an example: a like is good, a dislike bad. `nil` for feedback without a thumb.
    /// - Parameter weight: Trust in the vote.
    public init?(_ vote: VotedReply, weight: Double = 1) {
        guard let rating = vote.rating else { return nil }
        self.init(context: vote.context, reply: vote.reply, label: rating == .like ? .good : .bad, weight: weight)
    }
}

extension RewardExample {
    /// A vote as an example for the reward model. `nil` for feedback without a thumb.
    /// - Parameter weight: Trust in the vote.
    public init?(_ vote: VotedReply, weight: Double = 1) {
        guard let rating = vote.rating else { return nil }
        self.init(
            context: vote.context, reply: vote.reply, isGood: rating == .like, weight: weight, userID: vote.userID,
            reasons: vote.reasons)
    }

    /// The same as an example for training.
    public var example: Example {
        Example(context: context, reply: reply, label: isGood ? .good : .bad, weight: weight)
    }
}

extension Conversation {
    /// All turns in order, for pre-training; of regenerated replies the one that was answered, without feedback turns.
    ///
    /// Every turn of a dialogue is learned, so one ends before a reply that no model wrote, and another begins behind.
    public var dialogues: [[Turn]] {
        var pieces: [[Turn]] = [[]]
        for place in mainPath {
            let message = messages[place]
            if message.sender == .bot, message.isCanned {
                pieces.append([])
            } else if !message.isDislikeFeedback, !message.text.isEmpty {
                pieces[pieces.count - 1].append(Turn(message.sender, message.text))
            }
        }
        return pieces.filter { !$0.isEmpty }
    }
}
