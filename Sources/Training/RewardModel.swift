import Conversations
import Foundation
import Statistics

/// Says how probable it is that people like a reply in its context: a calibrated logistic head on frozen features.
///
/// Learned from votes weighted by trust, its penalty picked by cross-validation over people, its probabilities set by
/// Platt's scaling on out-of-fold scores. A second set of heads says why a bad reply is bad.
public struct RewardModel: Sendable, Hashable, Codable {
    public var features: RewardFeatures
    /// Which encoder the features come from: its folder's name or id.
    public var encoder: String
    public var head: LogisticRegression
    /// The penalty that cross-validation picked.
    public var l2: Double
    /// Platt's scaling: probability of good = σ(slope · margin + offset).
    public var slope: Double
    public var offset: Double
    /// One head per reason that enough disliked replies carry, trained on disliked replies alone.
    public var reasons: [ReasonHead]
    /// What it was learned from.
    public var training: Training

    /// How probable one reason is, given that a reply is bad.
    public struct ReasonHead: Sendable, Hashable, Codable {
        public var reason: DislikeReason
        public var head: LogisticRegression
        /// Disliked replies with this reason that it was learned from.
        public var count: Int
    }

    /// What a reward model was learned from.
    public struct Training: Sendable, Hashable, Codable {
        public var examples: Int
        public var good: Int
        public var people: Int
        /// Area under the ROC curve of out-of-fold scores on its own training votes.
        public var outOfFoldAUC: Double
        /// Mean out-of-fold log loss by penalty.
        public var losses: [Double: Double]
        public var seed: UInt64

        enum CodingKeys: String, CodingKey {
            case examples, good, people, losses, seed
            case outOfFoldAUC = "out_of_fold_auc"
        }
    }

    /// How it is learned.
    public struct Options: Sendable, Hashable, Codable {
        /// Turns before the reply that count as its context.
        public var contextTurns = 3
        public var folds = 5
        /// Candidates of L2 on standardised features.
        public var penalties: [Double] = [100, 300, 1000, 3000, 10000, 30000]
        /// A reason gets a head when at least this many disliked replies carry it, and as many do not.
        public var minimumPerReason = 10
        public var seed: UInt64 = 0

        public init() {}
    }

    /// Learns from votes.
    /// - Parameters:
    ///   - encoderName: Kept in the saved model.
    ///   - extra: Frozen states of the dialogue model, one row per example; the same must be given when scoring.
    /// - Throws: `TrainingError` when there are no votes, one class or one person only, or a weight is broken.
    public static func train(
        _ examples: [RewardExample], encoder: any TextEncoder, encoderName: String, extra: [[Float]]? = nil,
        options: Options = Options()
    ) async throws -> RewardModel {
        guard !examples.isEmpty else { throw TrainingError(.data, "there are no votes to learn a reward model from") }
        if let odd = examples.firstIndex(where: { !($0.weight >= 0 && $0.weight.isFinite) }) {
            throw TrainingError(.data, "the weight of vote \(odd) is not a finite number from 0 up")
        }
        let features = RewardFeatures(
            contextTurns: options.contextTurns, dimension: encoder.dimension, extraCount: extra?.first?.count ?? 0)
        let table = try await features.rows(examples.map { ($0.context, $0.reply) }, encoder: encoder, extra: extra)
        let labels = examples.map(\.isGood)
        let weights = examples.map(\.weight)
        let fitted = try CrossValidatedLogistic(
            table, labels: labels, weights: weights, groups: examples.map(\.userID), folds: options.folds,
            penalties: options.penalties, standardise: true, seed: options.seed)
        let platt = try platt(margins: fitted.outOfFold, labels: labels, weights: weights)
        return RewardModel(
            features: features, encoder: encoderName, head: fitted.model, l2: fitted.l2, slope: platt.slope,
            offset: platt.offset,
            reasons: try reasonHeads(examples, table: table, l2: fitted.l2, minimum: options.minimumPerReason),
            training: Training(
                examples: examples.count, good: labels.count { $0 }, people: Set(examples.map(\.userID)).count,
                outOfFoldAUC: try ROC.auc(scores: fitted.outOfFold, labels: labels),
                losses: Dictionary(fitted.losses.map { ($0.l2, $0.loss) }) { a, _ in a }, seed: options.seed))
    }

