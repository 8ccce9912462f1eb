import Foundation
import Statistics

/// Dawid and Skene's model with every person's error table drawn towards everybody's, as far as people are found alike.
///
/// The tables come from a Dirichlet distribution for each truth whose mean and strength are learned by empirical Bayes
/// (fixed point of Minka, "Estimating a Dirichlet distribution", 2000) between the steps of EM: a maximum a posteriori
/// relative of the Bayesian model of Kim and Ghahramani 2012. Where votes are few it behaves like the majority, where they
/// are many like Dawid–Skene.
public struct PooledDawidSkene: VoteModel, Hashable {
    public var maximumIterations: Int
    /// Stop when the log-likelihood per vote moves by less.
    public var tolerance: Double
    /// Number of first guesses: the majority, then noisy ones; the likeliest end is kept.
    public var starts: Int

    public init(maximumIterations: Int = 200, tolerance: Double = 1e-7, starts: Int = 1) {
        self.maximumIterations = maximumIterations
        self.tolerance = tolerance
        self.starts = max(1, starts)
    }

    public var name: String { "pooled-dawid-skene" }
    public var summary: String {
        "Dawid–Skene that takes a person with few votes for an ordinary voter; the one to take without content."
    }
    public var source: String { "after Dawid and Skene 1979, Kim and Ghahramani 2012" }

    public func solve(_ ballots: Ballots, generator: SeededGenerator) throws -> VoteSolution {
        try solve(ballots, weights: nil, generator: generator)
    }

    /// - Parameter weights: The share that each person's votes count for; `nil` for everybody alike.
    func solve(_ ballots: Ballots, weights: [Double]?, generator: SeededGenerator) throws -> VoteSolution {
        var em = ConfusionEM(
            ballots, model: PooledErrors(), maximumIterations: max(1, maximumIterations), tolerance: tolerance,
            weights: weights)
        let state = em.best(starts: starts, generator: generator.fork(name))
        return VoteSolution(state, of: em)
    }
}
