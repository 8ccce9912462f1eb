import Foundation

/// How the learning rate goes over the steps: up over a warm-up, then constant, or down to a floor.
public struct Schedule: Sendable, Hashable {
    /// How it goes down after the warm-up.
    public enum Kind: String, Sendable, Hashable, Codable {
        case constant, linear, cosine
    }

    public var kind: Kind
    /// The highest rate.
    public var peak: Double
    /// Steps from 0 to the peak; step 0 already learns.
    public var warmUp: Int
    /// Steps in all.
    public var total: Int
    /// The rate at the end as a share of the peak.
    public var floor: Double

    public init(_ kind: Kind, peak: Double, warmUp: Int = 0, total: Int, floor: Double = 0) {
        self.kind = kind
        self.peak = peak
        self.warmUp = warmUp
        self.total = total
        self.floor = floor
    }

    /// The rate of a step, counted from 0.
    public func rate(at step: Int) -> Double {
        if step < warmUp { return peak * Double(step + 1) / Double(warmUp) }
        guard kind != .constant, total > warmUp else { return peak }
        let done = min(1, Double(step - warmUp) / Double(max(1, total - warmUp)))
        let share = kind == .linear ? 1 - done : 0.5 * (1 + cos(.pi * done))
        return peak * (floor + (1 - floor) * share)
    }
}
