import Foundation

/// How one person behaves from vote to vote: mostly as before, and once in a while anew.
///
/// A hidden Markov model whose states are the kinds of voters (Rabiner 1989, forward and backward passes). Somebody who
/// helped and turns, or was flagged and mends, is followed; ten votes of one mind count as ten votes of one mind.
struct KindChain: Sendable {
    /// Per vote and kind the probability of the kind given all the person's votes; vote after vote.
    private(set) var posterior: [Double]
    /// The same from all the person's votes but this one.
    private(set) var cavity: [Double]
    /// Log-likelihood of the votes.
    private(set) var logLikelihood: Double

    /// - Parameters:
    ///   - emissions: Per vote, in the order of time, and kind the chance of the vote; vote after vote.
    ///   - shares: Of the kinds; what a person starts with and what they change to.
    ///   - change: Chance to begin anew before each vote but the first.
    init(emissions: [Double], shares: [Double], change: Double) {
        let kinds = shares.count
        let votes = emissions.count / kinds
        var predicted = [Double](repeating: 0, count: emissions.count)
        var state = shares
        logLikelihood = 0
        for vote in 0..<votes {
            var sum = 0.0
            for kind in 0..<kinds {
                if vote > 0 { state[kind] = (1 - change) * state[kind] + change * shares[kind] }
                predicted[vote * kinds + kind] = state[kind]
                state[kind] *= emissions[vote * kinds + kind]
                sum += state[kind]
            }
            logLikelihood += log(sum)
            for kind in 0..<kinds { state[kind] /= sum }
        }
        posterior = predicted
        cavity = predicted
        var ahead = [Double](repeating: 1, count: kinds)
        for vote in stride(from: votes - 1, through: 0, by: -1) {
            var (all, without) = (0.0, 0.0)
            for kind in 0..<kinds {
                let place = vote * kinds + kind
                cavity[place] = predicted[place] * ahead[kind]
                posterior[place] = cavity[place] * emissions[place]
                without += cavity[place]
                all += posterior[place]
            }
            var (fresh, top) = (0.0, 0.0)
            for kind in 0..<kinds {
                let place = vote * kinds + kind
                cavity[place] /= without
                posterior[place] /= all
                ahead[kind] *= emissions[place]
                fresh += shares[kind] * ahead[kind]
            }
            for kind in 0..<kinds {
                ahead[kind] = (1 - change) * ahead[kind] + change * fresh
                top = max(top, ahead[kind])
            }
            for kind in 0..<kinds { ahead[kind] /= top }
        }
    }
}
