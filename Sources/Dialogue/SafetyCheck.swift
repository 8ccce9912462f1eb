import Conversations

/// What the safety layers say of one text.
public struct SafetyOutcome: Sendable, Hashable {
    /// The verdict of each layer that was asked.
    public var decisions: [SafetyDecision]
    /// Whether the text must not be answered, or not be sent.
    public var isUnsafe: Bool
    /// What to say instead, where a layer knows better than the agent's own words.
    public var cannedReply: String?

    public init(decisions: [SafetyDecision] = [], isUnsafe: Bool = false, cannedReply: String? = nil) {
        self.decisions = decisions
        self.isUnsafe = isUnsafe
        self.cannedReply = cannedReply
    }
}

/// Looks at both sides of a turn: at what the person said before it is answered, at the reply before it is sent.
public protocol SafetyCheck: Sendable {
    /// - Parameters:
    ///   - text: what the person said last.
    ///   - context: the turns before it, oldest first.
    func check(person text: String, context: [Turn]) async throws -> SafetyOutcome
    /// - Parameters:
    ///   - text: what the bot is about to say.
    ///   - context: the turns before it, oldest first; the last is what it answers.
    func check(reply text: String, context: [Turn]) async throws -> SafetyOutcome
}
