import Conversations
import Training

/// What a reply is learnt as: by a trusted vote, or by the reward model where nobody voted.
struct LabelRule: Sendable {
    let settings: ImproveConfiguration.LabelSettings

    /// The reward model's view of a reply.
    struct Verdict: Sendable {
        /// Probability of good.
        var good: Double
        /// Above 0 where people would call it rude or inappropriate, in nats: `RewardModel.rudeness`.
        var rude: Double

        init(good: Double, rude: Double) { (self.good, self.rude) = (good, rude) }

        init(_ read: Judge.Verdict) { self.init(good: read.good, rude: read.rude) }
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
    /// 1911.00068). Bad replies are the few: that one more probably bad than good was liked is wrong more often than right.
    /// - Parameter verdict: of a model that heard no vote of the person, or the vote would count twice.
    func outcome(isUp: Bool, vote: WeighedVote, verdict: Verdict) -> Outcome {
        guard isUp == (vote.probability >= 0.5) else { return .dropped("vote and content disagree") }
        if settings.votesAlone == true { return isUp ? .good(weight: vote.weight) : .bad(weight: vote.weight) }
        let together = Self.posterior(verdict.good, isUp: isUp, trust: vote.weight)
        let outcome = outcome(probability: together, verdict)
        switch outcome {
        case .good where isUp && verdict.good < 0.5: return .dropped("the reward model says the opposite")
        case .dropped(Self.unsure): return .dropped("vote and reward model together are not sure")
        default: return outcome
        }
    }

    /// A reply without one.
    /// - Parameter population: whose probability of good counts, where people passed the reply over.
    func outcome(verdict: Verdict, in population: Population? = nil) -> Outcome {
        outcome(probability: population?.probability(verdict.good) ?? verdict.good, verdict)
    }

    /// What is made of a probability that a reply is good: as far as it is sure.
    private func outcome(probability: Double, _ verdict: Verdict) -> Outcome {
        let cautious = cautious(probability, verdict)
        if cautious > settings.goodAbove { return .good(weight: cautious) }
        if cautious < settings.badBelow { return .bad(weight: 1 - cautious) }
        return .dropped(probability > settings.goodAbove ? "liked, but like what people call rude" : Self.unsure)
    }

    private static let unsure = "neither surely good nor surely bad"

    /// Likes do not make rudeness good: those who provoke a bot like what they provoked, and are most of those who ever see it. What people
    /// call rude is at best undecided. It is bad where it is surely rude and more probably bad than good besides: where the line of rudeness
    /// runs is found from few votes, and on some logs lies too low.
    /// - Parameter isProvoked: after an insult, where rudeness alone is enough.
    func cautious(_ probability: Double, _ verdict: Verdict, isProvoked: Bool = false) -> Double {
        guard let sure = settings.rudeFrom, verdict.rude > 0 else { return probability }
        let isBad = verdict.rude > sure && (isProvoked || verdict.good < 0.5)
        return min(probability, isBad ? 0.1 : 0.5)
    }

    /// Probability of good from the reward model's and a vote that is right with the probability `trust`. No vote is taken for surer than
    /// nine in ten.
    static func posterior(_ good: Double, isUp: Bool, trust: Double) -> Double {
        let right = min(max(trust, 0.1), 0.9)
        let (up, down) = isUp ? (right, 1 - right) : (1 - right, right)
        let sum = good * up + (1 - good) * down
        return sum > 0 ? good * up / sum : good
    }
}
