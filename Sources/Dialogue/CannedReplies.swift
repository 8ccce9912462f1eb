/// What the bot says where no reply of the model can be sent.
public struct CannedReplies: Sendable, Hashable {
    /// To an unsafe message, when the safety check has no words of its own.
    public var toUnsafePerson: String
    /// In place of an unsafe reply, when the safety check has no words of its own.
    public var forUnsafeReply: String
    /// When the model had nothing to say.
    public var forNoReply: String

    public init(
        toUnsafePerson: String = "I would rather not talk about that. Shall we talk about something else?",
        forUnsafeReply: String = "I had no good answer to that. Shall we talk about something else?",
        forNoReply: String = "Sorry, I could not come up with a reply. Could you say that another way?"
    ) {
        self.toUnsafePerson = toUnsafePerson
        self.forUnsafeReply = forUnsafeReply
        self.forNoReply = forNoReply
    }
}
