import Foundation

/// One way to vote: the chances of "up" on good and on bad items.
///
/// People differ in ability and in intent; a fine enough list of behaviours with learnt shares covers both without rates of
/// their own for everybody, which ten votes could not tell (a nonparametric mixture, Laird 1978).
struct VoterKind: Sendable, Hashable {
    var upOnGood: Double
    var upOnBad: Double
    var type: VoterType
    /// Share before anything is known.
    var share: Double

    /// The behaviours. Helpers and people who vote the contrary are mirror images of each other: what breaks the tie is that
    /// helpers are expected to be more, and steadier (nobody who lies does so every time), or trusted anchors.
    static let all: [VoterKind] = {
        let kinds = [
            VoterKind(upOnGood: 0.985, upOnBad: 0.015, type: .helper, share: 0.36),
            VoterKind(upOnGood: 0.92, upOnBad: 0.08, type: .helper, share: 0.10),
            VoterKind(upOnGood: 0.80, upOnBad: 0.20, type: .helper, share: 0.04),
            VoterKind(upOnGood: 0.95, upOnBad: 0.30, type: .helper, share: 0.05),
            VoterKind(upOnGood: 0.70, upOnBad: 0.05, type: .helper, share: 0.05),
            VoterKind(upOnGood: 0.03, upOnBad: 0.97, type: .inverse, share: 0.01),
            VoterKind(upOnGood: 0.20, upOnBad: 0.80, type: .inverse, share: 0.09),
            VoterKind(upOnGood: 0.50, upOnBad: 0.50, type: .random, share: 0.12),
            VoterKind(upOnGood: 0.80, upOnBad: 0.80, type: .random, share: 0.01),
            VoterKind(upOnGood: 0.20, upOnBad: 0.20, type: .random, share: 0.01),
            VoterKind(upOnGood: 0.985, upOnBad: 0.985, type: .alwaysUp, share: 0.05),
            VoterKind(upOnGood: 0.93, upOnBad: 0.93, type: .alwaysUp, share: 0.02),
            VoterKind(upOnGood: 0.015, upOnBad: 0.015, type: .alwaysDown, share: 0.05),
            VoterKind(upOnGood: 0.07, upOnBad: 0.07, type: .alwaysDown, share: 0.02),
        ]
        let total = kinds.reduce(0) { $0 + $1.share }
        return kinds.map { kind in
            var kind = kind
            kind.share /= total
            return kind
        }
    }()

    /// Chance of a vote where the item is good with probability `good`.
    func chance(_ isUp: Bool, good: Double) -> Double {
        let up = good * upOnGood + (1 - good) * upOnBad
        return isUp ? up : 1 - up
    }
}
