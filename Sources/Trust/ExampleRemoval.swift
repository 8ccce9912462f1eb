import Statistics

/// Drops single votes that a classifier trained on other people contradicts.
///
/// The example-level removal of Ju and others, "Learning from data in the mixed adversarial non-adversarial case"
/// (arXiv 2208.03295), whose code and thresholds were never released: a vote goes when the held-out probability of its
/// opposite is above a threshold, chosen as `CleaningSearch` says.
public struct ExampleRemoval: TrustMethod, Hashable {
    /// Thresholds to choose from; above 1 nothing goes.
    public var thresholds: [Double]
    var search: CleaningSearch

    public init(thresholds: [Double] = [2, 0.9, 0.8, 0.7, 0.6, 0.5], folds: Int = 4) {
        self.thresholds = thresholds
        search = CleaningSearch(folds: folds)
    }

    public var name: String { "example-removal" }
    public var summary: String { "Drops single votes that a model trained on other people contradicts." }
    public var source: String { "after Ju and others 2022 (arXiv 2208.03295)" }
    public var usesContent: Bool { true }

    public func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport {
        try search.report(self, table, generator: generator) { scores in
            thresholds.map { threshold in
                var cleaning = Cleaning.none(table)
                cleaning.name = threshold > 1 ? "nothing dropped" : "votes dropped at a disagreement above \(threshold)"
                for vote in table.votes.indices where scores.contradicts(vote, above: threshold) {
                    cleaning.weights[vote] = 0
                }
                return cleaning
            }
        }
    }
}
