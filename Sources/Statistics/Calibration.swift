import Foundation

/// A map from raw scores to probabilities.
public protocol Calibrator: Sendable {
    /// The probability that belongs to a score.
    func probability(_ score: Double) -> Double
}

/// Platt's scaling (1999): a logistic curve through the scores, with his targets that keep it from 0 and 1.
public struct PlattCalibrator: Calibrator, Hashable, Codable {
    public let slope: Double
    public let offset: Double

    /// - Throws: `StatisticsError` when lengths differ, a score is not finite, or there are none.
    public init(scores: [Double], labels: [Bool]) throws {
        let positives = Double(labels.count { $0 })
        let negatives = Double(labels.count) - positives
        let (high, low) = ((positives + 1) / (positives + 2), 1 / (negatives + 2))
        let model = try LogisticRegression(
            Matrix(column: scores), labels: labels.map { $0 ? high : low },
            options: .init(l2: 0, standardise: true, tolerance: 1e-9))
        slope = model.coefficients[0]
        offset = model.bias
    }

    public func probability(_ score: Double) -> Double { LogisticRegression.sigmoid(slope * score + offset) }
}

/// Isotonic regression: the rising step line nearest to the labels, linear between the points it was fitted on.
public struct IsotonicCalibrator: Calibrator, Hashable, Codable {
    /// Rising scores.
    public let scores: [Double]
    /// The probability at each of them.
    public let probabilities: [Double]

    /// Pools adjacent violators (Ayer and others 1955).
    /// - Throws: `StatisticsError` when lengths differ, a score is not a number, or there are none.
    public init(scores: [Double], labels: [Bool], weights: [Double]? = nil) throws {
        let weights = weights ?? [Double](repeating: 1, count: scores.count)
        guard scores.count == labels.count, weights.count == scores.count else {
            throw StatisticsError(.shape, "\(scores.count) scores, \(labels.count) labels and \(weights.count) weights")
        }
        guard !scores.isEmpty else { throw StatisticsError(.tooFew, "there is nothing to calibrate on") }
        if let row = scores.firstIndex(where: \.isNaN) { throw StatisticsError(.value, "score \(row) is not a number") }
        if let row = weights.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
            throw StatisticsError(.value, "weight \(weights[row]) of score \(row) is not positive")
        }
        // One point per distinct score, then merge backwards wherever the line would fall.
        var points: [(score: Double, sum: Double, weight: Double)] = []
        for index in scores.indices.sorted(by: { (scores[$0], $0) < (scores[$1], $1) }) {
            let label = labels[index] ? weights[index] : 0
            if let last = points.last, last.score == scores[index] {
                points[points.count - 1].sum += label
                points[points.count - 1].weight += weights[index]
            } else {
                points.append((scores[index], label, weights[index]))
            }
        }
        var blocks: [(first: Int, sum: Double, weight: Double)] = []
        for (index, point) in points.enumerated() {
            blocks.append((index, point.sum, point.weight))
            while blocks.count > 1 {
                let (last, before) = (blocks[blocks.count - 1], blocks[blocks.count - 2])
                guard last.sum / last.weight <= before.sum / before.weight else { break }
                blocks.removeLast()
                blocks[blocks.count - 1] = (before.first, before.sum + last.sum, before.weight + last.weight)
            }
        }
        var values = [Double](repeating: 0, count: points.count)
        for (number, block) in blocks.enumerated() {
            let end = number + 1 < blocks.count ? blocks[number + 1].first : points.count
            for index in block.first..<end { values[index] = block.sum / block.weight }
        }
        self.scores = points.map(\.score)
        probabilities = values
    }

    public func probability(_ score: Double) -> Double {
        guard let first = scores.first, let last = scores.last, !score.isNaN else { return .nan }
        if score <= first { return probabilities[0] }
        if score >= last { return probabilities[probabilities.count - 1] }
        var (low, high) = (0, scores.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if scores[middle] <= score { low = middle } else { high = middle }
        }
        // Any score is infinitely nearer to a finite one than to an infinite one.
        let (below, above) = (scores[low].isFinite, scores[high].isFinite)
        let part = below && above ? (score - scores[low]) / (scores[high] - scores[low]) : below ? 0 : above ? 1 : 0.5
        return probabilities[low] + part * (probabilities[high] - probabilities[low])
    }
}

/// How far stated probabilities are from what happens.
public struct Reliability: Sendable, Hashable, Codable {
    /// One bin of stated probabilities.
    public struct Bin: Sendable, Hashable, Codable {
        public var lower: Double
        public var upper: Double
        public var count: Int
        /// Mean stated probability of the examples in it.
        public var stated: Double
        /// Share of them that were true.
        public var observed: Double
    }
    /// Bins of equal width that hold examples.
    public var bins: [Bin]
    /// Expected calibration error: the gap between stated and observed, weighted by count.
    public var expectedCalibrationError: Double
    /// Mean squared distance of probability and label (Brier 1950).
    public var brier: Double

    enum CodingKeys: String, CodingKey {
        case bins, brier
        case expectedCalibrationError = "expected_calibration_error"
    }

    /// - Throws: `StatisticsError` when lengths differ, there are none, or a probability is outside 0 … 1.
    public init(probabilities: [Double], labels: [Bool], binCount: Int = 10) throws {
        guard probabilities.count == labels.count, binCount > 0 else {
            throw StatisticsError(
                .shape, "\(probabilities.count) probabilities, \(labels.count) labels, \(binCount) bins")
        }
        guard !labels.isEmpty else { throw StatisticsError(.tooFew, "there are no probabilities to check") }
        if let row = probabilities.firstIndex(where: { !($0 >= 0 && $0 <= 1) }) {
            throw StatisticsError(.value, "probability \(probabilities[row]) of example \(row) is outside 0 … 1")
        }
        var sums = [(count: Int, stated: Double, truth: Int)](repeating: (0, 0, 0), count: binCount)
        var squares = 0.0
        for (p, label) in zip(probabilities, labels) {
            let bin = min(Int(p * Double(binCount)), binCount - 1)
            sums[bin].count += 1
            sums[bin].stated += p
            sums[bin].truth += label ? 1 : 0
            squares += (p - (label ? 1 : 0)) * (p - (label ? 1 : 0))
        }
        bins = sums.enumerated().filter { $0.element.count > 0 }.map { index, sum in
            Bin(
                lower: Double(index) / Double(binCount), upper: Double(index + 1) / Double(binCount), count: sum.count,
                stated: sum.stated / Double(sum.count), observed: Double(sum.truth) / Double(sum.count))
        }
        expectedCalibrationError = bins.reduce(0) {
            $0 + abs($1.stated - $1.observed) * Double($1.count) / Double(labels.count)
        }
        brier = squares / Double(labels.count)
    }
}
