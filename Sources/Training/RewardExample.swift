import Conversations

/// One vote on one reply: what a reward model learns from and is tested on.
public struct RewardExample: Sendable, Hashable {
    /// The turns before the reply, oldest first.
    public var context: [Turn]
    public var reply: String
    /// The thumb, or what trust made of it.
    public var isGood: Bool
    /// Trust in the vote, 0 or more.
    public var weight: Double
    /// Probability that `isGood` is wrong, as far as trust can tell; 0 where nothing is known of that.
    public var doubt: Double
    /// Who voted; folds and intervals go by it.
    public var userID: String
    /// Why not; empty for good replies and for dislikes without a reason.
    public var reasons: [DislikeReason]
    /// What the person said next, where they went on: it often tells more than the reply itself.
    public var nextMessage: String?
    /// What the reply was judged for (a data set's category, of good and bad replies alike), where that is known: an encoder that also
    /// learns to tell it tells good from bad in each.
    public var judgedFor: String?

    public init(
        context: [Turn], reply: String, isGood: Bool, weight: Double = 1, doubt: Double = 0, userID: String,
        reasons: [DislikeReason] = [], nextMessage: String? = nil, judgedFor: String? = nil
    ) {
        self.context = context
        self.reply = reply
        self.isGood = isGood
        self.weight = weight
        self.doubt = doubt
        self.userID = userID
        self.reasons = reasons
        self.nextMessage = nextMessage
        self.judgedFor = judgedFor
    }
}
