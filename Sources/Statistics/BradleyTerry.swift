import Foundation

/// Strengths of things that were compared in pairs (Bradley and Terry 1952), with the advantage of standing first and the
/// weight of anything else that differs within a pair, length for one.
///
/// `P(first beats second) = σ(s_first − s_second + advantage + covariates·weights)`. A tie is half a win for each. The
/// strengths have a normal prior around 0, so that one which won every contest stays finite. Fitted as a logistic regression
/// on differences.
public struct BradleyTerry: Sendable, Hashable {
    /// One contest of two things, given by index.
    public struct Contest: Sendable, Hashable {
        public var first: Int
        public var second: Int
        /// 1 when the first won, 0 when the second did, 0.5 for a tie; anything between is allowed.
        public var result: Double
        /// First less second, for each covariate.
        public var covariates: [Double]

        public init(first: Int, second: Int, result: Double, covariates: [Double] = []) {
            self.first = first
            self.second = second
            self.result = result
            self.covariates = covariates
        }
    }

    /// Log-odds scale; they add up to 0.
    public var strengths: [Double]
    /// Log-odds that the first of two equals wins; 0 where `modelsPosition` was off.
    public var advantage: Double
    /// Log-odds per unit of each covariate.
    public var covariateWeights: [Double]

    /// - Parameters:
    ///   - count: How many things there are.
    ///   - modelsPosition: Estimate the advantage of standing first; off, every contest counts from both sides.
    ///   - l2: Inverse variance of the prior; .1 lets strengths differ by about ±6 logits before it is felt.
    /// - Throws: `StatisticsError` for a contest out of range, with itself, or without contests at all.
    public init(count: Int, contests: [Contest], modelsPosition: Bool = true, l2: Double = 0.1) throws {
        let covariates = contests.first?.covariates.count ?? 0
        for (index, contest) in contests.enumerated() {
            guard (0..<count).contains(contest.first), (0..<count).contains(contest.second),
                contest.first != contest.second
            else {
                throw StatisticsError(
                    .value, "contest \(index) is between \(contest.first) and \(contest.second) of \(count) things")
            }
            guard contest.covariates.count == covariates else {
                throw StatisticsError(
                    .shape, "contest \(index) has \(contest.covariates.count) covariates, the first \(covariates)")
            }
        }
        var rows: [[Float]] = []
        var labels: [Double] = []
        for contest in contests {
            var row = [Float](repeating: 0, count: count + covariates)
            row[contest.first] = 1
            row[contest.second] = -1
            for (place, value) in contest.covariates.enumerated() { row[count + place] = Float(value) }
            rows.append(row)
            labels.append(contest.result)
            guard !modelsPosition else { continue }
            rows.append(row.map { -$0 })
            labels.append(1 - contest.result)
        }
        let weights = [Double](repeating: modelsPosition ? 1 : 0.5, count: rows.count)
        let model = try LogisticRegression(
            Matrix(rows), labels: labels, weights: weights,
            options: .init(l2: l2, tolerance: 1e-9, maximumIterations: 2_000))
        let raw = model.coefficients.prefix(count)
        let mean = raw.reduce(0, +) / Double(max(count, 1))
        strengths = raw.map { $0 - mean }
        covariateWeights = Array(model.coefficients.dropFirst(count))
        advantage = modelsPosition ? model.bias : 0
    }

    /// Probability that one beats the other where neither has an advantage.
    public func probability(_ one: Int, beats other: Int) -> Double {
        LogisticRegression.sigmoid(strengths[one] - strengths[other])
    }
}
