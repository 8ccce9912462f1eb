/// Agreement of raters beyond chance (Krippendorff 2004): 1 is perfect, 0 what chance gives, below 0 systematic discord.
///
/// Any number of raters, missing ratings allowed; a unit with one rating says nothing and is left out.
public enum KrippendorffAlpha {
    /// How far apart two values are.
    public enum Distance: Sendable, Hashable {
        /// Equal or not: categories without order.
        case nominal
        /// By how many ratings lie between: ranks.
        case ordinal
        /// By the square of the difference: numbers.
        case interval
    }

    /// - Parameters:
    ///   - units: The ratings that each unit got, in any order; what is not a number is no rating.
    ///   - distance: What the values mean.
    /// - Returns: `nil` when fewer than two ratings can be paired, or all are the same, so that chance is not defined.
    public static func alpha(_ units: [[Double]], distance: Distance) -> Double? {
        let paired = units.map { unit in unit.filter { !$0.isNaN } }.filter { $0.count > 1 }
        let values = Set(paired.joined()).sorted()
        guard values.count > 1 else { return nil }
        let place = Dictionary(uniqueKeysWithValues: values.enumerated().map { ($1, $0) })
        let count = values.count
        var totals = [Double](repeating: 0, count: count)
        var coincidences = [Double](repeating: 0, count: count * count)
        for unit in paired {
            var here = [Double](repeating: 0, count: count)
            for value in unit { here[place[value]!] += 1 }
            let share = 1 / Double(unit.count - 1)
            for a in 0..<count where here[a] > 0 {
                totals[a] += here[a]
                for b in 0..<count where here[b] > 0 {
                    coincidences[a * count + b] += (a == b ? here[a] * (here[a] - 1) : here[a] * here[b]) * share
                }
            }
        }
        let sum = totals.reduce(0, +)
        var (observed, expected) = (0.0, 0.0)
        for a in 0..<count {
            for b in 0..<count where a != b {
                let apart = squared(distance, a, b, values: values, totals: totals)
                observed += coincidences[a * count + b] * apart
                expected += totals[a] * totals[b] * apart
            }
        }
        return expected > 0 ? 1 - (sum - 1) * observed / expected : nil
    }

    /// The same with a bootstrap interval over units.
    /// - Throws: `StatisticsError` when agreement has no value on the data or on most draws.
    public static func interval(
        _ units: [[Double]], distance: Distance, bootstrap: Bootstrap = Bootstrap()
    ) throws -> Interval {
        try bootstrap.interval(count: units.count) { alpha($0.map { units[$0] }, distance: distance) }
    }

    private static func squared(
        _ distance: Distance, _ a: Int, _ b: Int, values: [Double], totals: [Double]
    ) -> Double {
        switch distance {
        case .nominal: return 1
        case .interval: return (values[a] - values[b]) * (values[a] - values[b])
        case .ordinal:
            let between = totals[min(a, b)...max(a, b)].reduce(0, +) - (totals[a] + totals[b]) / 2
            return between * between
        }
    }
}
