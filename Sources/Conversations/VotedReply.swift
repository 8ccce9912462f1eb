/// A reply of the bot that a person gave feedback on, with what came before it: what trust, the reward model and training
/// learn from.
public struct VotedReply: Sendable, Hashable {
    public var conversationID: String
    public var messageID: String
    /// Who voted.
    public var userID: String
    /// The turns before the reply, oldest first, without feedback turns.
    public var context: [Turn]
    public var reply: String
    /// The thumb; `nil` when there is only text or a reason.
    public var rating: Rating?
    public var reasons: [DislikeReason]
    /// Free text about the reply.
    public var comment: String?
    /// What the bot should have said.
    public var correction: String?
    /// Place of the message in its conversation, from 0.
    public var index: Int

    public init(
        conversationID: String, messageID: String, userID: String, context: [Turn], reply: String,
        rating: Rating? = nil, reasons: [DislikeReason] = [], comment: String? = nil, correction: String? = nil,
        index: Int
    ) {
        self.conversationID = conversationID
        self.messageID = messageID
        self.userID = userID
        self.context = context
        self.reply = reply
        self.rating = rating
        self.reasons = reasons
        self.comment = comment
        self.correction = correction
        self.index = index
    }
}

extension Message {
    /// A reply that no model wrote: given by a safety measure, because the model failed, to ask about another reply, or to thank
    /// for what was said of one. A thumb on it says nothing of the model.
    public var isCanned: Bool {
        isSafetyControlled || asksAbout != nil || extra["from_model_crash"] == .bool(true)
            || extra["is_canned"] == .bool(true)
    }
}

extension Conversation {
    /// Every feedback on a reply of the model, in order of the messages: one per (user, message). Canned replies and empty
    /// ones are left out.
    public var votedReplies: [VotedReply] {
        guard messages.contains(where: { !$0.feedback.isEmpty }) else { return [] }
        let places = places
        var result: [VotedReply] = []
        for (index, message) in messages.enumerated()
        where message.sender == .bot && !message.isCanned && !message.text.isEmpty && !message.feedback.isEmpty {
            let context = path(before: index, places)
            for feedback in message.feedback {
                result.append(
                    VotedReply(
                        conversationID: id, messageID: message.id, userID: feedback.userID, context: context,
                        reply: message.text, rating: feedback.rating, reasons: feedback.reasons,
                        comment: feedback.comment, correction: feedback.correction, index: index))
            }
        }
        return result
    }

    /// The turns that led to the message at a place, oldest first: along `parentID` where it is given and else the message
    /// before, so that of several regenerated replies only the one that was answered counts. Feedback turns and empty
    /// messages are left out. Beyond the last message: all turns so far.
    public func turns(before index: Int) -> [Turn] {
        path(before: index, places)
    }

    private var places: [String: Int] {
        guard messages.contains(where: { $0.parentID != nil }) else { return [:] }
        return Dictionary(messages.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func path(before index: Int, _ places: [String: Int]) -> [Turn] {
        path(to: index, places).compactMap { at in
            let message = messages[at]
            return message.isDislikeFeedback || message.text.isEmpty ? nil : Turn(message.sender, message.text)
        }
    }

    /// Places of the messages that led to the one at a place, oldest first.
    func path(to index: Int, _ places: [String: Int]? = nil) -> [Int] {
        let places = places ?? self.places
        var path: [Int] = []
        var at = min(index, messages.count)
        while let previous = parent(of: at, places) {
            at = previous
            path.append(at)
        }
        return path.reversed()
    }

    /// The place that each message answers.
    var parents: [Int?] {
        let places = places
        return messages.indices.map { parent(of: $0, places) }
    }

    /// The place of the message that the one at `index` answers; always an earlier one, whatever the ids say.
    private func parent(of index: Int, _ places: [String: Int]) -> Int? {
        if messages.indices.contains(index), let id = messages[index].parentID, let place = places[id], place < index {
            return place
        }
        return index > 0 ? index - 1 : nil
    }
}
