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
    mutating func solve(prior: [Double?], maximumIterations: Int = 100, tolerance: Double = 1e-3) {
        let votes = table.votes.count
        let content = itemPriors(prior)
        let local = (0..<votes).map { prior[$0] ?? content[table.itemOfVote[$0]] }
        let isUp = table.votes.map(\.isUp)
        let damping = table.votesOfItem.contains { $0.count > 1 } ? 0.5 : 0
        // What each vote says of its item, as log-odds, given the person's other votes.
        var said = [Double](repeating: 0, count: votes)
        for vote in 0..<votes { said[vote] = message(isUp[vote], kinds: shares, Rates(skill)) }
        converged = false
        for iteration in 1...max(1, maximumIterations) {
            iterations = iteration
            let rates = Rates(skill)
            var totals = [Double](repeating: 0, count: good.count)
            for vote in 0..<votes { totals[table.itemOfVote[vote]] += said[vote] }
            var change = 0.0
            var counts = Counts()
            for user in table.users.indices {
                let own = table.votesOfUser[user]
                var logits = shares.map(log)
                for vote in own {
                    othersLogit[vote] = level + local[vote] + totals[table.itemOfVote[vote]] - said[vote]
                    let good = LogisticRegression.sigmoid(othersLogit[vote])
                    for kind in 0..<Self.kinds.count { logits[kind] += log(rates.chance(kind, isUp[vote], good: good)) }
                }
                typeLogits[user] = logits
                let kinds = Self.softmax(logits)
                var cavity = kinds
                for vote in own {
                    let good = LogisticRegression.sigmoid(othersLogit[vote])
                    // Without this vote a kind weighs what it weighs with it, over the vote's chance; a common factor
                    // does not matter.
                    for kind in cavity.indices {
                        cavity[kind] = kinds[kind] / rates.chance(kind, isUp[vote], good: good)
                    }
                    let fresh = message(isUp[vote], kinds: cavity, rates)
                    let next = damping * said[vote] + (1 - damping) * fresh
                    change = max(change, abs(next - said[vote]))
                    said[vote] = next
                    counts.add(isUp[vote], good: good, weights: cavity, rates)
                }
                counts.add(kinds)
            }
            for item in good.indices { totals[item] = level + content[item] }
            for vote in 0..<votes { totals[table.itemOfVote[vote]] += said[vote] }
            good = totals.map(LogisticRegression.sigmoid)
            change = max(change, learn(counts))
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
    private struct Rates {
        var onBad: [Double]
        var onGood: [Double]

        init(_ skill: (onGood: Double, onBad: Double)) {
            onBad = [1 - skill.onBad, skill.onBad, 0.5, oneSided, 1 - oneSided]
            onGood = [skill.onGood, 1 - skill.onGood, 0.5, oneSided, 1 - oneSided]
        }

        /// Chance of the vote as given by one kind, with the item's label summed out.
        func chance(_ kind: Int, _ isUp: Bool, good: Double) -> Double {
            let up = good * onGood[kind] + (1 - good) * onBad[kind]
            return isUp ? up : 1 - up
        }
    }

    /// Expected counts of one pass. Helpers and inverse voters are kinds 0 and 1; their right votes on good and on bad items
    /// begin with 20 votes of prior each, at a skill of .8.
    private struct Counts {
        var kinds = sharePrior
        var rightGood = 16.0
        var allGood = 20.0
        var rightBad = 16.0
        var allBad = 20.0

        mutating func add(_ more: [Double]) { for kind in more.indices { kinds[kind] += more[kind] } }

        /// - Parameter weights: Per kind its probability over the vote's chance under it.
        mutating func add(_ isUp: Bool, good: Double, weights: [Double], _ rates: Rates) {
            for kind in 0...1 {
                let onGood = weights[kind] * good * (isUp ? rates.onGood[kind] : 1 - rates.onGood[kind])
                let onBad = weights[kind] * (1 - good) * (isUp ? rates.onBad[kind] : 1 - rates.onBad[kind])
                allGood += onGood
                allBad += onBad
                if isUp == (kind == 0) { rightGood += onGood } else { rightBad += onBad }
            }
        }
    }

    /// What a vote says of its item when its person's kinds weigh this much.
    private func message(_ isUp: Bool, kinds: [Double], _ rates: Rates) -> Double {
        var (onGood, onBad) = (0.0, 0.0)
        for kind in kinds.indices {
            onGood += kinds[kind] * (isUp ? rates.onGood[kind] : 1 - rates.onGood[kind])
            onBad += kinds[kind] * (isUp ? rates.onBad[kind] : 1 - rates.onBad[kind])
        }
        return log(onGood / onBad)
    }

    /// One M-step; returns the largest change of a parameter.
    private mutating func learn(_ counts: Counts) -> Double {
        let total = counts.kinds.reduce(0, +)
        let newShares = counts.kinds.map { $0 / total }
        let newSkill = (
            onGood: min(max(counts.rightGood / counts.allGood, 0.55), 0.98),
            onBad: min(max(counts.rightBad / counts.allBad, 0.55), 0.98)
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
