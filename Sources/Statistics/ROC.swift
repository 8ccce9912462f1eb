/// How well a score ranks positives above negatives.
public enum ROC {
    /// Area under the curve: the chance that a positive scores above a negative, ties counting half.
    /// - Throws: `StatisticsError` when lengths differ, a score is not a number, or one class is missing.
    public static func auc(scores: [Double], labels: [Bool]) throws -> Double {
        try split(scores, labels).area
    }

    /// Area under the curve with the interval of DeLong, DeLong and Clarke-Pearson (1988), cut to 0 … 1.
    ///
    /// It takes examples as independent; when several come from one person use `Bootstrap.interval(clusters:)`.
    /// - Throws: `StatisticsError` as `auc`, and when a class has one example only, which does not show how it varies.
    public static func interval(scores: [Double], labels: [Bool], level: Double = 0.95) throws -> Interval {
        let placed = try split(scores, labels)
        guard placed.positives.count > 1, placed.negatives.count > 1 else {
            throw StatisticsError(
                .tooFew,
                "DeLong's interval needs two examples of each class: \(placed.positives.count) positive, "
                    + "\(placed.negatives.count) negative")
        }
        let error =
            (variance(placed.positives) / Double(placed.positives.count)
            + variance(placed.negatives) / Double(placed.negatives.count)).squareRoot()
        let reach = Normal.quantile(0.5 + level / 2) * error
        return Interval(
            estimate: placed.area, lower: max(0, placed.area - reach), upper: min(1, placed.area + reach), level: level)
    }

    /// For each positive the share of negatives below it, for each negative the share of positives above it, by midranks
    /// (Sun and Xu 2014): n log n.
    private static func split(
        _ scores: [Double], _ labels: [Bool]
    ) throws -> (positives: [Double], negatives: [Double], area: Double) {
        guard scores.count == labels.count else {
            throw StatisticsError(.shape, "\(scores.count) scores and \(labels.count) labels")
        }
        if let row = scores.firstIndex(where: \.isNaN) {
            throw StatisticsError(.value, "score \(row) is not a number")
        }
        let positiveCount = labels.count { $0 }
        let negativeCount = labels.count - positiveCount
        guard positiveCount > 0, negativeCount > 0 else {
            throw StatisticsError(
                .tooFew,
                "an area under the curve needs both classes: \(positiveCount) positive, \(negativeCount) negative")
        }
        let order = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
        var positives: [Double] = []
        var negatives: [Double] = []
        var below = (positive: 0, negative: 0)
        var start = 0
        while start < order.count {
            var end = start
            var tied = (positive: 0, negative: 0)
            while end < order.count, scores[order[end]] == scores[order[start]] {
                if labels[order[end]] { tied.positive += 1 } else { tied.negative += 1 }
                end += 1
            }
            let beaten = Double(below.negative) + Double(tied.negative) / 2
            let above = Double(positiveCount - below.positive - tied.positive) + Double(tied.positive) / 2
            for position in start..<end {
                if labels[order[position]] {
                    positives.append(beaten / Double(negativeCount))
                } else {
                    negatives.append(above / Double(positiveCount))
                }
            }
            below.positive += tied.positive
            below.negative += tied.negative
            start = end
        }
        return (positives, negatives, positives.reduce(0, +) / Double(positiveCount))
    }

    private static func variance(_ values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(values.count)
        return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
    }
}
