import Conversations

/// What a turn needs from outside.
public enum TurnCall: Sendable, Hashable {
    /// The memories of the person, those near this text apart.
    case recall(String)
    /// An output of a model.
    case write(ModuleCall)
    /// Passages for a query.
    case search(String, count: Int)
    /// Verdicts of the safety layers.
    case check(CheckedText)
}

/// A text that the safety layers are to look at.
public enum CheckedText: Sendable, Hashable {
    /// What the person said last.
    case person(String, context: [Turn])
    /// What the bot is about to say.
    case reply(String, context: [Turn])
    /// What a search engine is about to be told: no offence and nothing that identifies anybody.
    case query(String)
    /// What is about to be remembered: the same.
    case memory(String)
}

/// What came of a call.
public enum TurnAnswer: Sendable, Hashable {
    case recollection(Recollection)
    case output(ModuleOutput)
    case found(SearchFindings)
    case verdict(SafetyOutcome)
    /// Nothing, and why: a line for the record.
    case failure(String)
}

/// What is remembered of a person.
public struct Recollection: Sendable, Hashable {
    /// All of it, oldest first.
    public var all: [Memory]
    /// What bears on the text, best first.
    public var near: [Memory]

    public init(all: [Memory] = [], near: [Memory] = []) {
        self.all = all
        self.near = near
    }

    /// The memory that a model meant which was to copy one of those near: one with all its words, or else the one that says most of the same,
    /// if that is at least half. Small models copy badly; what is used is the memory and never the copy.
    public func meant(by copy: String) -> Memory? {
        if let same = near.first(where: { MemoryText.isSame($0.text, copy) }) { return same }
        let overlaps = near.map { MemoryGround.overlap($0.text, copy) }
        guard let best = overlaps.max(), best >= 0.5 else { return nil }
        return zip(near, overlaps).first { $0.1 == best }?.0
    }
}

/// What a search found.
public struct SearchFindings: Sendable, Hashable {
    public var provider: String
    /// Passages, best first, each with its source.
    public var documents: [SearchDocument]

    public init(provider: String, documents: [SearchDocument]) {
        self.provider = provider
        self.documents = documents
    }
}
