import Foundation

/// What a method found: whom to believe how much, and what the items most likely are. Weights, never bans.
public struct TrustReport: Sendable, Hashable, Codable {
    /// Name of the method.
    public var method: String
    /// One entry per person, in the table's order.
    public var users: [UserTrust]
    /// One entry per current vote, in the table's order.
    public var votes: [VoteWeight]
    /// One entry per item, in the table's order.
    public var items: [ItemLabel]
    /// What a reader must know: what was left out, what could not be done and why.
    public var notes: [String]
    /// What to learn from each vote, in the table's order, where the method says it apart from weight and probability.
    public var targets: [TrainingTarget]?
    /// Per vote, in the table's order, the chance of "up" by everything but that vote, where the method says it.
    public var foretold: [Double]?

    public init(
        method: String, users: [UserTrust], votes: [VoteWeight], items: [ItemLabel], notes: [String] = [],
        targets: [TrainingTarget]? = nil, foretold: [Double]? = nil
    ) {
        self.method = method
        self.users = users
        self.votes = votes
        self.items = items
        self.notes = notes
        self.targets = targets
        self.foretold = foretold
    }

    /// What a classifier should learn from each vote: what the method says, else the vote as given with its weight.
    public var trainingTargets: [TrainingTarget] {
        targets ?? votes.map { TrainingTarget(label: $0.isUp ? 1 : 0, weight: $0.weight) }
    }

    /// Trust by person.
    public var trustByUser: [String: Double] {
        Dictionary(users.map { ($0.user, $0.trust) }, uniquingKeysWith: { first, _ in first })
    }
    /// People with a flag.
    public var flagged: [UserTrust] { users.filter { !$0.flags.isEmpty } }
}

/// How far one person's votes are to be believed.
public struct UserTrust: Sendable, Hashable, Codable {
    public var user: String
    /// From 0 (their votes say nothing, or the contrary) to 1.
    public var trust: Double
    /// Number of current votes.
    public var votes: Int
    /// Share of their votes that what the method learned from others agrees with; `nil` where nobody else says anything.
    public var agreement: Double?
    /// Probability of each kind of voter, where the method tells kinds.
    public var types: [TypeProbability]
    /// Why not to rely on them, in plain words; empty for most.
    public var flags: [TrustFlag]

    public init(
        user: String, trust: Double, votes: Int, agreement: Double?, types: [TypeProbability] = [],
        flags: [TrustFlag] = []
    ) {
        self.user = user
        self.trust = trust
        self.votes = votes
        self.agreement = agreement
        self.types = types
        self.flags = flags
    }
}

/// How probable it is that a person is one kind of voter.
public struct TypeProbability: Sendable, Hashable, Codable {
    public var type: VoterType
    public var probability: Double

    public init(type: VoterType, probability: Double) {
        self.type = type
        self.probability = probability
    }
}

/// Kinds of voters.
public enum VoterType: String, Sendable, Hashable, Codable, CaseIterable {
    /// Says mostly what is so.
    case helper
    /// Says mostly the contrary.
    case inverse
    /// Votes without looking.
    case random
    case alwaysUp = "always_up"
    case alwaysDown = "always_down"
}

/// A reason for not relying on somebody's votes.
public struct TrustFlag: Sendable, Hashable, Codable {
    /// Stable word for machines.
    public var kind: FlagKind
    /// One sentence for people, with figures.
    public var reason: String

    public init(kind: FlagKind, reason: String) {
        self.kind = kind
        self.reason = reason
    }
}

/// What to learn from one vote.
public struct TrainingTarget: Sendable, Hashable, Codable {
    /// The probability of "good" to learn, 0 … 1.
    public var label: Double
    /// How much it counts, 0 … 1.
    public var weight: Double

    public init(label: Double, weight: Double) {
        self.label = label
        self.weight = weight
    }
}

/// What one vote is worth.
public struct VoteWeight: Sendable, Hashable, Codable {
    public var user: String
    public var item: String
    /// The vote as given.
    public var isUp: Bool
    /// Weight for the vote as given, 0 … 1: learn from (item, vote) with this weight, or from `probability` as a soft label.
    public var weight: Double
    /// Probability that the item is good, from all votes and the content.
    public var probability: Double

    public init(user: String, item: String, isUp: Bool, weight: Double, probability: Double) {
        self.user = user
        self.item = item
        self.isUp = isUp
        self.weight = weight
        self.probability = probability
    }

    enum CodingKeys: String, CodingKey {
        case user, item, weight, probability
        case isUp = "is_up"
    }
}

/// What an item most likely is.
public struct ItemLabel: Sendable, Hashable, Codable {
    public var item: String
    /// Probability that it is good.
    public var probability: Double
    /// How much the label says: 0 at even odds, 1 when certain.
    public var weight: Double { abs(2 * probability - 1) }
    /// Whether good is the likelier; even odds count as good.
    public var isGood: Bool { probability >= 0.5 }

    public init(item: String, probability: Double) {
        self.item = item
        self.probability = probability
    }
}
