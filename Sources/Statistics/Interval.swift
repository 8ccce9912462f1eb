/// An estimate with its confidence interval.
public struct Interval: Sendable, Hashable, Codable {
    /// The point estimate, on all the data.
    public var estimate: Double
    public var lower: Double
    public var upper: Double
    /// Confidence level, 0.95 for a 95 % interval.
    public var level: Double

    public init(estimate: Double, lower: Double, upper: Double, level: Double = 0.95) {
        self.estimate = estimate
        self.lower = lower
        self.upper = upper
        self.level = level
    }

    /// Half the interval's width.
    public var halfWidth: Double { (upper - lower) / 2 }
}
