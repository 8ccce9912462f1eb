import Foundation
import Statistics

/// What the content alone says of each vote: a classifier that saw neither its person nor its text.
struct ContentModel: Sendable, Hashable {
    /// Number of folds of people, and of texts.
    var folds: Int
    /// Penalties to choose from, by the loss on held-out votes; features are scaled to deviation 1.
    var penalties: [Double]

    init(folds: Int = 4, penalties: [Double] = [3, 30, 300, 3000]) {
        self.folds = folds
        self.penalties = penalties
    }

    /// The split, made once so that later fits see the same folds.
    struct Plan: Sendable {
        var parts: [KFold.Part]
        /// Votes with content, by number, and their rows.
        var votes: [Int]
    }

    /// The split of the votes that have content, or why there is none.
    enum Split: Sendable {
        case plan(Plan)
        case none(String)
    }

    func split(_ table: VoteTable, generator: SeededGenerator) -> Split {
        let votes = table.votes.indices.filter { table.rowOfVote[$0] != nil }
        guard table.features != nil, !votes.isEmpty else { return .none("there are no features") }
        let people = votes.map { table.userOfVote[$0] }
        let texts = votes.map { table.textOfVote[$0] }
        // Fewer folds where there are few people or texts; two are the least.
        let count = min(folds, Set(people).count, Set(texts).count)
        guard count >= 2 else { return .none("a classifier needs two people and two texts at least") }
        var stream = generator.fork("trust folds")
        guard
            let parts = try? KFold.disjointParts(people: people, texts: texts, count: count, generator: &stream),
            parts.allSatisfy({ !$0.train.isEmpty })
        else { return .none("people and texts cannot be split so that neither is on both sides") }
        return .plan(Plan(parts: parts, votes: votes))
    }

    /// Held-out log-odds of "good" per vote; `nil` for votes without content.
    /// - Parameter targets: What to learn, per vote in 0 … 1: the vote itself, or a belief about the item.
    /// - Parameter weights: Per vote; parts whose training votes all weigh 0 fall back to even odds.
    /// - Parameter limit: Penalties above it are not tried: cleaner targets want less of it, not more.
    /// - Returns: Also the penalty that was chosen.
    func heldOutLogits(
        _ table: VoteTable, plan: Plan, targets: [Double], weights: [Double], limit: Double = .infinity
    ) throws -> (logits: [Double?], penalty: Double) {
        var best: (loss: Double, logits: [Double?], penalty: Double) = (.infinity, table.votes.map { _ in nil }, 0)
        guard let features = table.features else { return (best.logits, best.penalty) }
        for penalty in penalties where penalty <= limit {
            let logits = try heldOut(table, features: features, plan: plan, targets, weights, penalty: penalty)
            var loss = 0.0
            for vote in plan.votes {
                let z = logits[vote] ?? 0
                loss += weights[vote] * (max(z, 0) + log1p(exp(-abs(z))) - targets[vote] * z)
            }
            if loss < best.loss { best = (loss, logits, penalty) }
        }
        return (best.logits, best.penalty)
    }

    /// The same with a penalty that is known.
    func heldOutLogits(
        _ table: VoteTable, plan: Plan, targets: [Double], weights: [Double], penalty: Double
    ) throws -> [Double?] {
        guard let features = table.features else { return table.votes.map { _ in nil } }
        return try heldOut(table, features: features, plan: plan, targets, weights, penalty: penalty)
    }

    private func heldOut(
        _ table: VoteTable, features: some FeatureTable, plan: Plan, _ targets: [Double], _ weights: [Double],
        penalty: Double
    ) throws -> [Double?] {
        var logits = [Double?](repeating: nil, count: table.votes.count)
        for part in plan.parts {
            func rows(_ members: [Int]) -> [Int] { members.compactMap { table.rowOfVote[plan.votes[$0]] } }
            let train = part.train.map { plan.votes[$0] }
            let used = train.map { weights[$0] }
            var margins = [Double](repeating: 0, count: part.test.count)
            if used.contains(where: { $0 > 0 }) {
                let model = try LogisticRegression(
                    features.selecting(rows: rows(part.train)), labels: train.map { targets[$0] }, weights: used,
                    options: .init(l2: penalty, standardise: true, tolerance: 1e-5, maximumIterations: 100))
                margins = try model.margins(features.selecting(rows: rows(part.test)))
            }
            for (member, margin) in zip(part.test, margins) { logits[plan.votes[member]] = margin }
        }
        return logits
    }
}
