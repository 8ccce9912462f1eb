import Statistics

/// Drops the people whom a classifier trained on others contradicts most, then single votes of those who are left.
///
/// "Per-user and example removal" of Ju and others 2022 (arXiv 2208.03295), the best published cleaning for mixed trolls
/// (12 % error where plain training has 31). Both shares are chosen as `CleaningSearch` says.
public struct UserAndExampleRemoval: TrustMethod, Hashable {
    /// Shares of the votes whose people go, to choose from.
    public var userShares: [Double]
    /// Thresholds of disagreement for the votes of the others; above 1 nothing goes.
    public var thresholds: [Double]
    var search: CleaningSearch

    public init(
        userShares: [Double] = [0, 0.15, 0.3, 0.45, 0.6], thresholds: [Double] = [2, 0.8, 0.6], folds: Int = 4
    ) {
        self.userShares = userShares
        self.thresholds = thresholds
        search = CleaningSearch(folds: folds)
    }

    public var name: String { "user-and-example-removal" }
    public var summary: String { "Drops contradicted people, then contradicted votes of the others." }
    public var source: String { "after Ju and others 2022 (arXiv 2208.03295)" }
    public var usesContent: Bool { true }

    public func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport {
        try search.report(self, table, generator: generator) { scores in
            userShares.flatMap { share in
                let kept = Cleaning.withoutWorstPeople(table, scores, share: share)
                return thresholds.map { threshold in
                    var cleaning = kept
                    if threshold <= 1 {
                        cleaning.name += ", votes dropped at a disagreement above \(threshold)"
                        for vote in table.votes.indices where scores.contradicts(vote, above: threshold) {
                            cleaning.weights[vote] = 0
                        }
                    }
                    return cleaning
                }
            }
        }
    }
}

extension Cleaning {
    /// Votes without those of the most contradicted people, who cast `share` of them.
    static func withoutWorstPeople(_ table: VoteTable, _ scores: HeldOutScores, share: Double) -> Cleaning {
        var cleaning = Cleaning.none(table)
        cleaning.name = share > 0 ? "the people who cast the worst \(share) of votes dropped" : "nobody dropped"
        let ofVote = table.userOfVote.map { scores.ofUser[$0] }
        let cut = scores.cut(dropping: share, of: ofVote)
        for vote in table.votes.indices where ofVote[vote] > cut { cleaning.weights[vote] = 0 }
        return cleaning
    }
}
