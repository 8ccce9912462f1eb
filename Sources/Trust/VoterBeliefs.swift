import Foundation
import Statistics

/// What is believed of labels and people under the mixture of kinds: belief propagation between items and people, with the
/// kinds' shares and rates learned by EM on the way.
///
/// On votes where every item has one vote the graph is a forest and the beliefs are exact for the given rates; with loops
/// they are the usual approximation, damped.
struct VoterBeliefs: Sendable {
    /// Probability per item that it is good.
    private(set) var good: [Double]
    /// Per vote the log-odds of "good" from everything but that vote's person.
    private(set) var othersLogit: [Double]
    private(set) var iterations = 0
    private(set) var converged = false
    /// A helper's chance of being right on good and on bad items; an inverse voter is as often wrong.
    private(set) var skill = (onGood: 0.8, onBad: 0.8)
    /// Log-odds of "good" for an item of which nothing is known.
    private(set) var level: Double
    /// Shares of kinds, in the order of `VoterType.allCases`.
    private(set) var shares: [Double]

    private let table: VoteTable
    /// Per person, log-weights of kinds, `shares` included.
    private var typeLogits: [[Double]]

    private static let kinds = VoterType.allCases
    /// Votes that each kind's share is worth at the start: helpers are the most, and nobody is ruled out.
    private static let sharePrior: [Double] = [6, 1, 1, 1, 1]
    /// A one-sided voter errs once in fifty.
    private static let oneSided = 0.98

    init(_ table: VoteTable) {
        self.table = table
        good = [Double](repeating: 0.5, count: table.items.count)
        othersLogit = [Double](repeating: 0, count: table.votes.count)
        level = Odds.logit((table.upShare * Double(table.votes.count) + 2) / (Double(table.votes.count) + 4))
        let total = Self.sharePrior.reduce(0, +)
        shares = Self.sharePrior.map { $0 / total }
        typeLogits = [[Double]](repeating: shares.map(log), count: table.users.count)
    }

    func typeProbability(_ user: Int, _ type: VoterType) -> Double {
        guard let index = Self.kinds.firstIndex(of: type) else { return 0 }
        return Self.softmax(typeLogits[user])[index]
    }

    /// Probability that a person is a helper.
    func helpfulness(of user: Int) -> Double { typeProbability(user, .helper) }

    /// - Parameter prior: Per vote what the content says, as log-odds around `level`; `nil` where it says nothing.
    mutating func solve(prior: [Double?], maximumIterations: Int = 100, tolerance: Double = 1e-4) {
        let votes = table.votes.count
        // What each vote says of its item, as log-odds, given the person's other votes.
        var said = [Double](repeating: 0, count: votes)
        var rates = upRates()
        for vote in 0..<votes { said[vote] = message(vote, kinds: shares, rates) }
        let loops = table.votesOfItem.contains { $0.count > 1 }
        let damping = loops ? 0.5 : 0
        let content = itemPriors(prior)
        converged = false
        for iteration in 1...max(1, maximumIterations) {
            iterations = iteration
            rates = upRates()
            let totals = table.votesOfItem.indices.map { item in
                table.votesOfItem[item].reduce(0) { $0 + said[$1] }
            }
            for vote in 0..<votes {
                let item = table.itemOfVote[vote]
                othersLogit[vote] = level + (prior[vote] ?? content[item]) + totals[item] - said[vote]
            }
            var change = 0.0
            var evidence = [[Double]](repeating: [], count: votes)
            for user in table.users.indices {
                var logits = shares.map(log)
                for vote in table.votesOfUser[user] {
                    evidence[vote] = likelihoods(vote, rates).map(log)
                    for kind in logits.indices { logits[kind] += evidence[vote][kind] }
                }
                typeLogits[user] = logits
                for vote in table.votesOfUser[user] {
                    let cavity = Self.softmax(zip(logits, evidence[vote]).map { $0 - $1 })
                    let fresh = message(vote, kinds: cavity, rates)
                    let next = damping * said[vote] + (1 - damping) * fresh
                    change = max(change, abs(next - said[vote]))
                    said[vote] = next
                }
            }
            for item in good.indices {
                good[item] = LogisticRegression.sigmoid(
                    level + content[item] + table.votesOfItem[item].reduce(0) { $0 + said[$1] })
            }
            change = max(change, learn(rates))
            if change < tolerance {
                converged = true
                break
            }
        }
    }

