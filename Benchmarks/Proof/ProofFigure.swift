import Foundation
import Simulation
import Statistics

/// A share over seeds: its mean with a 95 % interval of Student's t between seeds, or Wilson's over prompts where there is one seed.
struct ProofFigure {
    let interval: Interval
    let seeds: Int

    /// The two-sided 95 % points of Student's t with 1 … 9 degrees of freedom.
    private static let student = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]

    /// - Parameter values: one share per seed.
    /// - Parameter trials: replies per seed.
    init?(_ values: [Double], trials: Int) {
        guard !values.isEmpty else { return nil }
        seeds = values.count
        let mean = values.reduce(0, +) / Double(values.count)
        if values.count == 1 {
            interval = Proportion.wilson(Int((mean * Double(trials)).rounded()), of: trials)
            return
        }
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
        let reach =
            Self.student[min(values.count - 2, Self.student.count - 1)] * (variance / Double(values.count)).squareRoot()
        interval = Interval(estimate: mean, lower: mean - reach, upper: mean + reach)
    }

    var text: String {
        String(format: "%.1f (%.1f–%.1f)", 100 * interval.estimate, 100 * interval.lower, 100 * interval.upper)
    }
}