    /// Platt's scaling with weights: a logistic curve through out-of-fold margins, with targets kept from 0 and 1. The
    /// slope is kept positive: a model without signal then says the base rate, never the reverse of its ranking.
    static func platt(
        margins: [Double], labels: [Bool], weights: [Double]
    ) throws -> (slope: Double, offset: Double) {
        let good = zip(labels, weights).reduce(0) { $0 + ($1.0 ? $1.1 : 0) }
        let bad = weights.reduce(0, +) - good
        let (high, low) = ((good + 1) / (good + 2), 1 / (bad + 2))
        let curve = try LogisticRegression(
            Matrix(column: margins), labels: labels.map { $0 ? high : low }, weights: weights,
            options: .init(l2: 1e-6, standardise: true, tolerance: 1e-8))
        if curve.coefficients[0] > 0 { return (curve.coefficients[0], curve.bias) }
        let rate = (good + 1) / (good + bad + 2)
        return (1e-6, log(rate / (1 - rate)))
    }

    private static func reasonHeads(
        _ examples: [RewardExample], table: Matrix, l2: Double, minimum: Int
    ) throws -> [ReasonHead] {
        let reasoned = examples.indices.filter {
            !examples[$0].isGood && !examples[$0].reasons.isEmpty && examples[$0].weight > 0
        }
        let part = table.selecting(rows: reasoned)
        let seen = Set(reasoned.flatMap { examples[$0].reasons }).sorted { $0.rawValue < $1.rawValue }
        return try seen.compactMap { reason in
            let labels = reasoned.map { examples[$0].reasons.contains(reason) ? 1.0 : 0.0 }
            let count = labels.count { $0 == 1 }
            guard count >= minimum, labels.count - count >= minimum else { return nil }
            let head = try LogisticRegression(
                part, labels: labels, weights: reasoned.map { examples[$0].weight },
                options: .init(l2: l2, standardise: true, tolerance: 1e-4))
            return ReasonHead(reason: reason, head: head, count: count)
        }
    }

    // MARK: - Scoring

    /// Probability that people like each reply.
    public func probabilities(
        _ pairs: [(context: [Turn], reply: String)], encoder: any TextEncoder, extra: [[Float]]? = nil
    ) async throws -> [Double] {
        try probabilities(await features.rows(pairs, encoder: encoder, extra: extra))
    }

    /// Probability of good for rows made by `features`.
    public func probabilities(_ rows: Matrix) throws -> [Double] {
        try head.margins(rows).map { LogisticRegression.sigmoid(slope * $0 + offset) }
    }

    /// For each row the probability of each known reason, given that the reply is bad. Reasons do not exclude each other.
    public func reasonProbabilities(_ rows: Matrix) throws -> [[DislikeReason: Double]] {
        var result = [[DislikeReason: Double]](repeating: [:], count: rows.rows)
        for reason in reasons {
            for (index, value) in try reason.head.predict(rows).enumerated() { result[index][reason.reason] = value }
        }
        return result
    }
}

/// A reward model with its encoder, as the classifier that other rooms know: the probability of a *good* reply.
public struct RewardScorer: TextClassifier {
    public let model: RewardModel
    public let encoder: any TextEncoder

    /// - Throws: `TrainingError` when the model needs more than texts, or another encoder.
    public init(model: RewardModel, encoder: any TextEncoder) throws {
        guard model.features.extraCount == 0 else {
            throw TrainingError(.options, "this reward model needs states of the dialogue model beside the texts")
        }
        guard model.features.dimension == encoder.dimension else {
            throw TrainingError(
                .options,
                "the encoder's vectors have \(encoder.dimension) numbers, the reward model's "
                    + "\(model.features.dimension)")
        }
        self.model = model
        self.encoder = encoder
    }

    public func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        try await model.probabilities(pairs.map { (context: $0.context, reply: $0.text) }, encoder: encoder)
    }
}
