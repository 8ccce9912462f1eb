import Foundation
import Statistics

/// People have an ability and items a difficulty; the chance of being right is the logistic function of their product.
///
/// Whitehill, Ruvolo, Wu, Bergsma and Movellan, "Whose vote should count more", NIPS 2009. Abilities and log-easiness have
/// normal priors of mean 1 and deviation 1; mistakes fall evenly on the other classes. Each M-step climbs by Fisher scoring,
/// a person or an item at a time, in place of the paper's gradient ascent over all of them.
public struct Glad: VoteModel, Hashable {
    public var maximumIterations: Int
    /// Stop when the objective per vote moves by less; negative for a fixed number of iterations.
    public var tolerance: Double
    /// Rounds of scoring within one M-step.
    public var rounds: Int

    public init(maximumIterations: Int = 100, tolerance: Double = 1e-6, rounds: Int = 3) {
        self.maximumIterations = maximumIterations
        self.tolerance = tolerance
        self.rounds = max(1, rounds)
    }

    public var name: String { "glad" }
    public var summary: String { "Weighs each person's ability and each item's difficulty." }
    public var source: String { "Whitehill and others 2009" }

    /// What the model ends with.
    struct Fit {
        /// Probability of each class, `[item * K + class]`.
        var posterior: [Double]
        /// Ability per person; below 0 for contrary people.
        var ability: [Double]
        /// Logarithm of the easiness per item.
        var easiness: [Double]
        var logLikelihood = -Double.infinity
        var iterations = 0
        var converged = false
    }

    public func solve(_ ballots: Ballots, generator: SeededGenerator) throws -> VoteSolution {
        let fit = self.fit(ballots)
        let classes = ballots.classCount
        let typical = exp(fit.easiness.reduce(0, +) / Double(fit.easiness.count))
        var logChance = [Double](repeating: 0, count: ballots.users.count * classes * classes)
        let trust = fit.ability.enumerated().map { user, ability in
            let x = ability * typical
            let (hit, miss) = (-Self.softplus(-x), -Self.softplus(x) - log(Double(classes - 1)))
            for label in 0..<classes {
                for truth in 0..<classes {
                    logChance[(user * classes + label) * classes + truth] = label == truth ? hit : miss
                }
            }
            return min(max((Double(classes) * exp(hit) - 1) / Double(classes - 1), 0), 1)
        }
        let figure = String(format: "%.4f", fit.logLikelihood)
        return VoteSolution(
            posterior: fit.posterior, shares: [Double](repeating: 1 / Double(classes), count: classes),
            logChance: logChance, trust: trust, logLikelihood: fit.logLikelihood, iterations: fit.iterations,
            converged: fit.converged,
            notes: [
                "EM \(fit.converged ? "converged" : "stopped") after \(fit.iterations) iterations; log-likelihood \(figure)."
            ])
    }

    func fit(_ ballots: Ballots) -> Fit {
        let (users, items) = (ballots.users.count, ballots.items.count)
        var fit = Fit(
            posterior: [Double](repeating: 0, count: items * ballots.classCount),
            ability: [Double](repeating: 1, count: users), easiness: [Double](repeating: 1, count: items))
        var objective = expect(ballots, &fit)
        while fit.iterations < maximumIterations {
            fit.iterations += 1
            for _ in 0..<rounds {
                scoreAbilities(ballots, &fit)
                scoreEasiness(ballots, &fit)
            }
            let before = objective
            objective = expect(ballots, &fit)
            if abs(objective - before) < tolerance * Double(ballots.count) {
                fit.converged = true
                break
            }
        }
        return fit
    }

    /// The E-step; returns the log-likelihood with the priors' densities.
    private func expect(_ ballots: Ballots, _ fit: inout Fit) -> Double {
        let classes = ballots.classCount
        let others = log(Double(classes - 1))
        var likelihood = 0.0
        var row = [Double](repeating: 0, count: classes)
        for item in 0..<ballots.items.count {
            for k in 0..<classes { row[k] = -log(Double(classes)) }
            let easiness = exp(fit.easiness[item])
            for vote in Int(ballots.itemStart[item])..<Int(ballots.itemStart[item + 1]) {
                let (user, label) = Int(ballots.cellOfVote[vote]).quotientAndRemainder(dividingBy: classes)
                let x = fit.ability[user] * easiness
                let soft = Self.softplus(x)
                let (hit, miss) = (x - soft, -soft - others)
                for k in 0..<classes { row[k] += k == label ? hit : miss }
            }
            let top = row.max() ?? 0
            var scale = 0.0
            for k in 0..<classes {
                row[k] = exp(row[k] - top)
                scale += row[k]
            }
            likelihood += top + log(scale)
            for k in 0..<classes { fit.posterior[item * classes + k] = row[k] / scale }
        }
        fit.logLikelihood = likelihood
        var density = 0.0
        for value in fit.ability { density -= 0.5 * (value - 1) * (value - 1) }
        for value in fit.easiness { density -= 0.5 * (value - 1) * (value - 1) }
        return likelihood + density
    }

    private func scoreAbilities(_ ballots: Ballots, _ fit: inout Fit) {
        let classes = ballots.classCount
        let easiness = fit.easiness.map { exp($0) }
        for user in fit.ability.indices {
            let ability = fit.ability[user]
            var slope = 1 - ability
            var information = 1.0
            for label in 0..<classes {
                let cell = user * classes + label
                for vote in Int(ballots.cellStart[cell])..<Int(ballots.cellStart[cell + 1]) {
                    let item = Int(ballots.itemOfVote[vote])
                    let right = LogisticRegression.sigmoid(ability * easiness[item])
                    slope += (fit.posterior[item * classes + label] - right) * easiness[item]
                    information += right * (1 - right) * easiness[item] * easiness[item]
                }
            }
            fit.ability[user] += min(max(slope / information, -1), 1)
        }
    }

    private func scoreEasiness(_ ballots: Ballots, _ fit: inout Fit) {
        let classes = ballots.classCount
        for item in fit.easiness.indices {
            let easiness = exp(fit.easiness[item])
            var slope = 1 - fit.easiness[item]
            var information = 1.0
            for vote in Int(ballots.itemStart[item])..<Int(ballots.itemStart[item + 1]) {
                let (user, label) = Int(ballots.cellOfVote[vote]).quotientAndRemainder(dividingBy: classes)
                let x = fit.ability[user] * easiness
                let right = LogisticRegression.sigmoid(x)
                slope += (fit.posterior[item * classes + label] - right) * x
                information += right * (1 - right) * x * x
            }
            fit.easiness[item] += min(max(slope / information, -0.5), 0.5)
        }
    }

    /// `ln(1 + eˣ)` without overflow.
    private static func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
}
