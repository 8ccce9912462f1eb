import Conversations
import Foundation
import Statistics

/// How well scores tell good replies from bad on votes of people that the model never saw, beside simple baselines.
public struct RewardEvaluation: Sendable, Hashable, Codable {
    /// One row of the table: a model and its area under the ROC curve.
    public struct Row: Sendable, Hashable, Codable {
        public var name: String
        /// With a bootstrap interval over people.
        public var auc: Interval
    }

    /// The reward model first, then the baselines.
    public var rows: [Row]
    /// Held-out votes, good ones among them, and people.
    public var examples: Int
    public var good: Int
    public var people: Int
    /// How far the reward model's probabilities are from what happens.
    public var reliability: Reliability

    /// Tests a model and the baselines, which are learned from the same training votes.
    /// - Parameters:
    ///   - train: What the model was learned from.
    ///   - test: Votes of other people.
    ///   - extraTest: Frozen states for `test` where the model takes them.
    /// - Throws: `TrainingError` when a person is on both sides; `StatisticsError` when the test votes have one class only.
    public init(
        _ model: RewardModel, train: [RewardExample], test: [RewardExample], encoder: any TextEncoder,
        extraTest: [[Float]]? = nil, replicates: Int = 1000, seed: UInt64 = 0
    ) async throws {
        let known = Set(train.map(\.userID))
        if let both = test.first(where: { known.contains($0.userID) }) {
            throw TrainingError(.data, "\(both.userID) is among the training and the held-out people")
        }
        let labels = test.map(\.isGood)
        let users = test.map(\.userID)
        let bootstrap = Bootstrap(replicates: replicates, seed: seed)
        func row(_ name: String, _ scores: [Double]) throws -> Row {
            let interval = try bootstrap.interval(count: test.count, clusters: users) { picked in
                try? ROC.auc(scores: picked.map { scores[$0] }, labels: picked.map { labels[$0] })
            }
            return Row(name: name, auc: interval)
        }
        let pairs = test.map { (context: $0.context, reply: $0.reply) }
        let probabilities = try await model.probabilities(pairs, encoder: encoder, extra: extraTest)
        rows = [try row("reward model", probabilities)]
        for (name, scores) in try await RewardBaselines.scores(train: train, test: test, encoder: encoder, seed: seed) {
            rows.append(try row(name, scores))
        }
        examples = test.count
        good = labels.count { $0 }
        people = Set(users).count
        reliability = try Reliability(probabilities: probabilities, labels: labels)
    }
}

/// What a reward model must beat: learned from the same votes, scored on the same held-out people.
public enum RewardBaselines {
    /// Scores of `test` by reply length, by TF-IDF and by the frozen encoder, each with a logistic regression whose
    /// penalty is picked by cross-validation over people.
    public static func scores(
        train: [RewardExample], test: [RewardExample], encoder: any TextEncoder, seed: UInt64 = 0
    ) async throws -> [(name: String, scores: [Double])] {
        func fit<Table: FeatureTable>(
            _ name: String, _ table: Table, _ held: Table, _ penalties: [Double], standardise: Bool
        ) throws -> (name: String, scores: [Double]) {
            let fitted = try CrossValidatedLogistic(
                table, labels: train.map(\.isGood), weights: train.map(\.weight), groups: train.map(\.userID),
                penalties: penalties, standardise: standardise, seed: seed)
            return (name, try fitted.model.margins(held))
        }
        func length(_ examples: [RewardExample]) -> Matrix {
            Matrix(column: examples.map { log(1 + Double(OverlapFeatures.words($0.reply).count)) })
        }
        func text(_ example: RewardExample) -> String {
            (example.context.suffix(3).map(\.text) + [example.reply]).joined(separator: "\n")
        }
        func vectors(_ examples: [RewardExample]) async throws -> Matrix {
            let plain = RewardFeatures(dimension: encoder.dimension)
            let all = try await plain.rows(examples.map { ($0.context, $0.reply) }, encoder: encoder)
            return try Matrix(
                rows: all.rows, columns: 2 * encoder.dimension,
                values: (0..<all.rows).flatMap { all[row: $0].prefix(2 * encoder.dimension) })
        }
        let words = TFIDF(train.map(text), minimumDocuments: 2)
        return [
            try fit("reply length", length(train), length(test), [1], standardise: true),
            try fit(
                "TF-IDF, logistic regression", words.transform(train.map(text)), words.transform(test.map(text)),
                [0.1, 1, 10], standardise: false),
            try fit(
                "frozen encoder, logistic regression", try await vectors(train), try await vectors(test),
                [100, 300, 1000, 3000, 10000, 30000], standardise: true),
        ]
    }
}