    /// Per item the mean of what the content says through its votes.
    private func itemPriors(_ prior: [Double?]) -> [Double] {
        table.votesOfItem.map { votes in
            let said = votes.compactMap { prior[$0] }
            return said.isEmpty ? 0 : said.reduce(0, +) / Double(said.count)
        }
    }

    /// Chance of "up" per kind on bad and on good items.
    private func upRates() -> [(onBad: Double, onGood: Double)] {
        Self.kinds.map { kind in
            switch kind {
            case .helper: (1 - skill.onBad, skill.onGood)
            case .inverse: (skill.onBad, 1 - skill.onGood)
            case .random: (0.5, 0.5)
            case .alwaysUp: (Self.oneSided, Self.oneSided)
            case .alwaysDown: (1 - Self.oneSided, 1 - Self.oneSided)
            }
        }
    }

    /// Chance of the vote as given, per kind, with the item's label summed out.
    private func likelihoods(_ vote: Int, _ rates: [(onBad: Double, onGood: Double)]) -> [Double] {
        let good = LogisticRegression.sigmoid(othersLogit[vote])
        let isUp = table.votes[vote].isUp
        return rates.map { rate in
            let up = good * rate.onGood + (1 - good) * rate.onBad
            return isUp ? up : 1 - up
        }
    }

    /// What a vote says of its item when its person's kinds are this likely.
    private func message(_ vote: Int, kinds: [Double], _ rates: [(onBad: Double, onGood: Double)]) -> Double {
        var (onGood, onBad) = (0.0, 0.0)
        for (share, rate) in zip(kinds, rates) {
            onGood += share * rate.onGood
            onBad += share * rate.onBad
        }
        return table.votes[vote].isUp ? log(onGood / onBad) : log((1 - onGood) / (1 - onBad))
    }

    /// One M-step; returns the largest change of a parameter.
    private mutating func learn(_ rates: [(onBad: Double, onGood: Double)]) -> Double {
        var counts = Self.sharePrior
        // (right, all) votes of helpers and inverse voters on good and on bad items, with 20 votes of prior at .8.
        var (rightGood, allGood, rightBad, allBad) = (16.0, 20.0, 16.0, 20.0)
        for user in table.users.indices {
            let kinds = Self.softmax(typeLogits[user])
            for kind in kinds.indices { counts[kind] += kinds[kind] }
            for vote in table.votesOfUser[user] {
                let others = LogisticRegression.sigmoid(othersLogit[vote])
                let isUp = table.votes[vote].isUp
                for (kind, flipped) in [(0, false), (1, true)] {
                    // Joint belief of this kind and label given the vote.
                    let chance = (good: isUp ? rates[kind].onGood : 1 - rates[kind].onGood,
                        bad: isUp ? rates[kind].onBad : 1 - rates[kind].onBad)
                    let (onGood, onBad) = (others * chance.good, (1 - others) * chance.bad)
                    let share = onGood + onBad > 0 ? kinds[kind] / (onGood + onBad) : 0
                    allGood += share * onGood
                    allBad += share * onBad
                    if isUp != flipped { rightGood += share * onGood } else { rightBad += share * onBad }
                }
            }
        }
        let total = counts.reduce(0, +)
        let newShares = counts.map { $0 / total }
        let newSkill = (
            onGood: min(max(rightGood / allGood, 0.55), 0.98), onBad: min(max(rightBad / allBad, 0.55), 0.98)
        )
        let newLevel = Odds.logit((good.reduce(0, +) + 1) / (Double(good.count) + 2))
        let change = max(
            zip(shares, newShares).map { abs($0 - $1) }.max() ?? 0, abs(skill.onGood - newSkill.onGood),
            abs(skill.onBad - newSkill.onBad))
        (shares, skill, level) = (newShares, newSkill, newLevel)
        return change
    }

    private static func softmax(_ logits: [Double]) -> [Double] {
        let top = logits.max() ?? 0
        let weights = logits.map { exp($0 - top) }
        let total = weights.reduce(0, +)
        return weights.map { $0 / total }
    }
}
