import Foundation
import Statistics

/// A method that looks at votes alone. It works on numbers, for any number of classes and for millions of votes; what a
/// `TrustMethod` must do follows from it.
public protocol VoteModel: TrustMethod {
    /// Finds the items' classes and what every person is worth.
    /// - Parameter generator: The only source of randomness; forked, never advanced.
    func solve(_ ballots: Ballots, generator: SeededGenerator) throws -> VoteSolution
}

extension VoteModel {
    public var usesContent: Bool { false }

    public func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport {
        let ballots = Ballots(table)
        let solution = try solve(ballots, generator: generator)
        var report = VoteFindings(ballots, solution, method: name).report(on: table)
        // The table knows more of the input than its numbers do: votes it replaced, content it could not read.
        report.notes = table.notes + (ballots.hasSecondVotes ? [] : [Ballots.noSecondVotes]) + solution.notes
        return report
    }
}

/// What a model that looks at votes alone ends with.
public struct VoteSolution: Sendable {
    /// Probability of each class, `[item * K + class]`.
    public var posterior: [Double]
    /// Shares of the classes.
    public var shares: [Double]
    /// Log-chances of each label given the truth, `[(user * K + label) * K + truth]`.
    public var logChance: [Double]
    /// Trust per person, 0 … 1.
    public var trust: [Double]
    /// How much each person's votes counted where that differs between people, 0 … 1; else `nil`.
    public var weights: [Double]?
    /// Log-likelihood of the votes, where the model has one.
    public var logLikelihood: Double?
    public var iterations: Int
    public var converged: Bool
    /// Votes per label, `[item * K + class]`, where an item's probability is a share of them: what others say is then counted
    /// again without the vote.
    var labelCounts: [UInt32]?
    /// What a reader must know, beside what the votes themselves call for.
    public var notes: [String]
    /// People who are flagged for how they vote together, in bursts or in floods, by number.
    public var flags: [Int: [TrustFlag]]

    init(
        posterior: [Double], shares: [Double], logChance: [Double], trust: [Double], logLikelihood: Double? = nil,
        iterations: Int = 1, converged: Bool = true, labelCounts: [UInt32]? = nil, notes: [String] = []
    ) {
        self.posterior = posterior
        self.shares = shares
        self.logChance = logChance
        self.trust = trust
        self.logLikelihood = logLikelihood
        self.iterations = iterations
        self.converged = converged
        self.labelCounts = labelCounts
        self.notes = notes
        flags = [:]
    }

    /// The end of an EM run.
    init<Model: ErrorModel>(_ state: ConfusionEM<Model>.State, of em: ConfusionEM<Model>) {
        let classes = em.ballots.classCount
        let table = classes * classes
        let trust = state.counts.withUnsafeBufferPointer { counts in
            state.logChance.withUnsafeBufferPointer { chances in
                (0..<em.ballots.users.count).map { user -> Double in
                    guard let count = counts.baseAddress, let chance = chances.baseAddress else { return 0 }
                    return em.model.trust(count + user * table, chance + user * table, classes: classes)
                }
            }
        }
        let figure = String(format: "%.4f", state.logLikelihood)
        self.init(
            posterior: state.posterior, shares: state.shares, logChance: state.logChance, trust: trust,
            logLikelihood: state.logLikelihood, iterations: state.iterations, converged: state.converged,
            notes: [
                "EM \(state.converged ? "converged" : "stopped") after \(state.iterations) iterations; log-likelihood \(figure)."
            ])
        weights = em.weights
    }

    /// The likeliest class of an item; the first of several, but good where good and bad are as likely.
    public func label(of item: Int) -> Int {
        let classes = shares.count
        if classes == 2 { return posterior[item * 2 + 1] >= 0.5 ? 1 : 0 }
        var best = 0
        for k in 1..<classes where posterior[item * classes + k] > posterior[item * classes + best] { best = k }
        return best
    }
}
