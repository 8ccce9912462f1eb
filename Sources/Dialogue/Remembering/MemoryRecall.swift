import Conversations
import Foundation

/// Which memories bear on what was said: nearness of meaning, and a little for being recent.
public struct MemoryRecall: Sendable, Hashable {
    /// Least score of a memory that bears on the words. 0.3 is where precision and recall cross on the decision set that
    /// ships with the tests (all-MiniLM-L6-v2).
    public var threshold: Double
    /// Weight of recency: a memory of this moment gains this much, one of `halfLife` ago half of it.
    public var recency: Double
    /// In seconds.
    public var halfLife: Double
    /// Most memories that come back.
    public var limit: Int

    public init(
        threshold: Double = 0.3, recency: Double = 0.05, halfLife: Double = 7 * 86_400, limit: Int = 8
    ) {
        self.threshold = threshold
        self.recency = recency
        self.halfLife = halfLife
        self.limit = limit
    }

    /// The memories near a vector, best first.
    public func near(_ vector: [Float], among memories: [Memory], at now: Date) -> [Memory] {
        let scored = memories.compactMap { memory -> (Memory, Double)? in
            guard let own = memory.vector, own.count == vector.count else { return nil }
            let cosine = Double(zip(vector, own).reduce(Float(0)) { $0 + $1.0 * $1.1 })
            // Recency decides between memories that bear on the words; it never makes one bear on them.
            guard cosine >= threshold else { return nil }
            let age = max(0, now.timeIntervalSince(max(memory.changedAt, memory.usedAt ?? .distantPast)))
            return (memory, cosine + recency * pow(0.5, age / max(halfLife, 1)))
        }
        return scored.sorted { ($1.1, $0.0.id) < ($0.1, $1.0.id) }.prefix(max(0, limit)).map(\.0)
    }
}
