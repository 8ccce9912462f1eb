import Conversations
import Foundation

/// Keeps conversations and what people said of them. What a method has returned from is on the disk.
///
/// Each method is one transaction. Errors are `StorageError`.
public protocol ConversationStore: Sendable {
    /// Adds conversations, or replaces those that are there, all in one transaction.
    ///
    /// What is there is treated with care: feedback that a conversation does not bring stays, since it may have been given
    /// on the page after the log was written; what it brings that was given here before does not undo what the person said
    /// since; consent is narrowed by a log and never widened; nothing of consent `none` is kept, and what was there of it goes;
    /// nothing comes back of a person who was deleted, unless it began afterwards.
    @discardableResult
    func save(_ conversations: [EncodedConversation]) async throws -> SaveSummary
    /// Adds conversations that an old log may still have: as `save(_:)` does, but what was deleted here without its
    /// person (consent taken back, `delete(conversationID:)`, the end of a retention window) does not come back, unless
    /// it began afterwards. `save(_:)` is for a conversation whose person is here and allows it again.
    ///
    /// A store that remembers no such deletions does as `save(_:)`.
    @discardableResult
    func saveFromLog(_ conversations: [EncodedConversation]) async throws -> SaveSummary
    /// The conversation with its current feedback; `nil` when there is none.
    func conversation(id: String) async throws -> Conversation?
    /// A person's conversations, in order of their ids.
    func conversations(of userID: String) async throws -> [Conversation]
    /// The conversation of a person that began last; `nil` when there is none. Of several that began at once, or of which no
    /// beginning is known, it is the one whose id comes last.
    func newestConversation(of userID: String) async throws -> Conversation?
    /// At most `limit` conversations in order of their ids, beginning after `id`: consented to `consent` at least, and
    /// begun or changed at `since` or later. `ConversationStore.conversations(consent:since:)` walks through all.
    func page(after id: String?, limit: Int, consent: Consent, since: Date?) async throws -> [Conversation]
    /// Adds a message at the end of a conversation. Doing so twice with the same message is the same as once.
    func append(_ message: Message, to conversationID: String) async throws
    /// Replaces what the safety layers said of a message: they often speak after the message was stored.
    func setSafety(_ decisions: [SafetyDecision], on messageID: String, in conversationID: String) async throws
    /// Replaces the labels of messages of one conversation, all of them or none: what a person chose among replies.
    func setAnnotations(_ annotations: [String: [Annotation]], in conversationID: String) async throws
    /// Makes this the person's current feedback on a message; what it replaces stays in the history.
    func setFeedback(_ feedback: Feedback, on messageID: String, in conversationID: String) async throws
    /// Takes back a person's current feedback on a message, if any; the history stays.
    func retractFeedback(of userID: String, on messageID: String, in conversationID: String) async throws
    /// All that was ever said of a message, oldest first.
    func feedbackHistory(of messageID: String, in conversationID: String) async throws -> [FeedbackEvent]
    /// Changes what the person allowed, in either direction, by a text of some version. `none` deletes the conversation.
    func setConsent(_ consent: Consent, conversationID: String, textVersion: String?) async throws
    /// Changes of consent, oldest first; what a conversation began with is in itself.
    func consentHistory(of conversationID: String) async throws -> [ConsentEvent]
    /// Makes this the rater's current word on a message and label.
    func annotate(_ annotation: RaterAnnotation) async throws
    /// What raters say of a conversation's messages, in order of message, rater and label.
    func annotations(of conversationID: String) async throws -> [RaterAnnotation]
    /// Deletes a conversation with everything in it, if it is there. A log that is imported again does not bring it
    /// back.
    func delete(conversationID: String) async throws
    /// Deletes a person everywhere: their conversations, and their feedback on those of others with its history. A log
    /// that is imported again does not bring them back. The report names data sets and models that hold their words still.
    @discardableResult
    func delete(userID: String) async throws -> DeletionReport
    /// Deletes conversations that nobody touched since `date`: the end of a retention window. Returns how many.
    func deleteConversations(untouchedSince date: Date) async throws -> Int
    /// Data sets that hold a person's words, and the models that learnt from those; oldest first.
    func lineage(of userID: String) async throws -> PersonLineage
    /// Everything that the store holds of a person.
    func personalData(of userID: String) async throws -> PersonalData
    /// Remembers that an operator looks at raw text; to be called before the text is shown.
    func record(_ access: AccessRecord) async throws
    /// Looks at raw text, oldest first, `since` or later.
    func accesses(since: Date?) async throws -> [AccessRecord]
    /// Remembers a data set and whose words are in it.
    func record(_ dataset: DatasetRecord, people: Set<String>) async throws
    /// Remembers a model and what it was trained on.
    func record(_ model: ModelRecord) async throws
    /// Models whose replies came into the store, in order of their ids.
    func models() async throws -> [ModelSighting]
    /// Whether the store is whole: what is wrong with it, nothing when all is well.
    func check() async throws -> [String]
    func counts() async throws -> StoreCounts
    /// Everyone who talked or voted, in order of their ids.
    func users() async throws -> [StoredUser]
}

