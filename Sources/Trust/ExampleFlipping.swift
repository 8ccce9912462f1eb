import Statistics

/// Turns single votes that a classifier trained on other people contradicts.
///
/// The example-level flipping of Ju and others 2022 (arXiv 2208.03295): as removal, but the vote is learnt from as its
/// opposite. The threshold is chosen as `CleaningSearch` says.
public struct ExampleFlipping: TrustMethod, Hashable {
    /// Thresholds to choose from; above 1 nothing is turned.
    public var thresholds: [Double]
    var search: CleaningSearch

    public init(thresholds: [Double] = [2, 0.9, 0.8, 0.7, 0.6, 0.5], folds: Int = 4) {
        self.thresholds = thresholds
        search = CleaningSearch(folds: folds)
    }

    public var name: String { "example-flipping" }
    public var summary: String { "Turns single votes that a model trained on other people contradicts." }
    public var source: String { "after Ju and others 2022 (arXiv 2208.03295)" }
    public var usesContent: Bool { true }

    public func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport {
        try search.report(self, table, generator: generator) { scores in
            thresholds.map { threshold in
                var cleaning = Cleaning.none(table)
                cleaning.name = threshold > 1 ? "nothing turned" : "votes turned at a disagreement above \(threshold)"
                for vote in table.votes.indices where scores.contradicts(vote, above: threshold) {
                    cleaning.labels[vote] = 1 - cleaning.labels[vote]
                }
                return cleaning
            }
        }
    }
}
