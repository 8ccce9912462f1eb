import Foundation
import Statistics

/// Each person has their own chances of saying "up" on good and on bad items; labels and chances are found together by EM.
///
/// Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm", 1979, for two classes.
/// Starts from the majority. It needs several votes an item: with one each there is nothing to learn from.
public struct DawidSkene: TrustMethod, Hashable {
    /// Votes added to each cell of a person's error table; 0 is the model as published.
    public var smoothing: Double
    public var maximumIterations: Int
    /// Stop when the log-likelihood per vote grows by less.
    public var tolerance: Double

    public init(smoothing: Double = 0.5, maximumIterations: Int = 200, tolerance: Double = 1e-7) {
        self.smoothing = smoothing
        self.maximumIterations = maximumIterations
        self.tolerance = tolerance
    }

    public var name: String { "dawid-skene" }
    public var summary: String { "Finds labels and each person's error rates together, from several votes an item." }
    public var source: String { "Dawid and Skene 1979" }
    public var usesContent: Bool { false }

    /// What EM ended with.
    struct Solution {
        /// Probability per item that it is good.
        var good: [Double]
        /// Share of good items.
        var prior: Double
        /// Per person the chance of "up" on a bad and on a good item.
        var up: [(onBad: Double, onGood: Double)]
        var logLikelihood: Double
        var iterations: Int
        var converged: Bool
    }

    public func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport {
        let solution = solve(table)
        var notes = table.notes
        notes.append(
            "EM \(solution.converged ? "converged" : "stopped") after \(solution.iterations) iterations; "
                + "log-likelihood \(String(format: "%.4f", solution.logLikelihood)).")
        if table.votesOfItem.allSatisfy({ $0.count == 1 }) {
            notes.append("No item has a second vote, so error rates cannot be told: take a method that reads content.")
        }
        let users = table.users.indices.map { user in
            let votes = table.votesOfUser[user]
            let compared = votes.filter { table.votesOfItem[table.itemOfVote[$0]].count > 1 }
            let agreed = compared.reduce(0.0) { sum, vote in
                let good = solution.good[table.itemOfVote[vote]]
                return sum + (table.votes[vote].isUp ? good : 1 - good)
            }
            // Informedness: how much likelier "up" is on good than on bad items; 0 for whoever votes without looking.
            let rates = solution.up[user]
            return UserTrust(
                user: table.users[user], trust: max(0, min(1, rates.onGood - rates.onBad)), votes: votes.count,
                agreement: compared.isEmpty ? nil : agreed / Double(compared.count))
        }
        let votes = table.votes.indices.map { vote in
            VoteWeight(
                user: table.votes[vote].user, item: table.votes[vote].item, isUp: table.votes[vote].isUp,
                weight: users[table.userOfVote[vote]].trust, probability: solution.good[table.itemOfVote[vote]])
        }
        let items = zip(table.items, solution.good).map { ItemLabel(item: $0, probability: $1) }
        return TrustReport(method: name, users: users, votes: votes, items: items, notes: notes)
    }

    func solve(_ table: VoteTable) -> Solution {
        var good = table.votesOfItem.map { votes in
            Double(votes.count { table.votes[$0].isUp }) / Double(votes.count)
        }
        var solution = Solution(
            good: good, prior: 0.5, up: [], logLikelihood: -.infinity, iterations: 0, converged: false)
        let floor = 1e-10
        while solution.iterations < maximumIterations {
            solution.iterations += 1
            let prior = min(max(good.reduce(0, +) / Double(good.count), floor), 1 - floor)
            let up = table.votesOfUser.map { votes in
                var (ups, totals) = ((bad: smoothing, good: smoothing), (bad: 2 * smoothing, good: 2 * smoothing))
                for vote in votes {
                    let p = good[table.itemOfVote[vote]]
                    totals.good += p
                    totals.bad += 1 - p
                    if table.votes[vote].isUp {
                        ups.good += p
                        ups.bad += 1 - p
                    }
                }
                func rate(_ ups: Double, _ total: Double) -> Double {
                    total > 0 ? min(max(ups / total, floor), 1 - floor) : 0.5
                }
                return (onBad: rate(ups.bad, totals.bad), onGood: rate(ups.good, totals.good))
            }
            var likelihood = 0.0
            for item in good.indices {
                var (onGood, onBad) = (log(prior), log1p(-prior))
                for vote in table.votesOfItem[item] {
                    let rates = up[table.userOfVote[vote]]
                    onGood += log(table.votes[vote].isUp ? rates.onGood : 1 - rates.onGood)
                    onBad += log(table.votes[vote].isUp ? rates.onBad : 1 - rates.onBad)
                }
                let top = max(onGood, onBad)
                likelihood += top + log(exp(onGood - top) + exp(onBad - top))
                good[item] = LogisticRegression.sigmoid(onGood - onBad)
            }
            let gain = likelihood - solution.logLikelihood
            (solution.good, solution.prior, solution.up, solution.logLikelihood) = (good, prior, up, likelihood)
            if gain < tolerance * Double(table.votes.count) {
                solution.converged = true
                break
            }
        }
        return solution
    }
}
