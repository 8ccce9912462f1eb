import Conversations

/// One reply in its context with what people (or a reward model) think of it: the unit that every method learns from.
public struct Example: Sendable, Hashable, Codable {
    /// What is known of the reply's quality.
    public enum Label: String, Sendable, Hashable, Codable, CaseIterable {
        /// Liked, or scored good: to be made more likely.
        case good
        /// Disliked, or scored bad: to be made less likely.
        case bad
        /// Plain dialogue without a verdict: modelled as it is.
        case unlabelled
    }

    /// The turns before the reply, oldest first.
    public var context: [Turn]
    /// What the bot said.
    public var reply: String
    public var label: Label
    /// How much it counts, 0 or more; 1 is the usual. Trust in the voter goes here.
    public var weight: Double
    /// The prompt as plain text that the reply is joined to as it is, in place of turns (TRL's standard strings).
    public var plainPrompt: String?
    /// Of a bad reply: better ones to the same context (a correction, a liked reply). `ExampleTokenizer.overlap` says what is
    /// done with the tokens that they share with it.
    public var betterReplies: [String]?

    public init(
        context: [Turn], reply: String, label: Label = .unlabelled, weight: Double = 1, plainPrompt: String? = nil,
        betterReplies: [String]? = nil
    ) {
        self.context = context
        self.reply = reply
        self.label = label
        self.weight = weight
        self.plainPrompt = plainPrompt
        self.betterReplies = betterReplies
    }
}
