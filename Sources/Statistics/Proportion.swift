/// Shares of a count.
public enum Proportion {
    /// The score interval of Wilson (1927): keeps its level for small counts and never leaves 0 … 1.
    /// - Parameters:
    ///   - successes: From 0 to `trials`; weighted counts may be fractions.
    ///   - trials: 0 gives the interval 0 … 1 around 0.5.
    public static func wilson(successes: Double, trials: Double, level: Double = 0.95) -> Interval {
        guard trials > 0 else { return Interval(estimate: 0.5, lower: 0, upper: 1, level: level) }
        let z = Normal.quantile(0.5 + level / 2)
        let share = min(max(successes / trials, 0), 1)
        let spread = z * z / trials
        let centre = (share + spread / 2) / (1 + spread)
        let half = z / (1 + spread) * (share * (1 - share) / trials + spread / (4 * trials)).squareRoot()
        return Interval(
            estimate: share, lower: share == 0 ? 0 : max(0, centre - half),
            upper: share == 1 ? 1 : min(1, centre + half),
            level: level)
    }

    /// The score interval of a whole count.
    public static func wilson(_ successes: Int, of trials: Int, level: Double = 0.95) -> Interval {
        wilson(successes: Double(successes), trials: Double(trials), level: level)
    }
}
