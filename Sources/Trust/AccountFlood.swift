import Foundation

/// Finds floods of new accounts: hours in which far more people than usual vote for the first time, and what they say goes
/// against everybody else. A busy day of honest newcomers is no flood.
public struct AccountFlood: Sendable {
    /// Accounts that came together.
    public struct Cohort: Sendable, Hashable {
        /// Numbers of the accounts, ascending.
        public var members: [Int]
        /// Seconds since 1970 of the hour in which the first of them came.
        public var start: Double
        /// Newcomers in an ordinary hour.
        public var usual: Double
        /// How often their votes go against most of the other people's, and how often those go against each other.
        public var against: Double
        public var ordinarilyAgainst: Double
    }

    public let cohorts: [Cohort]

    /// Length of a window, seconds.
    public static let window = 3600.0
    /// The fewest newcomers of an hour that make a flood, and how many times the usual number they must be.
    public static let leastNewcomers = 10
    public static let leastRatio = 8.0

    public init(_ ballots: Ballots) {
        guard let times = ballots.times else {
            cohorts = []
            return
        }
        let classes = ballots.classCount
        var hours: [Int: [Int]] = [:]
        for user in 0..<ballots.users.count {
            var first = Double.infinity
            let range = Int(ballots.cellStart[user * classes])..<Int(ballots.cellStart[(user + 1) * classes])
            for place in range where times[place] < first { first = times[place] }
            if abs(first) < 1e15 { hours[Int((first / Self.window).rounded(.down)), default: []].append(user) }
        }
        // Hours without newcomers count as ordinary ones too, so the usual number is that of the median hour, at least 1.
        guard let low = hours.keys.min(), let high = hours.keys.max(), hours.count > 1 else {
            cohorts = []
            return
        }
        let empty = high - low + 1 - hours.count
        let sizes = hours.values.map(\.count).sorted()
        let middle = (high - low + 1) / 2 - empty
        let usual = Double(max(1, middle >= 0 ? sizes[min(middle, sizes.count - 1)] : 1))
        let suspicious = hours.filter {
            $0.value.count >= Self.leastNewcomers && Double($0.value.count) >= Self.leastRatio * usual
        }.keys.sorted()
        // Hours that follow each other are one flood.
        var runs: [[Int]] = []
        for hour in suspicious {
            if let last = runs.last?.last, hour == last + 1 {
                runs[runs.count - 1].append(hour)
            } else {
                runs.append([hour])
            }
        }
        var isNew = [Bool](repeating: false, count: ballots.users.count)
        for run in runs { for hour in run { for user in hours[hour] ?? [] { isNew[user] = true } } }
        let old = Self.counts(ballots) { !isNew[$0] }
        let ordinary = Self.against(
            ballots, old, members: ballots.users.indices.filter { !isNew[$0] }, areCounted: true)
        var found: [Cohort] = []
        for run in runs {
            let members = run.flatMap { hours[$0] ?? [] }.sorted()
            let measured = Self.against(ballots, old, members: members, areCounted: false)
            guard measured.compared >= 20 else { continue }
            let rate = measured.against / Double(measured.compared)
            let base = ordinary.compared > 0 ? ordinary.against / Double(ordinary.compared) : 0
            let error = (0.25 / Double(measured.compared)).squareRoot()
            guard rate > base + max(0.15, 3 * error) else { continue }
            found.append(
                Cohort(
                    members: members, start: Double(run[0]) * Self.window, usual: usual * Double(run.count),
                    against: rate,
                    ordinarilyAgainst: base))
        }
        cohorts = found
    }

    /// Votes per label, `[item * K + class]`, of some people.
    private static func counts(_ ballots: Ballots, _ isCounted: (Int) -> Bool) -> [UInt32] {
        let classes = ballots.classCount
        var counts = [UInt32](repeating: 0, count: ballots.items.count * classes)
        for user in 0..<ballots.users.count where isCounted(user) {
            for label in 0..<classes {
                let cell = user * classes + label
                for place in Int(ballots.cellStart[cell])..<Int(ballots.cellStart[cell + 1]) {
                    counts[Int(ballots.itemOfVote[place]) * classes + label] += 1
                }
            }
        }
        return counts
    }

    /// How many votes of some people go against what most of the counted people say; a tie is half against.
    private static func against(
        _ ballots: Ballots, _ counts: [UInt32], members: [Int], areCounted: Bool
    ) -> (against: Double, compared: Int) {
        let classes = ballots.classCount
        var (against, compared) = (0.0, 0)
        for user in members {
            for label in 0..<classes {
                let cell = user * classes + label
                for place in Int(ballots.cellStart[cell])..<Int(ballots.cellStart[cell + 1]) {
                    let row = Int(ballots.itemOfVote[place]) * classes
                    let own = counts[row + label] - (areCounted ? 1 : 0)
                    var (top, all) = (UInt32(0), own)
                    for k in 0..<classes where k != label {
                        top = max(top, counts[row + k])
                        all += counts[row + k]
                    }
                    guard all > 0 else { continue }
                    compared += 1
                    against += own > top ? 0 : own == top ? 0.5 : 1
                }
            }
        }
        return (against, compared)
    }
}
