import Foundation
import Statistics

/// A logistic regression whose penalty is picked by cross-validation over people, with its out-of-fold margins.
public struct CrossValidatedLogistic: Sendable {
    public let model: LogisticRegression
    /// The penalty that gave the smallest out-of-fold log loss.
    public let l2: Double
    /// For each example its margin under the model that did not see its person.
    public let outOfFold: [Double]
    /// Mean weighted out-of-fold log loss by penalty, in nats.
    public let losses: [(l2: Double, loss: Double)]

    /// - Parameters:
    ///   - groups: Who each example comes from; nobody is on both sides of a fold.
    ///   - penalties: Candidates of L2.
    /// - Throws: `TrainingError` when there is one class or one person only; `StatisticsError` for broken numbers.
    public init<Group: Hashable>(
        _ features: some FeatureTable, labels: [Bool], weights: [Double], groups: [Group], folds: Int = 5,
        penalties: [Double], standardise: Bool, seed: UInt64
    ) throws {
        guard labels.count == features.rows, weights.count == features.rows, groups.count == features.rows else {
            throw TrainingError(
                .data, "\(features.rows) rows, \(labels.count) labels, \(weights.count) weights, \(groups.count) people"
            )
        }
        let counted = labels.indices.filter { weights[$0] > 0 }
        guard counted.contains(where: { labels[$0] }), counted.contains(where: { !labels[$0] }) else {
            let kind = counted.first.map { labels[$0] ? "good" : "bad" } ?? "without weight"
            throw TrainingError(.data, "all \(labels.count) votes are \(kind); a reward model needs good and bad ones")
        }
        let people = Set(groups).count
        guard people >= 2 else {
            throw TrainingError(.data, "all votes are of one person; a reward model needs two or more")
        }
        guard !penalties.isEmpty, folds >= 2 else {
            throw TrainingError(.options, "penalties and folds: 1 and 2 at least")
        }
        var generator = SeededGenerator(seed: seed).fork("folds")
        let parts = try KFold.parts(of: groups, count: min(folds, people), generator: &generator)
        let targets = labels.map { $0 ? 1.0 : 0.0 }
        var best: (l2: Double, loss: Double, margins: [Double])?
        var losses: [(Double, Double)] = []
        let splits = parts.map {
            (part: $0, train: features.selecting(rows: $0.train), test: features.selecting(rows: $0.test))
        }
        for l2 in penalties {
            var margins = [Double](repeating: 0, count: labels.count)
            for (part, train, test) in splits {
                let trainWeights = part.train.map { weights[$0] }
                guard trainWeights.contains(where: { $0 > 0 }) else { continue }
                let fit = try LogisticRegression(
                    train, labels: part.train.map { targets[$0] }, weights: trainWeights,
                    options: .init(l2: l2, standardise: standardise, tolerance: 1e-4, maximumIterations: 200))
                for (index, margin) in zip(part.test, try fit.margins(test)) { margins[index] = margin }
            }
            let loss = Self.logLoss(margins: margins, targets: targets, weights: weights)
            losses.append((l2, loss))
            if loss < best?.loss ?? .infinity { best = (l2, loss, margins) }
        }
        guard let best else { throw TrainingError(.data, "no penalty gave a finite loss") }
        l2 = best.l2
        outOfFold = best.margins
        self.losses = losses.map { (l2: $0.0, loss: $0.1) }
        model = try LogisticRegression(
            features, labels: targets, weights: weights,
            options: .init(l2: best.l2, standardise: standardise, tolerance: 1e-5, maximumIterations: 400))
    }

    private static func logLoss(margins: [Double], targets: [Double], weights: [Double]) -> Double {
        var sum = 0.0
        for index in margins.indices where weights[index] > 0 {
            let p = min(max(LogisticRegression.sigmoid(margins[index]), 1e-12), 1 - 1e-12)
            sum -= weights[index] * (targets[index] * Foundation.log(p) + (1 - targets[index]) * Foundation.log(1 - p))
        }
        return sum / weights.reduce(0, +)
    }
}
