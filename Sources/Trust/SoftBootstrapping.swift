import Statistics

/// Learns from a mixture of each vote and what a classifier trained on other people says of it.
///
/// Soft bootstrapping of Reed and others, "Training deep neural networks on noisy labels with bootstrapping" (arXiv
/// 1412.6596), with held-out probabilities as Ju and others 2022 (arXiv 2208.03295) use it: the label becomes
/// `β · vote + (1 − β) · probability`, with `β` chosen as `CleaningSearch` says.
public struct SoftBootstrapping: TrustMethod, Hashable {
    /// Shares of the vote to choose from.
    public var shares: [Double]
    var search: CleaningSearch

    public init(shares: [Double] = [1, 0.9, 0.8, 0.6, 0.4, 0.2], folds: Int = 4) {
        self.shares = shares
        search = CleaningSearch(folds: folds)
    }

    public var name: String { "soft-bootstrapping" }
    public var summary: String { "Mixes each vote with what a model trained on other people says." }
    public var source: String { "Reed and others 2014 (arXiv 1412.6596)" }
    public var usesContent: Bool { true }

    public func weigh(_ table: VoteTable, generator: SeededGenerator) throws -> TrustReport {
        try search.report(self, table, generator: generator) { scores in
            shares.map { share in
                var cleaning = Cleaning.none(table).bootstrapped(share, scores)
                cleaning.name = "\(share) of each vote kept"
                return cleaning
            }
        }
    }
}

extension Cleaning {
    /// Labels mixed with what the content says of them.
    func bootstrapped(_ share: Double, _ scores: HeldOutScores) -> Cleaning {
        var mixed = self
        for vote in labels.indices {
            guard let logit = scores.logits[vote] else { continue }
            mixed.labels[vote] = share * labels[vote] + (1 - share) * LogisticRegression.sigmoid(logit)
        }
        return mixed
    }
}
