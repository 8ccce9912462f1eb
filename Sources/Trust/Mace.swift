import Foundation
import Statistics

/// For each vote a person either knows, and says the truth, or spams, and draws from a habit of their own.
///
/// Hovy, Berg-Kirkpatrick, Vaswani and Hovy, "Learning whom to trust with MACE", NAACL 2013: by plain EM, or by variational
/// Bayes with a Beta prior on knowing and a Dirichlet prior on habits. Trust is the chance of knowing.
public struct Mace: VoteModel, Hashable {
    /// Variational Bayes (the paper's better one) in place of plain EM.
    public var isVariational: Bool
    /// Prior votes for spamming and for knowing, for variational Bayes.
    public var knowingPrior: Double
    /// Prior votes for each label of a person's habit, for variational Bayes.
    public var habitPrior: Double
    /// Votes added to each count for plain EM, shared out over the classes; 0 adds none.
    public var smoothing: Double
    public var maximumIterations: Int
    /// Stop when the log-likelihood per vote moves by less; negative for a fixed number of iterations.
    public var tolerance: Double
    /// Number of first guesses: the majority, then noisy ones; the likeliest end is kept.
    public var starts: Int

    public init(
        isVariational: Bool = true, knowingPrior: Double = 0.5, habitPrior: Double = 10, smoothing: Double = 0.01,
        maximumIterations: Int = 200, tolerance: Double = 1e-7, starts: Int = 4
    ) {
        self.isVariational = isVariational
        self.knowingPrior = knowingPrior
        self.habitPrior = habitPrior
        self.smoothing = smoothing
        self.maximumIterations = maximumIterations
        self.tolerance = tolerance
        self.starts = max(1, starts)
    }

    public var name: String { isVariational ? "mace" : "mace-em" }
    public var summary: String {
        "A voter knows the truth or follows a habit\(isVariational ? "" : " (plain EM)"); tells spammers apart."
    }
    public var source: String { "Hovy and others 2013" }

    public func solve(_ ballots: Ballots, generator: SeededGenerator) throws -> VoteSolution {
        var em = ConfusionEM(
            ballots,
            model: MaceErrors(
                isVariational: isVariational, knowingPrior: knowingPrior, habitPrior: habitPrior,
                smoothing: smoothing / Double(ballots.classCount)),
            maximumIterations: max(1, maximumIterations), tolerance: tolerance)
        let state = em.best(starts: starts, generator: generator.fork(name))
        return VoteSolution(state, of: em)
    }
}

/// MACE's M-step. The chance of a label is `spams * habit`, and `knows` more where it is the truth; both can be read off the
/// chances of the step before, so nothing else is kept.
struct MaceErrors: ErrorModel {
    var isVariational: Bool
    var knowingPrior: Double
    var habitPrior: Double
    var smoothing: Double

    /// All classes are as likely beforehand.
    var learnsShares: Bool { false }

    func fit(_ counts: UnsafePointer<Double>, classes: Int, into logChance: UnsafeMutablePointer<Double>) -> Double {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: classes) { habit in
            var (knew, spammed) = (0.0, 0.0)
            for label in 0..<classes {
                var all = 0.0
                for truth in 0..<classes { all += counts[label * classes + truth] }
                let known = self.known(counts, logChance, classes: classes, label: label)
                knew += known
                habit[label] = max(all - known, 0)
                spammed += habit[label]
            }
            let spams: Double
            let knows: Double
            if isVariational {
                let total = exp(Gamma.digamma(knew + spammed + 2 * knowingPrior))
                spams = exp(Gamma.digamma(spammed + knowingPrior)) / total
                knows = exp(Gamma.digamma(knew + knowingPrior)) / total
                let habits = exp(Gamma.digamma(spammed + Double(classes) * habitPrior))
                for label in 0..<classes { habit[label] = exp(Gamma.digamma(habit[label] + habitPrior)) / habits }
            } else {
                spams = (spammed + smoothing) / (knew + spammed + 2 * smoothing)
                knows = 1 - spams
                // Without smoothing somebody who always knows has no habit to share out.
                let habits = max(spammed + Double(classes) * smoothing, 1e-300)
                for label in 0..<classes { habit[label] = (habit[label] + smoothing) / habits }
            }
            for label in 0..<classes {
                let wrong = max(spams * habit[label], 1e-300)
                for truth in 0..<classes {
                    logChance[label * classes + truth] = log(truth == label ? wrong + knows : wrong)
                }
            }
        }
        return 0
    }

    /// Expected number of a person's votes for a label that were given in knowledge.
    private func known(
        _ counts: UnsafePointer<Double>, _ logChance: UnsafePointer<Double>, classes: Int, label: Int
    ) -> Double {
        let right = logChance[label * classes + label]
        let wrong = logChance[label * classes + (label == 0 ? 1 : 0)]
        // Before the first step nothing is known: a vote that is right was given in knowledge or, as often, by habit.
        let share = right == wrong ? Double(classes) / Double(classes + 1) : 1 - exp(wrong - right)
        return counts[label * classes + label] * share
    }

    func trust(_ counts: UnsafePointer<Double>, _ logChance: UnsafePointer<Double>, classes: Int) -> Double {
        var (knew, all) = (0.0, 0.0)
        for label in 0..<classes {
            knew += known(counts, logChance, classes: classes, label: label)
            for truth in 0..<classes { all += counts[label * classes + truth] }
        }
        let prior = isVariational ? knowingPrior : smoothing
        return min(max((knew + prior) / (all + 2 * prior), 0), 1)
    }
}
