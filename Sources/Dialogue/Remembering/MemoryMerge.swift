import Conversations

/// What becomes of a new fact beside the memories that are there.
public enum MemoryChange: Sendable, Hashable {
    /// It is new.
    case add
    /// It says more, or something else, of what this memory is about: it takes the place.
    case replace(id: String, because: Reason)
    /// This memory says it already: it is confirmed, its words stay.
    case confirm(id: String)
    /// Nothing to keep.
    case ignore

    public enum Reason: String, Sendable, Hashable {
        /// All that the memory says, and more.
        case enrichment
        /// Both cannot hold; the newer one counts.
        case contradiction
    }
}

/// Decides on new facts: newer and fuller ones take the place of older ones, and nothing is kept twice.
///
/// Only memories of the same owner are compared: that the bot has a dog says nothing of the person's.
public struct MemoryMerge: Sendable {
    /// Cosine of two texts' vectors from which they say the same in other words.
    public var sameMeaning: Float
    /// Cosine from which two statements, one of them negated, are about the same thing.
    public var sameMatter: Float

    public init(sameMeaning: Float = 0.92, sameMatter: Float = 0.75) {
        self.sameMeaning = sameMeaning
        self.sameMatter = sameMatter
    }

    /// - Parameters:
    ///   - vector: the candidate's, where an encoder is at hand.
    ///   - existing: the memories of the candidate's owner.
    public func change(for candidate: String, vector: [Float]? = nil, among existing: [Memory]) -> MemoryChange {
        let words = NearDuplicate.words(of: candidate)
        guard !words.isEmpty, !OutputText.isNothing(candidate) else { return .ignore }
        let facts = FactWords(candidate)
        // From the newest: it is the one that counts.
        let newest = existing.sorted { ($0.changedAt, $0.id) > ($1.changedAt, $1.id) }
        var confirmed: MemoryChange?
        for memory in newest {
            let theirs = NearDuplicate.words(of: memory.text)
            let their = FactWords(memory.text)
            if words == theirs { return .confirm(id: memory.id) }
            if facts.isNegated != their.isNegated {
                // The same words but for a "not": one of the two is over.
                if !facts.content.isEmpty, facts.content == their.content || isNear(vector, memory.vector, sameMatter),
                    !facts.content.isDisjoint(with: their.content)
                {
                    return .replace(id: memory.id, because: .contradiction)
                }
                continue
            }
            if let slot = facts.slot, let other = their.slot, slot.name == other.name {
                if slot.value == other.value { return .confirm(id: memory.id) }
                let (new, old) = (Set(slot.value), Set(other.value))
                if old.isSubset(of: new) { return .replace(id: memory.id, because: .enrichment) }
                if new.isSubset(of: old) {
                    confirmed = confirmed ?? .confirm(id: memory.id)
                    continue
                }
                return .replace(id: memory.id, because: .contradiction)
            }
            if theirs.isSubset(of: words) { return .replace(id: memory.id, because: .enrichment) }
            if words.isSubset(of: theirs) {
                confirmed = confirmed ?? .confirm(id: memory.id)
                continue
            }
            if isNear(vector, memory.vector, sameMeaning), facts.slot == nil, their.slot == nil {
                // The same in other words: the one that says more stays.
                return words.count > theirs.count
                    ? .replace(id: memory.id, because: .enrichment) : .confirm(id: memory.id)
            }
        }
        return confirmed ?? .add
    }

    private func isNear(_ a: [Float]?, _ b: [Float]?, _ threshold: Float) -> Bool {
        guard let a, let b, a.count == b.count else { return false }
        return zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } >= threshold
    }
}
