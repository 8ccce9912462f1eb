import Statistics

/// Drops the votes with the worst sum of their own disagreement and that of their person's other votes.
///
/// Soft PURR (per-user robust removal) of Ju and others 2022 (arXiv 2208.03295): the score of a vote is
/// `dᵢ + α Σⱼ dⱼ` over the same person's other votes, `d` being the held-out disagreement. Here the sum is taken as a mean
/// that is drawn towards everybody's, times the usual number of votes, so that people with few votes are not judged by
/// chance and people with many not by their number. `α` and the share to drop are chosen as `CleaningSearch` says.
public struct SoftPURR: TrustMethod, Hashable {
    /// Weights of the other votes to choose from.
    public var weights: [Double]
    /// Shares of the votes to drop to choose from.
    public var shares: [Double]
    var search: CleaningSearch

    public init(weights: [Double] = [0.1, 1], shares: [Double] = [0, 0.15, 0.3, 0.45, 0.6], folds: Int = 4) {
        self.weights = weights
        self.shares = shares
        search = CleaningSearch(folds: folds)
    }

    public var name: String { "soft-purr" }
    public var summary: String { "Drops votes by their own disagreement and that of their person's other votes." }
    public var source: String { "after Ju and others 2022 (arXiv 2208.03295)" }
    public var usesContent: Bool { true }

    public func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport {
        let sizes = table.votesOfUser.map(\.count).sorted()
        let usual = Double(max(sizes[sizes.count / 2] - 1, 1))
        return try search.report(self, table, generator: generator) { scores in
            var cleanings = [Cleaning.none(table)]
            for weight in weights {
                let sums = table.votes.indices.map { vote in
                    scores.disagreement[vote] + weight * usual * scores.ofUser[table.userOfVote[vote]]
                }
                for share in shares where share > 0 {
                    var cleaning = Cleaning.none(table)
                    cleaning.name = "the worst \(share) of votes dropped, α \(weight)"
                    let cut = scores.cut(dropping: share, of: sums)
                    for vote in table.votes.indices where sums[vote] > cut { cleaning.weights[vote] = 0 }
                    cleanings.append(cleaning)
                }
            }
            return cleanings
        }
    }
}
