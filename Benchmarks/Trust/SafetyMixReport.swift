import Foundation
import Statistics

/// The table of a SafetyMix run: errors, and how much of the gap between no cleaning and the truth a method closes.
struct SafetyMixReport {
    /// Outcomes by group of trolls, then by seed, then by arm.
    var outcomes: [String: [[String: SafetyMixBenchmark.Outcome]]]
    var groups: [String]
    var arms: [String]

    private func mean(_ group: String, _ arm: String, _ seeds: [Int]) -> Double {
        let runs = outcomes[group] ?? []
        return seeds.reduce(0) { $0 + (runs[$1][arm]?.error ?? .nan) } / Double(max(seeds.count, 1))
    }

    private var seeds: [Int] { Array(0..<(outcomes.values.map(\.count).min() ?? 0)) }

    /// Share of the gap between no cleaning and the truth, by mean errors over seeds.
    private func closed(_ group: String, _ arm: String, _ seeds: [Int]) -> Double {
        let (none, oracle) = (mean(group, "none", seeds), mean(group, "oracle", seeds))
        return (none - mean(group, arm, seeds)) / (none - oracle)
    }

    /// The same averaged over groups, with an interval over seeds. A group counts for 1 at most: where the truth itself makes
    /// a poor training set (nobody but gaslighters on the unsafe side) a method can pass it, which must not make up for others.
    func closed(_ arm: String) throws -> Interval {
        try Bootstrap(replicates: 1000).interval(count: seeds.count) { drawn in
            groups.reduce(0) { $0 + min(1, closed($1, arm, drawn)) } / Double(groups.count)
        }
    }

    /// Error of an arm minus that of no cleaning, with an interval over seeds.
    func cost(_ group: String, _ arm: String) throws -> Interval {
        try Bootstrap(replicates: 1000).pairedDifference(
            (outcomes[group] ?? []).map { $0["none"]?.error ?? .nan },
            (outcomes[group] ?? []).map { $0[arm]?.error ?? .nan })
    }

    /// Lines for people: a row for each group, a column for each arm.
    func lines(hasTrolls: Bool) throws -> [String] {
        let width = max(14, (arms.map(\.count).max() ?? 0) + 2)
        func cell(_ text: String) -> String { text.padding(toLength: width, withPad: " ", startingAt: 0) }
        var lines = [cell("error") + arms.map(cell).joined()]
        for group in groups {
            let cells = try arms.map { arm -> String in
                let errors = (outcomes[group] ?? []).map { $0[arm]?.error ?? .nan }
                let interval = try Bootstrap(replicates: 1000).mean(errors)
                return cell(String(format: "%.3f ±%.3f", interval.estimate, interval.halfWidth))
            }
            lines.append(cell(group) + cells.joined())
        }
        let methods = arms.filter { $0 != "none" && $0 != "oracle" }
        for arm in methods {
            if hasTrolls {
                let gap = try closed(arm)
                let each = groups.map { String(format: "%@ %.2f", $0, closed($0, arm, seeds)) }
                let worst = try groups.map { try cost($0, arm).estimate }.max() ?? 0
                lines.append(
                    String(format: "gap closed by %@: %.3f (%.3f … %.3f); ", arm, gap.estimate, gap.lower, gap.upper)
                        + each.joined(separator: ", ")
                        + String(format: "; worst against no cleaning %+.2f points", 100 * worst))
            } else {
                let cost = try cost(groups[0], arm)
                lines.append(
                    String(
                        format: "cost of %@ without trolls: %+.2f points (%+.2f … %+.2f)", arm, 100 * cost.estimate,
                        100 * cost.lower, 100 * cost.upper))
            }
        }
        let detections = methods.map { arm -> String in
            let all = groups.flatMap { outcomes[$0] ?? [] }
            let areas = all.compactMap { $0[arm]?.detection }
            let seconds = all.reduce(0) { $0 + ($1[arm]?.seconds ?? 0) } / Double(max(all.count, 1))
            let area = areas.isEmpty ? "–" : String(format: "%.3f", areas.reduce(0, +) / Double(areas.count))
            return "\(arm) AUC of trust \(area), " + String(format: "%.2f s a run", seconds)
        }
        return lines + detections
    }
}
