import Foundation
import Statistics

/// Each person has their own chances of every label given the truth; labels and chances are found together by EM.
///
/// Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm", 1979. Starts from the
/// majority. It needs several votes an item: with one each there is nothing to learn from.
public struct DawidSkene: VoteModel, Hashable {
    /// Votes added to each cell of a person's error table: just enough that nothing is impossible. 0 is the model as published.
    public var smoothing: Double
    public var maximumIterations: Int
    /// Stop when the log-likelihood per vote moves by less; negative for a fixed number of iterations.
    public var tolerance: Double
    /// Number of first guesses: the majority, then noisy ones; the likeliest end is kept.
    public var starts: Int

    public init(smoothing: Double = 0.01, maximumIterations: Int = 200, tolerance: Double = 1e-9, starts: Int = 1) {
        self.smoothing = smoothing
        self.maximumIterations = maximumIterations
        self.tolerance = tolerance
        self.starts = max(1, starts)
    }

    public var name: String { "dawid-skene" }
    public var summary: String { "Finds labels and each person's error rates together, from several votes an item." }
    public var source: String { "Dawid and Skene 1979" }

    public func solve(_ ballots: Ballots, generator: SeededGenerator) throws -> VoteSolution {
        var em = ConfusionEM(
            ballots, model: OwnErrors(smoothing: smoothing), maximumIterations: max(1, maximumIterations),
            tolerance: tolerance)
        let state = em.best(starts: starts, generator: generator.fork(name))
        return VoteSolution(state, of: em)
    }
}
