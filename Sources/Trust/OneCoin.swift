import Foundation
import Statistics

/// Dawid and Skene's model with one number a person: the chance of being right, whatever the class.
///
/// The homogeneous model of Dawid and Skene 1979, "one-coin" in Zhang and others 2014. It learns from few votes, and cannot
/// see one-sided people for what they are.
public struct OneCoin: VoteModel, Hashable {
    /// Right and wrong votes added to each person's record; 0 is the model as published.
    public var smoothing: Double
    public var maximumIterations: Int
    /// Stop when the log-likelihood per vote moves by less; negative for a fixed number of iterations.
    public var tolerance: Double
    /// Number of first guesses: the majority, then noisy ones; the likeliest end is kept.
    public var starts: Int

    public init(smoothing: Double = 0.5, maximumIterations: Int = 200, tolerance: Double = 1e-7, starts: Int = 1) {
        self.smoothing = smoothing
        self.maximumIterations = maximumIterations
        self.tolerance = tolerance
        self.starts = max(1, starts)
    }

    public var name: String { "one-coin" }
    public var summary: String { "Dawid–Skene with one number a person, for people with few votes." }
    public var source: String { "Dawid and Skene 1979, homogeneous" }

    public func solve(_ ballots: Ballots, generator: SeededGenerator) throws -> VoteSolution {
        var em = ConfusionEM(
            ballots, model: OneCoinErrors(smoothing: smoothing), maximumIterations: max(1, maximumIterations),
            tolerance: tolerance)
        let state = em.best(starts: starts, generator: generator.fork(name))
        return VoteSolution(state, of: em)
    }
}
