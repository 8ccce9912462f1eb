/// What a flag is about: how somebody votes, or how they vote together with others. Raw values are stable words for machines.
public enum FlagKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Says mostly the contrary.
    case inverse
    /// Votes without looking.
    case random
    case alwaysUp = "always_up"
    case alwaysDown = "always_down"
    /// Gives one label to everything, where there are more than two.
    case alwaysSame = "always_same"
    /// Calls bad things good, and hardly votes on anything else.
    case gaslight
    /// Votes like others where everybody else does not.
    case group
    /// Votes faster than anybody reads.
    case burst
    /// Votes again and again on nearly the same text.
    case duplicateTexts = "duplicate_texts"
    /// Came with a flood of new accounts that vote alike.
    case flood

    /// The flag for a kind of voter; none for helpers.
    public init?(_ type: VoterType) { self.init(rawValue: type.rawValue) }
}
