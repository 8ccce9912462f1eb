/// How often each kind was found: what a report or a log may say.
public struct FindingCounts: Sendable, Hashable, Codable, CustomStringConvertible {
    /// Count per entity; kinds that were not found are absent.
    public private(set) var counts: [Entity: Int] = [:]
    /// Number of conversations or texts in which something was found.
    public private(set) var textsWithFindings = 0
    /// Number of conversations or texts looked at.
    public private(set) var texts = 0

    public init() {}

    /// Adds what one conversation or text gave.
    public mutating func add(_ findings: [Finding]) {
        texts += 1
        if !findings.isEmpty { textsWithFindings += 1 }
        for finding in findings { counts[finding.entity, default: 0] += 1 }
    }

    /// Adds the counts of another part of the work.
    public mutating func add(_ other: FindingCounts) {
        texts += other.texts
        textsWithFindings += other.textsWithFindings
        counts.merge(other.counts, uniquingKeysWith: +)
    }

    /// All findings.
    public var total: Int { counts.values.reduce(0, +) }

    /// `PERSON 12, EMAIL_ADDRESS 3`.
    public var description: String {
        let parts = counts.sorted { $0.key < $1.key }.map { "\($0.key.rawValue) \($0.value)" }
        return parts.isEmpty ? "nothing found" : parts.joined(separator: ", ")
    }
}
