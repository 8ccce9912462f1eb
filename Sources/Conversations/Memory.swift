import Foundation

/// One fact that the bot keeps of talks with one person: about the person, or about itself as it told that person.
///
/// A memory belongs to exactly one person: what one said is never told to another, and neither is what the bot said of
/// itself to one of them.
public struct Memory: Sendable, Hashable, Identifiable {
    /// Whom a fact is about. In prompts the names differ between model families; here they never do.
    public enum Owner: String, Sendable, Hashable, Codable, CaseIterable {
        /// The human of the conversation.
        case person
        case bot

        /// Who says such facts.
        public var sender: Sender { self == .person ? .human : .bot }

        public init(_ sender: Sender) { self = sender == .human ? .person : .bot }
    }

    public var id: String
    /// The person in whose talks it came up.
    public var userID: String
    public var owner: Owner
    /// The fact in the owner's own words: `I like jazz.`
    public var text: String
    /// The conversation it came up in; `nil` where the person wrote it down themselves.
    public var conversationID: String?
    /// The message it was taken from.
    public var messageID: String?
    public var createdAt: Date
    /// When it was last confirmed, enriched or edited: recency counts from here.
    public var changedAt: Date
    /// When a reply last stood on it.
    public var usedAt: Date?
    /// Unit vector of the text; `nil` until an encoder has seen it.
    public var vector: [Float]?

    public init(
        id: String, userID: String, owner: Owner, text: String, conversationID: String? = nil,
        messageID: String? = nil, createdAt: Date, changedAt: Date? = nil, usedAt: Date? = nil, vector: [Float]? = nil
    ) {
        self.id = id
        self.userID = userID
        self.owner = owner
        self.text = text
        self.conversationID = conversationID
        self.messageID = messageID
        self.createdAt = createdAt
        self.changedAt = changedAt ?? createdAt
        self.usedAt = usedAt
        self.vector = vector
    }
}

/// Keeps people's memories. Every method names the person, and sees nothing of anybody else.
public protocol MemoryStore: Sendable {
    /// All of a person's memories, oldest first.
    func memories(of userID: String) async throws -> [Memory]
    /// Adds a memory, or replaces the one of the same person with its id. One of another person with that id is an error;
    /// so is a conversation that is not there (it may have been deleted meanwhile).
    func save(_ memory: Memory) async throws
    /// Forgets one memory of a person; nothing happens when there is none.
    func forget(memory id: String, of userID: String) async throws
    /// Forgets all of a person's memories.
    func forgetMemories(of userID: String) async throws
}
