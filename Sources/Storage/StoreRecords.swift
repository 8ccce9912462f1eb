import Conversations
import Foundation

/// A change of what a person allowed, and the text that they agreed to.
public struct ConsentEvent: Sendable, Hashable {
    public var consent: Consent
    /// Version of the text that was shown; `nil` where the change came with a log.
    public var textVersion: String?
    public var recordedAt: Date

    public init(consent: Consent, textVersion: String? = nil, recordedAt: Date) {
        self.consent = consent
        self.textVersion = textVersion
        self.recordedAt = recordedAt
    }
}

/// What a rater says of a message: one per rater, message and label.
public struct RaterAnnotation: Sendable, Hashable {
    public var conversationID: String
    public var messageID: String
    /// Who rated; deleted with the person of the same id.
    public var rater: String
    /// What was asked: `inappropriate`, `off_topic`, …
    public var label: String
    /// The answer: 1 or 0, or a score.
    public var value: Double?
    public var comment: String?
    public var recordedAt: Date

    public init(
        conversationID: String, messageID: String, rater: String, label: String, value: Double? = nil,
        comment: String? = nil, recordedAt: Date
    ) {
        self.conversationID = conversationID
        self.messageID = messageID
        self.rater = rater
        self.label = label
        self.value = value
        self.comment = comment
        self.recordedAt = recordedAt
    }
}

/// An operator's look at text that was not de-identified.
public struct AccessRecord: Sendable, Hashable, Codable {
    /// Who looked.
    public var actor: String
    /// What they did: `show`, `person_export`, …
    public var action: String
    /// The conversation's id, or the hash of a person's.
    public var subject: String
    /// Why, in their words.
    public var reason: String
    public var recordedAt: Date

    public init(actor: String, action: String, subject: String, reason: String, recordedAt: Date) {
        self.actor = actor
        self.action = action
        self.subject = subject
        self.reason = reason
        self.recordedAt = recordedAt
    }
}

/// A data set that was made from the store: who is in it is kept as hashes, so that a deleted person's can be named.
public struct DatasetRecord: Sendable, Hashable, Codable {
    /// Hash of its content or of its place and time.
    public var id: String
    /// Where it was written.
    public var path: String
    /// Its shape: `loam`, `bb3x`, `trl-kto`, …
    public var shape: String
    public var conversations: Int
    public var people: Int
    public var createdAt: Date

    public init(id: String, path: String, shape: String, conversations: Int, people: Int, createdAt: Date) {
        self.id = id
        self.path = path
        self.shape = shape
        self.conversations = conversations
        self.people = people
        self.createdAt = createdAt
    }
}

/// A model that was trained on data sets of the store.
public struct ModelRecord: Sendable, Hashable, Codable {
    /// Registry id.
    public var id: String
    public var path: String
    /// Ids of the data sets.
    public var datasets: [String]
    public var createdAt: Date

    public init(id: String, path: String, datasets: [String], createdAt: Date) {
        self.id = id
        self.path = path
        self.datasets = datasets
        self.createdAt = createdAt
    }
}

/// Where a person's words went: data sets that hold them, and models that were trained on one of those.
public struct PersonLineage: Sendable, Hashable {
    public var datasets: [DatasetRecord]
    public var models: [ModelRecord]

    public init(datasets: [DatasetRecord] = [], models: [ModelRecord] = []) {
        self.datasets = datasets
        self.models = models
    }

    /// Models that learnt from what the person had said by a time: from a data set that was made then or later. Who is in a data
    /// set is known by person and not by message, so this is as much as can be told of one vote.
    public func models(withWordsOf time: Date) -> [ModelRecord] {
        let late = Set(datasets.filter { $0.createdAt >= time }.map(\.id))
        return models.filter { !late.isDisjoint(with: $0.datasets) }
    }
}

/// A model whose replies are, or were, in the store.
public struct ModelSighting: Sendable, Hashable, Codable {
    public var model: String
    /// When its first and its last reply came into the store.
    public var firstAt: Date
    public var lastAt: Date

    public init(model: String, firstAt: Date, lastAt: Date) {
        self.model = model
        self.firstAt = firstAt
        self.lastAt = lastAt
    }
}

/// What a deletion took away, and where copies are that the store cannot reach.
public struct DeletionReport: Sendable, Hashable, Codable {
    public var conversations = 0
    /// Feedback on others' conversations.
    public var feedback = 0
    public var annotations = 0
    /// Memories beyond those that went with their conversations.
    public var memories = 0
    /// Data sets that were written while the person was in the store and hold their words.
    public var datasets: [DatasetRecord] = []
    /// Models that were trained on one of them.
    public var models: [ModelRecord] = []

    public init() {}
}

/// Everything that a store holds of one person.
public struct PersonalData: Sendable, Hashable {
    /// What they said in a conversation of somebody else.
    public struct Voice: Sendable, Hashable {
        public var conversationID: String
        public var messageID: String
        public var event: FeedbackEvent

        public init(conversationID: String, messageID: String, event: FeedbackEvent) {
            self.conversationID = conversationID
            self.messageID = messageID
            self.event = event
        }
    }

    public var userID: String
    public var conversations: [Conversation]
    /// All feedback that they ever gave, oldest first.
    public var feedback: [Voice]
    public var annotations: [RaterAnnotation]
    /// Changes of consent, by conversation.
    public var consent: [String: [ConsentEvent]]
    /// Data sets that hold their words.
    public var datasets: [DatasetRecord]
    public var models: [ModelRecord]
    public var memories: [Memory]
    /// Their choices between two replies or conversations, with what they wrote about them.
    public var pairVotes: [PairVote]
    /// Their answers to questions whose right answer is known.
    public var goldAnswers: [GoldAnswer]
    /// Operators' looks at their conversations and at what is held of them, oldest first.
    public var accesses: [AccessRecord]

    public init(
        userID: String, conversations: [Conversation], feedback: [Voice], annotations: [RaterAnnotation],
        consent: [String: [ConsentEvent]], datasets: [DatasetRecord], models: [ModelRecord], memories: [Memory],
        pairVotes: [PairVote] = [], goldAnswers: [GoldAnswer] = [], accesses: [AccessRecord] = []
    ) {
        self.userID = userID
        self.conversations = conversations
        self.feedback = feedback
        self.annotations = annotations
        self.consent = consent
        self.datasets = datasets
        self.models = models
        self.memories = memories
        self.pairVotes = pairVotes
        self.goldAnswers = goldAnswers
        self.accesses = accesses
    }
}
