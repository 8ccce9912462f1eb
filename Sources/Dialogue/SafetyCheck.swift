import Conversations
import Safety

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

    /// Whether the person speaks of hurting themselves: they get help whatever else is going on.
    public var needsHelp: Bool { decisions.contains { $0.isUnsafe && $0.category == SafetyPipeline.selfHarm } }

    /// Which layers object, and to what: for the record.
    public var reason: String {
        let objections = decisions.filter(\.isUnsafe).map { decision in
            decision.category.map { "\(decision.layer) (\($0))" } ?? decision.layer
        }
        return objections.isEmpty ? "judged unsafe" : objections.joined(separator: ", ")
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
    /// - Parameter text: what is about to leave the conversation: to become a memory, or a query for a search engine. By
    ///   default it is judged as a person's words without context.
    func check(leaving text: String) async throws -> SafetyOutcome
}

extension SafetyCheck {
    public func check(leaving text: String) async throws -> SafetyOutcome { try await check(person: text, context: []) }
}

/// Finds what identifies a person: what is found may not be remembered, nor sent to a search engine.
public protocol PrivacyCheck: Sendable {
    /// What was found, by kind (`EMAIL_ADDRESS`); never the text itself.
    func identifiers(in text: String) -> [String]
}
