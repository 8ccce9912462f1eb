import Foundation

/// How the learning rate changes over a run: a linear warm-up to the peak, then a curve down to the floor.
public struct Schedule: Sendable, Hashable {
    /// The curve after the warm-up.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case constant
        case linear
        /// Half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983).
        case cosine
    }

    public var kind: Kind
    /// The highest rate.
    public var peak: Double
    /// Steps of the way up.
    public var warmUp: Int
    /// Steps of the whole run; later steps stay at the floor.
    public var total: Int
    /// Where the curve ends, as a share of the peak; unused when constant.
    public var floor: Double

    public init(_ kind: Kind, peak: Double, warmUp: Int = 0, total: Int, floor: Double = 0) {
        self.kind = kind
        self.peak = peak
        self.warmUp = warmUp
        self.total = total
        self.floor = floor
    }

    /// The rate of a step, counted from 0. Step 0 of a warm-up of `n` has `peak / n`, so that it already learns; step `n`
    /// is the first of the curve and has the peak; step `total` would have the floor.
    public func rate(at step: Int) -> Double {
        let (step, warmUp) = (max(0, step), max(0, warmUp))
        if step < warmUp { return peak * Double(step + 1) / Double(warmUp) }
        guard kind != .constant, total > warmUp else { return peak }
        let done = min(1, Double(step - warmUp) / Double(total - warmUp))
        let share = kind == .linear ? 1 - done : (1 + cos(.pi * done)) / 2
        return peak * (floor + (1 - floor) * share)
    }
}
