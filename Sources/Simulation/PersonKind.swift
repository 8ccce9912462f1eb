/// How a simulated person votes. All but the first are adversarial: the user types of SafetyMix (`reference.md` 6.1).
public enum PersonKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Votes by the truth, with honest mistakes.
    case standard
    /// Turns four votes in five round.
    case troll
    /// Votes at random.
    case lazy
    /// Likes everything.
    case safe
    /// Dislikes everything.
    case unsafe
    /// Likes what is bad, and votes on nothing else.
    case gaslight

    public var isAdversarial: Bool { self != .standard }
}
