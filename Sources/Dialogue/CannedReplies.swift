/// What the bot says where no reply of the model can be sent.
public struct CannedReplies: Sendable, Hashable {
    /// To an unsafe message, when the safety check has no words of its own.
    public var toUnsafePerson: String
    /// In place of an unsafe reply, when the safety check has no words of its own.
    public var forUnsafeReply: String
    /// When the model had nothing to say.
    public var forNoReply: String
    /// To a complaint about a reply: it says sorry, changes course and asks what would have been better. Several, so that
    /// the bot does not repeat itself.
    public var toComplaints: [String]
    /// To the answer: what the person says next is a new start.
    public var toFeedback: String

    public init(
        toUnsafePerson: String = "I would rather not talk about that. Shall we talk about something else?",
        forUnsafeReply: String = "I had no good answer to that. Shall we talk about something else?",
        forNoReply: String = "Sorry, I could not come up with a reply. Could you say that another way?",
        toComplaints: [String] = [
            "I'm sorry, that was not a good answer. What would have been better?",
            "You are right, I should not have said that. What should I have said instead?",
            "Sorry about that, I got it wrong. What would you have liked me to say?",
        ],
        toFeedback: String = "Thank you, that helps me to do better. What shall we talk about?"
    ) {
        self.toUnsafePerson = toUnsafePerson
        self.forUnsafeReply = forUnsafeReply
        self.forNoReply = forNoReply
        self.toComplaints = toComplaints
        self.toFeedback = toFeedback
    }

    func toComplaint(seed: UInt64) -> String {
        toComplaints.isEmpty ? forUnsafeReply : toComplaints[Int(seed % UInt64(toComplaints.count))]
    }
}
