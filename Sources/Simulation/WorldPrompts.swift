import Conversations

/// The prompts that models are judged by in this world: the same for every model, run and seed, so that what differs is what was
/// learnt. Those of seeds 102 and 103 were looked at while the recipe was made (RESULTS.md, "Why the later rounds bring little"), so
/// these are of other seeds.
public enum WorldPrompts: String, Codable, CaseIterable, Sendable {
    /// What was looked at while the recipe was made: seen things, histories of the validation split.
    case validation
    /// Seen things, histories of the test split.
    case test
    /// Things and names that no log speaks of.
    case heldOut = "held-out topics"

    /// - Returns: Histories that end with a person's turn; at most `count`.
    public func histories(of world: World, count: Int) -> [[Turn]] {
        switch self {
        case .validation: world.prompts(split: .validation, count: count, seed: 101)
        case .test: world.prompts(split: .test, count: count, seed: 202, heldOut: false)
        case .heldOut: world.prompts(split: .test, count: count, seed: 203, heldOut: true)
        }
    }
}
