import Simulation

/// What the exact judge says of one arm's replies to one set of prompts.
struct ProofCell: Codable, Sendable {
    var arm: String
    var decoding: ProofArm.Decoding
    var prompts: WorldPrompts
    var verdicts: VerdictCounts

    var count: Int { verdicts.total }

    func share(_ verdict: Verdict) -> Double { verdicts.share(verdict) }
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
