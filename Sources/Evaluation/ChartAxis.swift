import Foundation

/// A linear axis with round tick values.
struct ChartAxis {
    let ticks: [Double]
    let low: Double
    let high: Double
    private let digits: Int

    /// Covers the values, with about `count` ticks at 1, 2 or 5 times a power of ten. Values that are not finite are left out.
    init(covering values: [Double], count: Int = 5, includingZero: Bool = false) {
        let finite = values.filter(\.isFinite) + (includingZero ? [0] : [])
        var (least, most) = (finite.min() ?? 0, finite.max() ?? 1)
        if most - least < 1e-9 * max(1, abs(most)) {
            let room = max(abs(most) * 0.1, 0.01)
            least -= room
            most += room
        }
        let rough = (most - least) / Double(max(count, 1))
        let power = pow(10, log10(rough).rounded(.down))
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
        let first = (least / step + 1e-9).rounded(.down)
        let last = (most / step - 1e-9).rounded(.up)
        ticks = stride(from: first, through: last, by: 1).map { $0 * step }
        low = first * step
        high = last * step
        digits = max(0, Int((-log10(step) - 1e-9).rounded(.up)))
    }

    /// Place of a value from 0 to 1.
    func place(_ value: Double) -> Double { high > low ? (value - low) / (high - low) : 0.5 }

    /// A tick as a number, or as a percentage of 1.
    func label(_ tick: Double, asPercent: Bool = false) -> String {
        // −0 is written as 0.
        let value = tick == 0 ? 0 : tick
        return asPercent
            ? String(format: "%.\(max(0, digits - 2))f", 100 * value) + " %" : String(format: "%.\(digits)f", value)
    }
}
