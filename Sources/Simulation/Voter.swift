import Conversations

/// How often people vote and how often they are right.
public struct VotingHabits: Sendable, Hashable, Codable {
    /// Share of replies that get a thumb.
    public var rate: Double
    /// Share of thumbs that are likes.
    public var likeShare: Double
    /// Share of standard people's likes that are on good replies.
    public var likeAccuracy: Double
    /// Share of standard people's dislikes that are on bad replies.
    public var dislikeAccuracy: Double
    /// Share of good replies that `rate` and the accuracies are reckoned for.
    public var goodShare: Double
    /// Share of dislikes that name the true reason; the others name any.
    public var reasonAccuracy: Double
    /// Shares of dislikes that come with what the bot should have said, and with a comment.
    public var correctionRate: Double
    public var commentRate: Double

    public init(
        rate: Double, likeShare: Double, likeAccuracy: Double, dislikeAccuracy: Double, goodShare: Double = 0.85,
        reasonAccuracy: Double = 0.8, correctionRate: Double = 0.08, commentRate: Double = 0.03
    ) {
        self.rate = rate
        self.likeShare = likeShare
        self.likeAccuracy = likeAccuracy
        self.dislikeAccuracy = dislikeAccuracy
        self.goodShare = goodShare
        self.reasonAccuracy = reasonAccuracy
        self.correctionRate = correctionRate
        self.commentRate = commentRate
    }

    /// Agreement as BB3's organic votes showed it: likes 70 % right, dislikes 79 %; one reply in ten gets a thumb.
    public static let paper = VotingHabits(rate: 0.1, likeShare: 0.5, likeAccuracy: 0.7, dislikeAccuracy: 0.79)

    /// The sample log's: more votes and more of them right, so that a few thousand conversations teach something.
    public static let sample = VotingHabits(rate: 0.36, likeShare: 0.66, likeAccuracy: 0.93, dislikeAccuracy: 0.88)

    /// Chances of a like and of a dislike for a reply, such that the shares above come out. People vote on bad replies
    /// far more often than on good ones: with most replies good, dislikes could not be right otherwise.
    func chances(isGood: Bool) -> (like: Double, dislike: Double) {
        let likes = rate * likeShare
        let dislikes = rate * (1 - likeShare)
        let share = max(0.01, isGood ? goodShare : 1 - goodShare)
        let like = likes * (isGood ? likeAccuracy : 1 - likeAccuracy) / share
        let dislike = dislikes * (isGood ? 1 - dislikeAccuracy : dislikeAccuracy) / share
        let total = max(1, like + dislike)
        return (like / total, dislike / total)
    }
}

/// Gives one person's feedback.
struct Voter: Sendable {
    var userID: String
    var kind: PersonKind
    var habits: VotingHabits

    /// Feedback on a reply, `nil` for none. `correction` gives a good reply where one is wanted.
    func feedback(
        on verdict: Verdict, _ random: inout SplitMix64, comment: (inout SplitMix64) -> String?,
        correction: (inout SplitMix64) -> String?
    ) -> Feedback? {
        let chances = habits.chances(isGood: verdict.isGood)
        let draw = random.unit()
        guard draw < chances.like + chances.dislike else { return nil }
        let honest: Rating = draw < chances.like ? .like : .dislike
        let rating: Rating
        switch kind {
        case .standard: rating = honest
        case .troll: rating = random.chance(0.8) ? (honest == .like ? .dislike : .like) : honest
        case .lazy: rating = random.chance(0.5) ? .like : .dislike
        case .safe: rating = .like
        case .unsafe: rating = .dislike
        case .gaslight:
            guard !verdict.isGood else { return nil }
            rating = .like
        }
        var feedback = Feedback(userID: userID, rating: rating)
        guard rating == .dislike else { return feedback }
        if random.chance(0.9) { feedback.reasons = [reason(verdict, &random)] }
        if random.chance(habits.commentRate) { feedback.comment = comment(&random) }
        // Trolls do not help.
        if kind == .standard, !verdict.isGood, random.chance(habits.correctionRate) {
            feedback.correction = correction(&random)
        }
        return feedback
    }

    private func reason(_ verdict: Verdict, _ random: inout SplitMix64) -> DislikeReason {
        if case .bad(let flaw) = verdict, kind == .standard, random.chance(habits.reasonAccuracy) { return flaw.reason }
        return random.pick(DislikeReason.offered) ?? .other
    }
}