extension ConversationStore {
    /// Adds conversations, or replaces those that are there, all in one transaction.
    @discardableResult
    public func save(_ conversations: [Conversation]) async throws -> SaveSummary {
        try await save(conversations.map(EncodedConversation.init))
    }

    @discardableResult
    public func saveFromLog(_ conversations: [EncodedConversation]) async throws -> SaveSummary {
        try await save(conversations)
    }

    /// Adds conversations that an old log may still have, but for those that were deleted here.
    @discardableResult
    public func saveFromLog(_ conversations: [Conversation]) async throws -> SaveSummary {
        try await saveFromLog(conversations.map(EncodedConversation.init))
    }

    /// Adds a conversation, or replaces the one that is there; `save(_:)` of several says how.
    @discardableResult
    public func save(_ conversation: Conversation) async throws -> SaveSummary { try await save([conversation]) }

    /// Changes what the person allowed, in either direction. `none` deletes the conversation.
    public func setConsent(_ consent: Consent, conversationID: String) async throws {
        try await setConsent(consent, conversationID: conversationID, textVersion: nil)
    }

    /// All conversations in order of their ids, a page at a time in memory: consented to `consent` at least, and begun or
    /// changed at `since` or later.
    public func conversations(consent: Consent = .improve, since: Date? = nil, pageSize: Int = 64) -> ConversationStream
    {
        ConversationStream { try await page(after: $0, limit: max(1, pageSize), consent: consent, since: since) }
    }
}

/// What became of conversations that were given to a store.
public struct SaveSummary: Sendable, Hashable {
    /// How many were not there before.
    public var added = 0
    /// How many took the place of one that was there.
    public var replaced = 0
    /// How many were not kept because the person allows nothing.
    public var withoutConsent = 0
    /// How many of those were there from before, and are deleted now.
    public var withdrawn = 0
    /// How many were not kept because the person was deleted since.
    public var deletedPerson = 0
    /// How many were not kept because they were deleted since: of `saveFromLog(_:)` alone.
    public var deletedConversation = 0
    /// Conversations that cannot be kept, each with the reason.
    public var refused: [String] = []

    public init() {}
}

/// One thing that was said of a message, or taken back.
public struct FeedbackEvent: Sendable, Hashable {
    public enum Action: String, Sendable, Hashable {
        case given
        case retracted
    }

    public var action: Action
    /// What was given, or what was taken back.
    public var feedback: Feedback
    /// When the store learned of it.
    public var recordedAt: Date

    public init(action: Action, feedback: Feedback, recordedAt: Date) {
        self.action = action
        self.feedback = feedback
        self.recordedAt = recordedAt
    }
}

/// How much a store holds.
public struct StoreCounts: Sendable, Hashable {
    public var conversations: Int
    public var messages: Int
    /// Current feedback, one per person and message.
    public var feedback: Int
    public var likes: Int
    public var dislikes: Int
    /// People who talked or voted.
    public var users: Int

    public init(conversations: Int, messages: Int, feedback: Int, likes: Int, dislikes: Int, users: Int) {
        self.conversations = conversations
        self.messages = messages
        self.feedback = feedback
        self.likes = likes
        self.dislikes = dislikes
        self.users = users
    }
}

/// A person in a store.
public struct StoredUser: Sendable, Hashable, Identifiable {
    public var id: String
    public var conversations: Int
    public var likes: Int
    public var dislikes: Int

    public init(id: String, conversations: Int, likes: Int, dislikes: Int) {
        self.id = id
        self.conversations = conversations
        self.likes = likes
        self.dislikes = dislikes
    }
}

/// The conversations of a store, fetched a page at a time as they are asked for.
public struct ConversationStream: AsyncSequence, Sendable {
    public typealias Element = Conversation
    /// Gives the conversations that come after an id.
    private let page: @Sendable (String?) async throws -> [Conversation]

    /// `page` gives the conversations that come after an id in order of their ids, none at the end.
    public init(page: @escaping @Sendable (String?) async throws -> [Conversation]) { self.page = page }

    public func makeAsyncIterator() -> Iterator { Iterator(page: page) }

    public struct Iterator: AsyncIteratorProtocol {
        let page: @Sendable (String?) async throws -> [Conversation]
        private var waiting: ArraySlice<Conversation> = []
        private var last: String?
        private var isAtEnd = false

        init(page: @escaping @Sendable (String?) async throws -> [Conversation]) { self.page = page }

        public mutating func next() async throws -> Conversation? {
            if waiting.isEmpty, !isAtEnd {
                waiting = try await page(last)[...]
                isAtEnd = waiting.isEmpty
            }
            guard let conversation = waiting.popFirst() else { return nil }
            last = conversation.id
            return conversation
        }
    }
}
