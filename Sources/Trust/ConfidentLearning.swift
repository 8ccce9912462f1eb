import Statistics

/// Drops the votes that are most probably wrong, as many as the counts of confident disagreement call for.
///
/// Confident learning of Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels", 2021
/// (arXiv 1911.00068), pruning by noise rate: a vote counts as confidently of a class when its held-out probability reaches
/// the mean probability of that class among the votes that say it; the share of votes of each class that are confidently of
/// the other is the noise rate, and that share is dropped, largest disagreement first. It has no setting.
public struct ConfidentLearning: TrustMethod, Hashable {
    var search: CleaningSearch

    public init(folds: Int = 4) { search = CleaningSearch(folds: folds) }

    public var name: String { "confident-learning" }
    public var summary: String { "Drops as many of the likeliest wrong votes as confident disagreement calls for." }
    public var source: String { "Northcutt and others 2021 (arXiv 1911.00068)" }
    public var usesContent: Bool { true }

    public func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport {
        try search.report(self, table, generator: generator) { scores in
            var cleaning = Cleaning.none(table)
            let noisy = Self.noisy(
                isUp: table.votes.map(\.isUp), good: scores.logits.map { $0.map(LogisticRegression.sigmoid) })
            for vote in noisy { cleaning.weights[vote] = 0 }
            cleaning.name = "\(noisy.count) votes dropped"
            return [cleaning]
        }
    }

    /// The votes to drop.
    /// - Parameter good: Held-out probability of "good" per vote; votes without one stay.
    static func noisy(isUp: [Bool], good: [Double?]) -> [Int] {
        let known = isUp.indices.filter { good[$0] != nil }
        func probability(_ vote: Int, _ up: Bool) -> Double { up ? good[vote] ?? 0.5 : 1 - (good[vote] ?? 0.5) }
        func threshold(_ up: Bool) -> Double {
            let own = known.filter { isUp[$0] == up }
            return own.isEmpty ? .infinity : own.reduce(0) { $0 + probability($1, up) } / Double(own.count)
        }
        let thresholds = (up: threshold(true), down: threshold(false))
        var dropped: [Int] = []
        for up in [true, false] {
            let own = known.filter { isUp[$0] == up }
            var (same, other) = (0, 0)
            for vote in own {
                let confident: Bool
                switch (probability(vote, true) >= thresholds.up, probability(vote, false) >= thresholds.down) {
                case (false, false): continue
                case (true, true): confident = probability(vote, true) >= 0.5
                case (let reachesUp, _): confident = reachesUp
                }
                if confident == up { same += 1 } else { other += 1 }
            }
            guard other > 0 else { continue }
            let count = Int((Double(other) / Double(same + other) * Double(own.count)).rounded())
            // Never a whole class: a classifier needs both.
            dropped += own.sorted { (probability($0, up), $0) < (probability($1, up), $1) }
                .prefix(min(count, own.count - 1))
        }
        return dropped.sorted()
    }
}
