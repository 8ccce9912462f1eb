import Conversations
import Training

/// What a reply is learnt as: by a trusted vote, or by the reward model where nobody voted.
struct LabelRule: Sendable {
    let settings: ImproveConfiguration.LabelSettings

    /// The reward model's view of a reply.
    struct Verdict: Sendable {
        /// Probability of good.
        var good: Double
        /// How many times the odds of other bad replies people would call it rude or inappropriate, were it bad: of what is rude few
        /// replies are, and few who see it say so, so that no probability of it is ever high.
        var rude: Double

        init(good: Double, rude: Double) { (self.good, self.rude) = (good, rude) }

        init(_ read: (good: Double, reasons: [DislikeReason: Double]), of model: RewardModel) {
            let share = model.reasons.first { $0.reason == .inappropriate }?.share
            let named = read.reasons[.inappropriate]
            self.init(good: read.good, rude: Self.odds(named ?? 0) / Self.odds(share ?? 0.5))
        }

        private static func odds(_ probability: Double) -> Double { probability / max(1 - probability, 1e-9) }
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
    /// One person's thumb is a noisy sign, and what it is worth depends on whom one believes: the reward model's probability and the vote
    /// make one, by Bayes, with the trust in the vote. Where votes are seldom right a single one hardly moves it; where they nearly always
    /// are it decides, unless the reward model, which learnt from everybody's votes, is sure of the opposite (confident learning, arXiv
    /// 1911.00068). Bad replies are the few: that one more probably bad than good was liked is wrong more often than right, while a dislike
    /// is believed up to `goodAbove`.
    /// - Parameter verdict: of a model that heard no vote of the person, or the vote would count twice.
    func outcome(isUp: Bool, vote: WeighedVote, verdict: Verdict) -> Outcome {
        guard isUp == (vote.probability >= 0.5) else { return .dropped("vote and content disagree") }
        if settings.votesAlone == true { return isUp ? .good(weight: vote.weight) : .bad(weight: vote.weight) }
        let together = Self.posterior(verdict.good, isUp: isUp, trust: vote.weight)
        let agree = isUp ? verdict.good >= 0.5 : verdict.good <= settings.goodAbove
        let outcome = outcome(probability: together, rude: verdict.rude)
        switch outcome {
        case .good where isUp && !agree, .bad where !isUp && !agree:
            return .dropped("the reward model says the opposite")
        case .dropped(Self.unsure):
            return .dropped("vote and reward model together are not sure")
        default: return outcome
        }
    }

    /// A reply without one.
    func outcome(verdict: Verdict) -> Outcome { outcome(probability: verdict.good, rude: verdict.rude) }

    /// What is made of a probability that a reply is good: as far as it is sure.
    private func outcome(probability: Double, rude: Double) -> Outcome {
        let cautious = cautious(probability, rude: rude)
        if cautious > settings.goodAbove { return .good(weight: cautious) }
        if cautious < settings.badBelow { return .bad(weight: 1 - cautious) }
        return .dropped(probability > settings.goodAbove ? "liked, but like what people call rude" : Self.unsure)
    }

    private static let unsure = "neither surely good nor surely bad"

    /// Likes do not make rudeness good: those who provoke a bot like what they provoked, and are most of those who ever see it. A reply
    /// that people call rude at several times the odds of others is bad with as many parts to one.
    func cautious(_ good: Double, rude: Double) -> Double {
        guard let from = settings.rudeOdds, rude > from else { return good }
        return min(good, 1 / (1 + rude))
    }

    /// Probability of good from the reward model's and a vote that is right with the probability `trust`. No vote is taken for surer than
    /// 19 in 20.
    static func posterior(_ good: Double, isUp: Bool, trust: Double) -> Double {
        let right = min(max(trust, 0.05), 0.95)
        let (up, down) = isUp ? (right, 1 - right) : (1 - right, right)
        let sum = good * up + (1 - good) * down
        return sum > 0 ? good * up / sum : good
    }
}
