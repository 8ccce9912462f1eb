import Conversations

/// Two replies to one context, the better and the worse: what DPO, pairwise CRINGE and a Bradley–Terry reward model learn
/// from.
public struct PreferencePair: Sendable, Hashable, Codable {
    /// The turns before the replies, oldest first.
    public var context: [Turn]
    /// The prompt as plain text that the replies are joined to as they are, in place of turns (TRL's standard strings).
    public var plainPrompt: String?
    public var chosen: String
    public var rejected: String
    /// How much the pair counts, 0 or more; 1 is the usual.
    public var weight: Double
    /// By how much the chosen reply is better, where raters said; for reward models.
    public var margin: Double?

    public init(
        context: [Turn], plainPrompt: String? = nil, chosen: String, rejected: String, weight: Double = 1,
        margin: Double? = nil
    ) {
        self.context = context
        self.plainPrompt = plainPrompt
        self.chosen = chosen
        self.rejected = rejected
        self.weight = weight
        self.margin = margin
    }

    /// Both replies as examples: the chosen one good, the rejected one bad. That is only right when they are so in absolute
    /// terms, as a correction and the reply that it corrects are.
    public var examples: [Example] {
        [(chosen, Example.Label.good), (rejected, .bad)].map { reply, label in
            Example(context: context, reply: reply, label: label, weight: weight, plainPrompt: plainPrompt)
        }
    }
}
