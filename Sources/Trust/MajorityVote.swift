import Foundation
import Statistics

/// Counts votes: an item is what most people say. The baseline to beat.
public struct MajorityVote: VoteModel, Hashable {
    /// Votes added to each class of an item and to each side of a person's record, so that few votes move little.
    public var smoothing: Double

    public init(smoothing: Double = 1) { self.smoothing = smoothing }

    public var name: String { "majority" }
    public var summary: String { "An item is what most people say; a person is worth their agreement with the others." }
    public var source: String { "Baseline." }

    public func solve(_ ballots: Ballots, generator: SeededGenerator) throws -> VoteSolution {
        let classes = ballots.classCount
        let items = ballots.items.count
        let counts = Self.labelCounts(ballots)
        var posterior = [Double](repeating: 0, count: items * classes)
        for item in 0..<items {
            let total = Double(ballots.votes(onItem: item)) + Double(classes) * smoothing
            for k in 0..<classes {
                posterior[item * classes + k] = (Double(counts[item * classes + k]) + smoothing) / total
            }
        }
        var em = ConfusionEM(ballots, model: OwnErrors(smoothing: smoothing), maximumIterations: 1, tolerance: -1)
        var state = ConfusionEM<OwnErrors>.State(
            posterior: posterior, shares: [Double](repeating: 1 / Double(classes), count: classes),
            counts: [Double](repeating: 0, count: ballots.users.count * classes * classes),
            logChance: [Double](repeating: 0, count: ballots.users.count * classes * classes))
        em.maximise(&state)
        let trust = (0..<ballots.users.count).map { user in
            let (agreed, compared) = Self.agreement(ballots, counts, user)
            let total = Double(compared) + 2 * smoothing
            return total > 0 ? (agreed + smoothing) / total : 0.5
        }
        return VoteSolution(
            posterior: posterior, shares: state.shares, logChance: state.logChance, trust: trust, labelCounts: counts)
    }

    /// Votes per label, `[item * K + class]`.
    static func labelCounts(_ ballots: Ballots) -> [UInt32] {
        let classes = ballots.classCount
        var counts = [UInt32](repeating: 0, count: ballots.items.count * classes)
        for item in 0..<ballots.items.count {
            for vote in Int(ballots.itemStart[item])..<Int(ballots.itemStart[item + 1]) {
                counts[item * classes + Int(ballots.cellOfVote[vote]) % classes] += 1
            }
        }
        return counts
    }

    /// How many of a person's votes say what most of the others say, a tie shared out among its classes, of how many votes on
    /// items that others voted on.
    static func agreement(_ ballots: Ballots, _ counts: [UInt32], _ user: Int) -> (agreed: Double, compared: Int) {
        let classes = ballots.classCount
        var agreed = 0.0
        var compared = 0
        for label in 0..<classes {
            let cell = user * classes + label
            for vote in Int(ballots.cellStart[cell])..<Int(ballots.cellStart[cell + 1]) {
                let row = Int(ballots.itemOfVote[vote]) * classes
                guard ballots.votes(onItem: row / classes) > 1 else { continue }
                compared += 1
                let own = counts[row + label] - 1
                var (top, ties) = (own, 1)
                for k in 0..<classes where k != label {
                    if counts[row + k] > top {
                        (top, ties) = (counts[row + k], 1)
                    } else if counts[row + k] == top {
                        ties += 1
                    }
                }
                if own == top { agreed += 1 / Double(ties) }
            }
        }
        return (agreed, compared)
    }
}
