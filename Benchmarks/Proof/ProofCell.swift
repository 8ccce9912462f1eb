import Simulation

/// What the exact judge says of one arm's replies to one set of prompts.
struct ProofCell: Codable, Sendable {
    /// Prompts by what they ask of a model.
    enum Prompts: String, Codable, CaseIterable, Sendable {
        /// What was looked at while the recipe was made: seen things, histories of the validation split.
        case validation
        /// Seen things, histories of the test split.
        case test
        /// Things and names that no log speaks of.
        case heldOut = "held-out topics"
    }

    var arm: String
    var decoding: ProofArm.Decoding
    var prompts: Prompts
    /// Replies by verdict: `good` or the flaw's name.
    var verdicts: [String: Int]

    var count: Int { verdicts.values.reduce(0, +) }

    func share(_ verdict: Verdict) -> Double { Double(verdicts[verdict.name] ?? 0) / Double(max(count, 1)) }
}

/// One seed: other people, other votes, other draws.
struct ProofSeed: Codable, Sendable {
    var seed: UInt64
    var cells: [ProofCell]
    /// What the run was made with, where it is not the recipe: `trust none`, say.
    var variant: String?
    /// The round that the loop itself chose.
    var chosenRound: Int?
}
