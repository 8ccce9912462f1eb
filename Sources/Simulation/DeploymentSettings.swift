import Conversations
import Foundation

/// A simulated deployment: who talks, how much, how they vote.
public struct DeploymentSettings: Sendable, Hashable {
    public var seed: UInt64
    /// Number of people.
    public var people: Int
    /// Each person has one to twice this less one conversations.
    public var conversationsPerPerson: Int
    /// Share of people who are adversarial.
    public var adversarialShare: Double
    /// The adversarial kinds and how frequent each is among them.
    public var adversarialKinds: [PersonKind: Double]
    /// Turns that a person takes in a conversation; at least one.
    public var turns: ClosedRange<Int>
    public var votes: VotingHabits
    /// Share of conversations in which the person gives away a personal detail.
    public var detailShare: Double
    /// Shares of conversations without consent and with consent to release.
    public var refusalShare: Double
    public var releaseShare: Double
    /// Share of conversations with one of the broken habits of real logs: an empty message, one sent twice, the
    /// whole conversation logged twice.
    public var brokenShare: Double
    /// When the first conversation begins.
    public var startedAt: Date
    /// What people speak of.
    public var vocabulary: World.Vocabulary
    /// Whether each reply names the model and sampling that made it.
    public var recordsGeneration: Bool
    /// How replies are drawn; its seed is not used.
    public var sampling: Sampling

    public init(
        seed: UInt64, people: Int = 600, conversationsPerPerson: Int = 5, adversarialShare: Double = 0.3,
        adversarialKinds: [PersonKind: Double] = [
            .troll: 0.4, .lazy: 0.15, .safe: 0.15, .unsafe: 0.15, .gaslight: 0.15,
        ],
        turns: ClosedRange<Int> = 3...5, votes: VotingHabits = .sample, detailShare: Double = 0.05,
        refusalShare: Double = 0.02, releaseShare: Double = 0.3, brokenShare: Double = 0.01,
        startedAt: Date = Date(timeIntervalSince1970: 1_767_225_600), vocabulary: World.Vocabulary = .seen,
        recordsGeneration: Bool = true, sampling: Sampling = Sampling(temperature: 1, topP: 0.95)
    ) {
        self.seed = seed
        self.people = people
        self.conversationsPerPerson = conversationsPerPerson
        self.adversarialShare = adversarialShare
        self.adversarialKinds = adversarialKinds
        self.turns = turns
        self.votes = votes
        self.detailShare = detailShare
        self.refusalShare = refusalShare
        self.releaseShare = releaseShare
        self.brokenShare = brokenShare
        self.startedAt = startedAt
        self.vocabulary = vocabulary
        self.recordsGeneration = recordsGeneration
        self.sampling = sampling
    }

    /// The log bundled in `Samples`: about 3,000 conversations of 600 people, no model named since none made it.
    public static let sample = DeploymentSettings(seed: 2026, recordsGeneration: false)
}
