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
    /// Tells what people call inappropriate from what they dislike for other reasons and from what is surely good; `nil` where too few were
    /// called so, or it does not find them, and in models from before there was such a head.
    public var rudeness: ReasonHead?
    /// What it was learned from.
    public var training: Training

    /// How probable one reason is, given that a reply is bad.
    public struct ReasonHead: Sendable, Hashable, Codable {
        public var reason: DislikeReason
        public var head: LogisticRegression
        /// Replies with this reason that it was learned from.
        public var count: Int
        /// Share of the replies that it was learned from that carry it; `nil` in models from before it was kept.
        public var share: Double?
    }

    /// What a reward model was learned from.
    public struct Training: Sendable, Hashable, Codable {
        public var examples: Int
        public var good: Int
        public var people: Int
        /// Share of them that are good once the doubt in their labels is reckoned out; `nil` where no label was in doubt, and in models from
        /// before that was asked. Probabilities are of a population with this share: see `PriorShift` for others.
        public var goodShare: Double?
        /// Area under the ROC curve of out-of-fold scores on its own training votes.
        public var outOfFoldAUC: Double
        /// Mean out-of-fold log loss by penalty.
        public var losses: [Double: Double]
        public var seed: UInt64

        enum CodingKeys: String, CodingKey {
            case examples, good, people, losses, seed
            case goodShare = "good_share"
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

    /// Learns from votes: the model of `fit`.
    public static func train(
        _ examples: [RewardExample], encoder: any TextEncoder, encoderName: String, extra: [[Float]]? = nil,
        options: Options = Options()
    ) async throws -> RewardModel {
        try await fit(examples, encoder: encoder, encoderName: encoderName, extra: extra, options: options).model
    }

    /// Learns from votes.
    /// - Parameters:
    ///   - encoderName: Kept in the saved model.
    ///   - extra: Frozen states of the dialogue model, one row per example; the same must be given when scoring.
    /// - Returns: The model, and for each example the probability of good by a model that saw no vote of its person.
    /// - Throws: `TrainingError` when there are no votes, one class or one person only, or a weight or doubt is broken.
    public static func fit(
        _ examples: [RewardExample], encoder: any TextEncoder, encoderName: String, extra: [[Float]]? = nil,
        options: Options = Options()
    ) async throws -> (model: RewardModel, outOfFold: [Double]) {
        guard !examples.isEmpty else { throw TrainingError(.data, "there are no votes to learn a reward model from") }
        if let odd = examples.firstIndex(where: { !($0.weight >= 0 && $0.weight.isFinite) }) {
            throw TrainingError(.data, "the weight of vote \(odd) is not a finite number from 0 up")
        }
        if let odd = examples.firstIndex(where: { !($0.doubt >= 0 && $0.doubt <= 1) }) {
            throw TrainingError(.data, "the doubt in vote \(odd) is not a probability")
        }
        let features = RewardFeatures(
            contextTurns: options.contextTurns, dimension: encoder.dimension, extraCount: extra?.first?.count ?? 0)
        let table = try await features.rows(examples.map { ($0.context, $0.reply) }, encoder: encoder, extra: extra)
        let labels = examples.map(\.isGood)
        let weights = examples.map(\.weight)
        let fitted = try CrossValidatedLogistic(
            table, labels: labels, weights: weights, groups: examples.map(\.userID), folds: options.folds,
            penalties: options.penalties, standardise: true, seed: options.seed)
        let doubts = examples.map(\.doubt)
        let isDoubted = zip(doubts, weights).contains { $0 > 0 && $1 > 0 }
        let platt =
            isDoubted
            ? try Self.platt(margins: fitted.outOfFold, labels: labels, weights: weights, doubts: doubts)
            : try Self.platt(margins: fitted.outOfFold, labels: labels, weights: weights)
        let outOfFold = fitted.outOfFold.map { LogisticRegression.sigmoid(platt.slope * $0 + platt.offset) }
        let counted = outOfFold.indices.filter { weights[$0] > 0 }
        let model = RewardModel(
            features: features, encoder: encoderName, head: fitted.model, l2: fitted.l2, slope: platt.slope,
            offset: platt.offset,
            reasons: try reasonHeads(examples, table: table, l2: fitted.l2, options: options),
            rudeness: try rudeness(examples, read: outOfFold, table: table, l2: fitted.l2, options: options),
            training: Training(
                examples: examples.count, good: labels.count { $0 }, people: Set(examples.map(\.userID)).count,
                goodShare: isDoubted ? counted.reduce(0) { $0 + outOfFold[$1] } / Double(counted.count) : nil,
                outOfFoldAUC: try ROC.auc(scores: fitted.outOfFold, labels: labels),
                losses: Dictionary(fitted.losses.map { ($0.l2, $0.loss) }) { a, _ in a }, seed: options.seed))
        return (model, outOfFold)
    }

    /// Platt's scaling through labels that may be wrong: the curve of what a reply *is*, found by EM, each label being right with one minus
    /// its doubt (the annotators' likelihood of Raykar and others 2010, "Learning from crowds", with what trust made of them). The plain
    /// curve is that of what people *say*, which is less sharp by as much as they err; this one is at most four times as sharp. Examples
    /// without weight do not count.
    static func platt(
        margins: [Double], labels: [Bool], weights: [Double], doubts: [Double]
    ) throws -> (slope: Double, offset: Double) {
        let counted = labels.indices.filter { weights[$0] > 0 }
        // No label is beyond doubt: a single one against a sure margin would flatten the curve.
        let doubt = counted.map { min(max(doubts[$0], 0.01), 0.99) }
        let isGood = counted.map { labels[$0] }
        let column = Matrix(column: counted.map { margins[$0] })
        var curve = (slope: 1.0, offset: 0.0)
        var good = zip(isGood, doubt).map { $0 ? 1 - $1 : $1 }
        for _ in 0..<200 {
            let fitted = try LogisticRegression(
                column, labels: good, weights: counted.map { weights[$0] },
                options: .init(l2: 1e-6, standardise: true, tolerance: 1e-8))
            let step = max(abs(fitted.coefficients[0] - curve.slope), abs(fitted.bias - curve.offset))
            curve = (fitted.coefficients[0], fitted.bias)
            if step < 1e-4 { break }
            for (place, index) in counted.enumerated() {
                let prior = LogisticRegression.sigmoid(curve.slope * margins[index] + curve.offset)
                let (says, contrary) =
                    isGood[place] ? (1 - doubt[place], doubt[place]) : (doubt[place], 1 - doubt[place])
                good[place] = prior * says / (prior * says + (1 - prior) * contrary)
            }
        }
        let believed = zip(labels, doubts).map { $0 != ($1 > 0.5) }
        let plain = try platt(margins: margins, labels: believed, weights: weights)
        guard curve.slope > 0 else { return plain }
        // Labels that margins tell better than their doubt would let one have the curve a step; where it crosses one half stays.
        let scale = min(1, 4 * plain.slope / curve.slope)
        return (curve.slope * scale, curve.offset * scale)
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
        _ examples: [RewardExample], table: Matrix, l2: Double, options: Options
    ) throws -> [ReasonHead] {
        let reasoned = examples.indices.filter {
            !examples[$0].isGood && !examples[$0].reasons.isEmpty && examples[$0].weight > 0
        }
        let seen = Set(reasoned.flatMap { examples[$0].reasons }).sorted { $0.rawValue < $1.rawValue }
        return try seen.compactMap {
            try head(of: $0, among: reasoned, examples, table: table, l2: l2, options: options)
        }
    }

    /// Tells what people call inappropriate from what they dislike for other reasons and from replies that are surely good: a head that had
    /// never met these would find rudeness in some. Likes of other replies are left out, as those who provoke a bot like what they provoked.
    /// Its margin is above 0 from where on people call a reply so at least half as often, out of fold, as they do the rudest: how often that is
    /// depends on who sees such replies, says so, and gives reasons at random. `nil` where too few were called so, or the head does not find
    /// them.
    /// - Parameter read: of each example the probability of good by a model that saw no vote of its person.
    private static func rudeness(
        _ examples: [RewardExample], read: [Double], table: Matrix, l2: Double, options: Options
    ) throws -> ReasonHead? {
        let told = examples.indices.filter {
            examples[$0].weight > 0 && (examples[$0].isGood ? read[$0] > surelyGood : !examples[$0].reasons.isEmpty)
        }
        let labels = told.map { !examples[$0].isGood && examples[$0].reasons.contains(.inappropriate) }
        let people = told.map { examples[$0].userID }
        let count = labels.count { $0 }
        guard count >= options.minimumPerReason, labels.count - count >= options.minimumPerReason,
            Set(people).count > 1
        else { return nil }
        let weights = told.map { examples[$0].weight }
        let fitted = try CrossValidatedLogistic(
            table.selecting(rows: told), labels: labels, weights: weights, groups: people, folds: options.folds,
            penalties: [l2], standardise: true, seed: options.seed)
        let share = Double(count) / Double(labels.count)
        guard let from = try rudeFrom(fitted.outOfFold, labels: labels, weights: weights) else { return nil }
        let head = LogisticRegression(
            coefficients: fitted.model.coefficients, bias: fitted.model.bias - from, fit: fitted.model.fit)
        return ReasonHead(reason: .inappropriate, head: head, count: count, share: share)
    }

    /// A liked reply is one that nobody could call rude from this probability up.
    private static let surelyGood = 0.8

    /// The least margin from which on replies are called so at least half as often as those with the highest; `nil` where those are called so
    /// hardly more often than others.
    static func rudeFrom(_ margins: [Double], labels: [Bool], weights: [Double]) throws -> Double? {
        let order = margins.indices.sorted { (margins[$0], $1) > (margins[$1], $0) }
        func rate(_ places: some Sequence<Int>) -> Double {
            var (called, all) = (0.0, 0.0)
            for place in places {
                all += weights[place]
                if labels[place] { called += weights[place] }
            }
            return all > 0 ? called / all : 0
        }
        let top = rate(order.prefix(max(10, labels.count { $0 } / 2)))
        guard top > 3 * rate(order) else { return nil }
        let curve = try IsotonicCalibrator(scores: margins, labels: labels, weights: weights)
        return order.last { curve.probability(margins[$0]) >= top / 2 }.map { margins[$0] }
    }

    /// A head that tells replies disliked for a reason from others, its probabilities of what people say calibrated out of fold: the penalty
    /// alone would hold that of a rare reason near its share, however surely the head ranks it. `nil` for too few of either kind.
    private static func head(
        of reason: DislikeReason, among places: [Int], _ examples: [RewardExample], table: Matrix, l2: Double,
        options: Options
    ) throws -> ReasonHead? {
        let labels = places.map { !examples[$0].isGood && examples[$0].reasons.contains(reason) }
        let count = labels.count { $0 }
        guard count >= options.minimumPerReason, labels.count - count >= options.minimumPerReason else { return nil }
        let share = Double(count) / Double(labels.count)
        let part = table.selecting(rows: places)
        let weights = places.map { examples[$0].weight }
        let people = places.map { examples[$0].userID }
        guard Set(people).count > 1 else {
            let head = try LogisticRegression(
                part, labels: labels.map { $0 ? 1 : 0 }, weights: weights,
                options: .init(l2: l2, standardise: true, tolerance: 1e-4))
            return ReasonHead(reason: reason, head: head, count: count, share: share)
        }
        let fitted = try CrossValidatedLogistic(
            part, labels: labels, weights: weights, groups: people, folds: options.folds, penalties: [l2],
            standardise: true, seed: options.seed)
        let curve = try platt(margins: fitted.outOfFold, labels: labels, weights: weights)
        // The curve is part of the head: its coefficients and bias, scaled.
        let head = LogisticRegression(
            coefficients: fitted.model.coefficients.map { $0 * curve.slope },
            bias: fitted.model.bias * curve.slope + curve.offset, fit: fitted.model.fit)
        return ReasonHead(reason: reason, head: head, count: count, share: share)
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

    /// For each row the probability of each known reason, given that the reply is bad, as people would name it: seldom, where the reason is
    /// seldom named. Reasons do not exclude each other.
    public func reasonProbabilities(_ rows: Matrix) throws -> [[DislikeReason: Double]] {
        var result = [[DislikeReason: Double]](repeating: [:], count: rows.rows)
        for reason in reasons {
            for (index, value) in try reason.head.predict(rows).enumerated() { result[index][reason.reason] = value }
        }
        return result
    }

    /// For each row how far it is from what people call inappropriate (below 0) or within it (above), in nats; `nil` where there is no head.
    public func rudeness(_ rows: Matrix) throws -> [Double]? { try rudeness?.head.margins(rows) }
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
