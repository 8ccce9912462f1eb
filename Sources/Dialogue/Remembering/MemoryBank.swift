import Conversations
import Foundation

/// The memories of people, as the bot uses them: recalls, adds, replaces, lists, edits, forgets.
///
/// Every call names one person and touches nobody else's.
public struct MemoryBank: Sendable {
    private let store: any MemoryStore
    private let encoder: (any TextEncoder)?
    public var recall: MemoryRecall
    public var merge: MemoryMerge
    /// Most memories of one person and owner; beyond it the longest untouched one goes.
    public var capacity: Int
    private let now: @Sendable () -> Date
    private let makeID: @Sendable () -> String
    private let order = MemoryOrder()

    /// - Parameter encoder: without one a memory bears on words that it shares a stem with.
    public init(
        store: any MemoryStore, encoder: (any TextEncoder)?, recall: MemoryRecall = MemoryRecall(),
        merge: MemoryMerge = MemoryMerge(), capacity: Int = 200, now: @escaping @Sendable () -> Date = { Date() },
        makeID: @escaping @Sendable () -> String = { UUID().uuidString }
    ) {
        self.store = store
        self.encoder = encoder
        self.recall = recall
        self.merge = merge
        self.capacity = max(1, capacity)
        self.now = now
        self.makeID = makeID
    }

    /// What is known of a person, and what of it bears on a text.
    public func recollect(_ text: String, of userID: String) async throws -> Recollection {
        let all = try await store.memories(of: userID)
        guard !all.isEmpty else { return Recollection() }
        guard let encoder else {
            let words = FactWords(text).content
            let near = all.filter { !FactWords($0.text).content.isDisjoint(with: words) }
                .sorted { $0.changedAt > $1.changedAt }
            return Recollection(all: all, near: Array(near.prefix(recall.limit)))
        }
        guard !text.isEmpty else { return Recollection(all: all) }
        // Memories of an edit, or of another encoder, get their vectors on the way.
        let missing = all.indices.filter { all[$0].vector?.count != encoder.dimension }
        let vectors = try await encoder.encode([text] + missing.map { all[$0].text })
        var known = all
        if !missing.isEmpty {
            // Reading took its time: what was forgotten or edited meanwhile must not be written back, nor be told.
            let read = zip(missing, vectors.dropFirst()).map { place, vector in
                (all[place].id, (text: all[place].text, vector: vector))
            }
            known = try await addVectors(Dictionary(read) { first, _ in first }, of: userID)
        }
        return Recollection(all: known, near: recall.near(vectors[0], among: known, at: now()))
    }

    /// Writes down the vectors that were made of some memories, where these still say the same.
    /// - Returns: all that is remembered now.
    private func addVectors(
        _ read: [String: (text: String, vector: [Float])], of userID: String
    ) async throws -> [Memory] {
        try await order.run(userID) {
            var known = try await store.memories(of: userID)
            for place in known.indices {
                guard let new = read[known[place].id], new.text == known[place].text else { continue }
                known[place].vector = new.vector
                try await store.save(known[place])
            }
            return known
        }
    }

    /// A person's memories, oldest first.
    public func memories(of userID: String) async throws -> [Memory] { try await store.memories(of: userID) }

    /// Takes in a fact that was checked already.
    /// - Parameters:
    ///   - conversation: where it came up; nothing is kept of one whose person allows nothing.
    ///   - messageID: the message that states it.
    /// - Returns: what became of it, and the memory that now says it.
    @discardableResult
    public func take(
        _ fact: String, owner: Memory.Owner, from conversation: Conversation, messageID: String?
    ) async throws -> (change: MemoryChange, memory: Memory?) {
        guard conversation.consent != .none else { return (.ignore, nil) }
        // Read first: a memory that is forgotten while the encoder works must not come back.
        let vector = try await encoder?.encode([fact]).first
        return try await order.run(conversation.userID) {
            try await put(fact, vector, owner: owner, from: conversation, messageID: messageID)
        }
    }

    private func put(
        _ fact: String, _ vector: [Float]?, owner: Memory.Owner, from conversation: Conversation, messageID: String?
    ) async throws -> (change: MemoryChange, memory: Memory?) {
        let userID = conversation.userID
        let same = try await store.memories(of: userID).filter { $0.owner == owner }
        let change = merge.change(for: fact, vector: vector, among: same)
        let time = now()
        switch change {
        case .ignore: return (change, nil)
        case .add:
            if same.count >= capacity,
                let oldest = same.min(by: { ($0.touchedAt, $0.id) < ($1.touchedAt, $1.id) })
            {
                try await store.forget(memory: oldest.id, of: userID)
            }
            let memory = Memory(
                id: makeID(), userID: userID, owner: owner, text: fact, conversationID: conversation.id,
                messageID: messageID, createdAt: time, vector: vector)
            try await store.save(memory)
            return (change, memory)
        case .replace(let id, _):
            guard var memory = same.first(where: { $0.id == id }) else { return (.ignore, nil) }
            memory.text = fact
            memory.vector = vector
            memory.changedAt = time
            (memory.conversationID, memory.messageID) = (conversation.id, messageID)
            try await store.save(memory)
            return (change, memory)
        case .confirm(let id):
            guard var memory = same.first(where: { $0.id == id }) else { return (.ignore, nil) }
            memory.changedAt = time
            try await store.save(memory)
            return (change, memory)
        }
    }

    /// Notes that a reply stood on a memory; one that has gone meanwhile is no error.
    public func markUsed(_ id: String, of userID: String) async throws {
        try await order.run(userID) {
            guard var memory = try await store.memories(of: userID).first(where: { $0.id == id }) else { return }
            memory.usedAt = now()
            try await store.save(memory)
        }
    }

    /// Changes the words of a memory; false when the person has no such memory.
    public func edit(_ id: String, of userID: String, to text: String) async throws -> Bool {
        let vector = try await encoder?.encode([text]).first
        return try await order.run(userID) {
            guard var memory = try await store.memories(of: userID).first(where: { $0.id == id }) else { return false }
            memory.text = text
            memory.changedAt = now()
            memory.vector = vector
            try await store.save(memory)
            return true
        }
    }

    /// Forgets one memory; false when the person has no such memory.
    public func forget(_ id: String, of userID: String) async throws -> Bool {
        try await order.run(userID) {
            guard try await store.memories(of: userID).contains(where: { $0.id == id }) else { return false }
            try await store.forget(memory: id, of: userID)
            return true
        }
    }

    /// Forgets all of a person.
    public func forgetAll(of userID: String) async throws {
        try await order.run(userID) { try await store.forgetMemories(of: userID) }
    }
}

extension Memory {
    /// When it was last told, confirmed or used.
    fileprivate var touchedAt: Date { max(changedAt, usedAt ?? .distantPast) }
}
