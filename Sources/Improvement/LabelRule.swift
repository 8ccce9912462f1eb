import Conversations
import Training

/// What a reply is learnt as: by a trusted vote, or by the reward model where nobody voted.
struct LabelRule: Sendable {
    let settings: ImproveConfiguration.LabelSettings

    /// The reward model's view of a reply.
    struct Verdict: Sendable {
        /// Probability of good.
        var good: Double
        /// Probability that people would call it rude or inappropriate, given that it is bad.
        var rude: Double
    }

    /// What came of a reply.
    enum Outcome: Sendable, Equatable {
        case good(weight: Double)
        case bad(weight: Double)
        /// Not learnt from, and why.
        case dropped(String)
    }

    /// A reply with a trusted vote.
    ///
    /// One person's thumb is a noisy sign: the posterior of vote and content must point the same way, and the reward model, which
    /// learnt from everybody's votes, must not be sure of the opposite (confident learning, arXiv 1911.00068). Bad replies are the few:
    /// that one more probably bad than good was liked is wrong more often than right, while a dislike is believed up to `goodAbove`.
    func outcome(isUp: Bool, vote: WeighedVote, verdict: Verdict) -> Outcome {
        guard isUp == (vote.probability >= 0.5) else { return .dropped("vote and content disagree") }
        if settings.votesAlone == true { return isUp ? .good(weight: vote.weight) : .bad(weight: vote.weight) }
        guard isUp ? verdict.good >= 0.5 : verdict.good <= settings.goodAbove else {
            return .dropped("the reward model says the opposite")
        }
        guard isUp else { return .bad(weight: vote.weight) }
        return cautious(.good(weight: vote.weight), verdict)
    }

    /// A reply without one.
    func outcome(verdict: Verdict) -> Outcome {
        if verdict.good > settings.goodAbove { return cautious(.good(weight: verdict.good), verdict) }
        if verdict.good < settings.badBelow { return .bad(weight: 1 - verdict.good) }
        return .dropped("neither surely good nor surely bad")
    }

    /// Likes do not make rudeness good: those who provoke a bot like what they provoked, and are most of those who ever see it.
    private func cautious(_ outcome: Outcome, _ verdict: Verdict) -> Outcome {
        verdict.rude > (settings.rudeAbove ?? 1) ? .dropped("liked, but like what people call rude") : outcome
    }
}
