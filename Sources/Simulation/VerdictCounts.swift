import Conversations

/// What the judge says of many replies: a row of BB3x's Table 9. In files a map from `good` or a flaw's name to a number.
public struct VerdictCounts: Sendable, Hashable, Codable {
    private var counts: [String: Int] = [:]

    public init() {}

    public init(from decoder: any Decoder) throws {
        counts = try decoder.singleValueContainer().decode([String: Int].self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(counts)
    }

    public mutating func add(_ verdict: Verdict) { counts[verdict.name, default: 0] += 1 }

    /// All replies.
    public var total: Int { counts.values.reduce(0, +) }

    public func count(_ verdict: Verdict) -> Int { counts[verdict.name] ?? 0 }

    /// From 0 to 1; 0 where there are no replies.
    public func share(_ verdict: Verdict) -> Double { Double(count(verdict)) / Double(max(total, 1)) }
}

extension WorldJudge {
    /// Verdicts on replies, one for each history.
    public func counts(of replies: [String], after histories: [[Turn]]) -> VerdictCounts {
        zip(histories, replies).reduce(into: VerdictCounts()) { counts, pair in
            counts.add(verdict(on: pair.1, after: pair.0))
        }
    }
}
