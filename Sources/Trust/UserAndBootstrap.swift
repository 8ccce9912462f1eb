import Statistics

/// Drops the people whom a classifier trained on others contradicts most, and mixes the votes of the rest with its word.
///
/// "Per-user removal and bootstrapping" of Ju and others 2022 (arXiv 2208.03295), with the soft bootstrapping of Reed and
/// others (arXiv 1412.6596). Both shares are chosen as `CleaningSearch` says.
public struct UserAndBootstrap: TrustMethod, Hashable {
    /// Shares of the votes whose people go, to choose from.
    public var userShares: [Double]
    /// Shares of each vote that is left to choose from.
    public var voteShares: [Double]
    var search: CleaningSearch

    public init(
        userShares: [Double] = [0, 0.15, 0.3, 0.45, 0.6], voteShares: [Double] = [1, 0.8, 0.5], folds: Int = 4
    ) {
        self.userShares = userShares
        self.voteShares = voteShares
        search = CleaningSearch(folds: folds)
    }

    public var name: String { "user-and-bootstrap" }
    public var summary: String { "Drops contradicted people and mixes the others' votes with the model's word." }
    public var source: String { "after Ju and others 2022 (arXiv 2208.03295)" }
    public var usesContent: Bool { true }

    public func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport {
        try search.report(self, table, generator: generator) { scores in
            userShares.flatMap { share in
                let kept = Cleaning.withoutWorstPeople(table, scores, share: share)
                return voteShares.map { voteShare in
                    var cleaning = kept.bootstrapped(voteShare, scores)
                    if voteShare < 1 { cleaning.name += ", \(voteShare) of each other vote kept" }
                    return cleaning
                }
            }
        }
    }
}
