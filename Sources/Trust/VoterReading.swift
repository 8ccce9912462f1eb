import Foundation

/// What kind of voter a person is, read off their votes against what the others make likely: counts per class, agreement,
/// and the likeliest of the kinds helper, inverse, random and always the same.
struct VoterReading: Sendable {
    /// Votes on items that others voted on.
    var compared = 0
    /// How many of those say what the others make likely, in expectation.
    var agreed = 0.0
    /// Expected votes on items of each class, and how many of them gave each label: `[label * K + truth]`.
    var counts: [Double]
    /// Log-evidence of each kind, in the order of `Kinds`.
    var evidence: [Double]

    /// The kinds that a person is held against.
    struct Kinds: Sendable {
        /// What they are called in flags; `nil` for helpers. `alwaysSame` stands once per class.
        let names: [FlagKind?]
        /// Chance of a label given the truth, `[(kind * K + label) * K + truth]`.
        let chances: [Double]
        /// Logarithm of the share that each kind has beforehand.
        let shares: [Double]

        /// - Parameters:
        ///   - skill: How often an ordinary voter is right on items of each class.
        ///   - classes: Number of classes.
        init(skill: [Double], classes: Int) {
            var names: [FlagKind?] = [nil, .inverse, .random]
            var chances: [Double] = []
            let others = Double(classes - 1)
            for kind in 0..<3 {
                for label in 0..<classes {
                    for truth in 0..<classes {
                        let right = [skill[truth], (1 - skill[truth]) / max(1, others), 1 / Double(classes)][kind]
                        chances.append(label == truth ? right : (1 - right) / others)
                    }
                }
            }
            for favourite in 0..<classes {
                names.append(classes == 2 ? (favourite == 1 ? .alwaysUp : .alwaysDown) : .alwaysSame)
                for label in 0..<classes {
                    for _ in 0..<classes { chances.append(label == favourite ? 0.98 : 0.02 / others) }
                }
            }
            self.names = names
            self.chances = chances
            // One in five is a troll beforehand: one-sided people share out their part over the classes.
            shares = names.indices.map { log($0 == 0 ? 0.8 : $0 < 3 ? 0.06 : 0.08 / Double(classes)) }
        }
    }

    /// - Parameters:
    ///   - others: Fills in the probability of each class of an item without this person's vote.
    init(
        _ ballots: Ballots, _ user: Int, kinds: Kinds,
        others: (_ item: Int, _ cell: Int, _ into: UnsafeMutableBufferPointer<Double>) -> Void
    ) {
        let classes = ballots.classCount
        var counts = [Double](repeating: 0, count: classes * classes)
        let kindCount = kinds.names.count
        var evidence = kinds.shares
        var products = [Double](repeating: 1, count: kindCount)
        var (compared, agreed, pending) = (0, 0.0, 0)
        withUnsafeTemporaryAllocation(of: Double.self, capacity: classes) { probability in
            for label in 0..<classes {
                let cell = user * classes + label
                for vote in Int(ballots.cellStart[cell])..<Int(ballots.cellStart[cell + 1]) {
                    let item = Int(ballots.itemOfVote[vote])
                    guard ballots.votes(onItem: item) > 1 else { continue }
                    others(item, cell, probability)
                    compared += 1
                    agreed += probability[label]
                    for truth in 0..<classes { counts[label * classes + truth] += probability[truth] }
                    for kind in 0..<kindCount {
                        var chance = 0.0
                        let row = (kind * classes + label) * classes
                        for truth in 0..<classes { chance += probability[truth] * kinds.chances[row + truth] }
                        products[kind] *= chance
                    }
                    pending += 1
                    if pending == 32 {
                        for kind in 0..<kindCount {
                            evidence[kind] += log(max(products[kind], 1e-300))
                            products[kind] = 1
                        }
                        pending = 0
                    }
                }
            }
        }
        for kind in 0..<kindCount { evidence[kind] += log(max(products[kind], 1e-300)) }
        (self.compared, self.agreed, self.counts, self.evidence) = (compared, agreed, counts, evidence)
    }

    /// The likeliest kind and its probability.
    var likeliest: (kind: Int, probability: Double) {
        var best = 0
        for kind in evidence.indices where evidence[kind] > evidence[best] { best = kind }
        var total = 0.0
        for value in evidence { total += exp(value - evidence[best]) }
        return (best, 1 / total)
    }

    /// A flag with its reason in plain words, for people of whom enough is known.
    func flag(_ ballots: Ballots, _ user: Int, kinds: Kinds, badShare: Double) -> TrustFlag? {
        guard compared >= 4, ballots.users.count > 1 else { return nil }
        let total = ballots.votes(ofUser: user)
        func count(_ value: Double) -> String { String(Int(value.rounded())) }
        if ballots.classCount == 2, let reason = gaslight(ballots, user, badShare: badShare) {
            return TrustFlag(kind: .gaslight, reason: reason)
        }
        let (kind, probability) = likeliest
        guard probability > 0.8, let name = kinds.names[kind] else { return nil }
        let against =
            "\(count(Double(compared) - agreed)) of \(compared) votes go against what the other voters make likely"
        switch name {
        case .alwaysUp, .alwaysDown:
            let side = name == .alwaysUp ? 1 : 0
            let own = ballots.votes(ofUser: user, for: side)
            return TrustFlag(
                kind: name,
                reason:
                    "\(own) of \(total) votes are thumbs \(side == 1 ? "up" : "down"), whatever was voted on; \(against)."
            )
        case .alwaysSame:
            let own = ballots.votes(ofUser: user, for: kind - 3)
            return TrustFlag(
                kind: name,
                reason:
                    "\(own) of \(total) votes say “\(ballots.classes[kind - 3])”, whatever was voted on; \(against).")
        case .inverse:
            return TrustFlag(kind: name, reason: "Mostly votes the contrary: \(against).")
        default:
            return TrustFlag(kind: name, reason: "Votes as if without looking: \(against).")
        }
    }

    /// Why somebody calls bad things good: nearly all votes are up, nearly all items are bad far beyond the usual share. On such
    /// items a contrary voter and one who is for everything look the same.
    private func gaslight(_ ballots: Ballots, _ user: Int, badShare: Double) -> String? {
        let (ups, total) = (ballots.votes(ofUser: user, for: 1), ballots.votes(ofUser: user))
        // Of the items that the others judged too, those they make bad: counts of truth 0.
        let bad = counts[0] + counts[2]
        guard ups * 10 >= total * 9, bad > max(0.7, badShare + 0.25) * Double(compared) else { return nil }
        // Kinds 1 and 4: inverse, always up.
        let top = evidence.max() ?? 0
        let weights = evidence.map { exp($0 - top) }
        guard (weights[1] + weights[4]) / weights.reduce(0, +) > 0.8 else { return nil }
        return "Calls bad things good: \(ups) of \(total) votes are thumbs up, and the other voters make "
            + "\(Int(bad.rounded())) of \(compared) items bad (\(Int((badShare * 100).rounded())) % is usual)."
    }
}
