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

    public init(context: [Turn], reply: String, label: Label = .unlabelled, weight: Double = 1) {
        self.context = context
        self.reply = reply
        self.label = label
        self.weight = weight
    }
}
