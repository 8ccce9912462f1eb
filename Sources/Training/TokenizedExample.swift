/// What a loss does with one token.
public enum TokenLabel: Int8, Sendable, Hashable, Codable {
    /// Not looked at: context, markers, padding.
    case ignored = -100
    /// Cross-entropy, from an example without a verdict.
    case unlabelled = -1
    /// Pushed down, from a bad example.
    case bad = 0
    /// Cross-entropy, from a good example.
    case good = 1

    init(_ label: Example.Label) {
        switch label {
        case .good: self = .good
        case .bad: self = .bad
        case .unlabelled: self = .unlabelled
        }
    }
}

/// An example as token ids: one document of a packed row.
public struct TokenizedExample: Sendable, Hashable {
    /// Ids in order, context and reply.
    public let ids: [Int32]
    /// One per id: what the loss does with this token as a *target*. The first is always ignored, since nothing predicts it.
    public let labels: [TokenLabel]
    /// How much each of its tokens counts.
    public let weight: Float
    /// Number of tokens that a loss looks at.
    public let supervisedCount: Int

    /// - Throws: `TrainingError` when the lengths differ, the weight is negative or not finite, or nothing is supervised.
    public init(ids: [Int32], labels: [TokenLabel], weight: Float = 1) throws {
        guard ids.count == labels.count, ids.count >= 2 else {
            throw TrainingError(
                .data, "an example has \(ids.count) tokens and \(labels.count) labels; it needs two or more")
        }
        guard weight >= 0, weight.isFinite else {
            throw TrainingError(.data, "weight \(weight) of an example is not a finite number from 0 up")
        }
        var labels = labels
        labels[0] = .ignored
        supervisedCount = labels.count { $0 != .ignored }
        guard supervisedCount > 0 else { throw TrainingError(.data, "an example has no supervised token") }
        self.ids = ids
        self.labels = labels
        self.weight = weight
    }

    public var count: Int { ids.count }

    /// Whether any token is to be pushed down.
    public var isBad: Bool { labels.contains(.bad) }
}
