/// Percentile bootstrap intervals (Efron 1979); whole clusters are drawn where examples hang together.
public struct Bootstrap: Sendable, Hashable {
    /// How many times to draw.
    public var replicates: Int
    /// Confidence level.
    public var level: Double
    public var seed: UInt64

    public init(replicates: Int = 2000, level: Double = 0.95, seed: UInt64 = 0) {
        self.replicates = max(replicates, 1)
        self.level = level
        self.seed = seed
    }

    /// Interval of any statistic of the examples `0 ..< count`.
    /// - Parameters:
    ///   - clusters: The cluster of each example (the person, the prompt); `nil` draws examples one by one.
    ///   - statistic: Its value on examples given by index, repeats included; `nil` where it has none (one class only,
    ///     say), and such draws are left out.
    /// - Throws: `StatisticsError` when there are no examples, or the statistic has no value on them or on most draws.
    public func interval<Cluster: Hashable>(
        count: Int, clusters: [Cluster]?, statistic: ([Int]) -> Double?
    ) throws -> Interval {
        let members = try members(count: count, clusters: clusters)
        guard let estimate = statistic(Array(0..<count)) else {
            throw StatisticsError(.tooFew, "the statistic has no value on the data")
        }
        var generator = SeededGenerator(seed: seed).fork("bootstrap")
        var draws: [Double] = []
        var picked: [Int] = []
        for _ in 0..<replicates {
            picked.removeAll(keepingCapacity: true)
            for _ in members { picked.append(contentsOf: members[generator.index(below: members.count)]) }
            if let value = statistic(picked), value.isFinite { draws.append(value) }
        }
        return try summary(estimate, &draws)
    }

    /// Interval of any statistic, examples drawn one by one.
    public func interval(count: Int, statistic: ([Int]) -> Double?) throws -> Interval {
        try interval(count: count, clusters: [Int]?.none, statistic: statistic)
    }

    /// Interval of a weighted mean, `Σ w x / Σ w`.
    public func mean<Cluster: Hashable>(
        _ values: [Double], weights: [Double]? = nil, clusters: [Cluster]?
    ) throws -> Interval {
        guard weights.map({ $0.count == values.count }) ?? true else {
            throw StatisticsError(.shape, "\(values.count) values and \(weights?.count ?? 0) weights")
        }
        if let row = values.firstIndex(where: { !$0.isFinite }) {
            throw StatisticsError(.value, "value \(row) is not a finite number")
        }
        let members = try members(count: values.count, clusters: clusters)
        // Only each cluster's sums matter, so a draw costs one step per cluster.
        let sums = members.map { cluster in
            cluster.reduce((value: 0.0, weight: 0.0)) {
                let weight = weights?[$1] ?? 1
                return ($0.value + weight * values[$1], $0.weight + weight)
            }
        }
        let total = sums.reduce((value: 0.0, weight: 0.0)) { ($0.value + $1.value, $0.weight + $1.weight) }
        guard total.weight > 0 else { throw StatisticsError(.tooFew, "all weights are 0") }
        var generator = SeededGenerator(seed: seed).fork("bootstrap")
        var draws: [Double] = []
        draws.reserveCapacity(replicates)
        for _ in 0..<replicates {
            var value = 0.0
            var weight = 0.0
            for _ in sums {
                let drawn = sums[generator.index(below: sums.count)]
                value += drawn.value
                weight += drawn.weight
            }
            if weight > 0 { draws.append(value / weight) }
        }
        return try summary(total.value / total.weight, &draws)
    }

    /// Interval of a share: the weighted mean of values from 0 to 1.
    ///
    /// Where every draw comes out alike (nobody did it, everybody did, there is one cluster) the bootstrap has no width however
    /// few there are; there Wilson's interval, on the number of clusters, tells how much could have been missed.
    public func share<Cluster: Hashable>(
        _ values: [Double], weights: [Double]? = nil, clusters: [Cluster]
    ) throws -> Interval {
        let drawn = try mean(values, weights: weights, clusters: clusters)
        guard drawn.upper - drawn.lower < 1e-12 else { return drawn }
        let count = Double(Set(clusters).count)
        var interval = Proportion.wilson(successes: drawn.estimate * count, trials: count, level: level)
        interval.estimate = drawn.estimate
        return interval
    }

    /// Interval of a mean, examples drawn one by one.
    public func mean(_ values: [Double]) throws -> Interval { try mean(values, clusters: [Int]?.none) }

    /// Interval of the mean of `second − first`, pair by pair: two models on the same prompts.
    public func pairedDifference<Cluster: Hashable>(
        _ first: [Double], _ second: [Double], clusters: [Cluster]?
    ) throws -> Interval {
        guard first.count == second.count else {
            throw StatisticsError(
                .shape, "pairs need as many first (\(first.count)) as second values (\(second.count))")
        }
        return try mean(zip(first, second).map { $1 - $0 }, clusters: clusters)
    }

    /// Interval of the mean of `second − first`, pairs drawn one by one.
    public func pairedDifference(_ first: [Double], _ second: [Double]) throws -> Interval {
        try pairedDifference(first, second, clusters: [Int]?.none)
    }

    private func members<Cluster: Hashable>(count: Int, clusters: [Cluster]?) throws -> [[Int]] {
        guard count > 0 else { throw StatisticsError(.tooFew, "there is nothing to draw from") }
        guard let clusters else { return (0..<count).map { [$0] } }
        guard clusters.count == count else {
            throw StatisticsError(.shape, "\(count) examples and \(clusters.count) cluster names")
        }
        var positions: [Cluster: Int] = [:]
        var members: [[Int]] = []
        for (index, cluster) in clusters.enumerated() {
            if let position = positions[cluster] {
                members[position].append(index)
            } else {
                positions[cluster] = members.count
                members.append([index])
            }
        }
        return members
    }

    private func summary(_ estimate: Double, _ draws: inout [Double]) throws -> Interval {
        guard draws.count * 2 > replicates else {
            throw StatisticsError(.tooFew, "the statistic had a value on \(draws.count) of \(replicates) draws only")
        }
        draws.sort()
        let tail = (1 - level) / 2
        return Interval(
            estimate: estimate, lower: quantile(draws, tail), upper: quantile(draws, 1 - tail), level: level)
    }

    /// Linear between the two nearest of sorted values.
    private func quantile(_ sorted: [Double], _ share: Double) -> Double {
        let position = min(max(share, 0), 1) * Double(sorted.count - 1)
        let low = Int(position)
        let high = min(low + 1, sorted.count - 1)
        return sorted[low] + (position - Double(low)) * (sorted[high] - sorted[low])
    }
}
