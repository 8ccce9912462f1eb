import Foundation
import Statistics

/// Pooled Dawid–Skene in which people who do not vote for themselves count together: groups that vote alike as one person,
/// floods of new accounts as the usual number of newcomers.
public struct GuardedVotes: VoteModel, Hashable {
    public var model: PooledDawidSkene

    public init(model: PooledDawidSkene = PooledDawidSkene()) { self.model = model }

    public var name: String { "guarded" }
    public var summary: String { "Pooled Dawid–Skene that counts groups, copy-cats and floods of new accounts as one." }
    public var source: String { "ours; model after Dawid and Skene 1979, Kim and Ghahramani 2012" }

    public func solve(_ ballots: Ballots, generator: SeededGenerator) throws -> VoteSolution {
        let collusion = Collusion(ballots)
        var solution = try model.solve(ballots, weights: collusion.weights, generator: generator)
        solution.flags = collusion.flags
        solution.notes += collusion.notes
        return solution
    }
}
