import Conversations
import Foundation

/// A rater's choice between two replies, or two conversations, whose makers they were not told.
public struct PairVote: Sendable, Hashable {
    /// One of the two sides.
    public struct Side: Sendable, Hashable {
        public var conversationID: String
        /// The reply; `nil` stands for the whole conversation.
        public var messageID: String?
        /// Registry id of the model that wrote it.
        public var model: String

        public init(conversationID: String, messageID: String? = nil, model: String) {
            self.conversationID = conversationID
            self.messageID = messageID
            self.model = model
        }
    }

    public enum Choice: Int, Sendable, Hashable, Codable {
        case tie = 0
        case first = 1
        case second = 2
    }

    /// Names the two sides, whatever their order.
    public var pair: String
    public var rater: String
    /// What stood on the left. Sides are drawn at random, so the order is part of the record.
    public var first: Side
    public var second: Side
    /// Short name of what was asked.
    public var question: String
    public var choice: Choice
    /// Why, in the rater's words.
    public var comment: String?
    public var recordedAt: Date

    public init(
        pair: String, rater: String, first: Side, second: Side, question: String, choice: Choice,
        comment: String? = nil, recordedAt: Date
    ) {
        self.pair = pair
        self.rater = rater
        self.first = first
        self.second = second
        self.question = question
        self.choice = choice
        self.comment = comment
        self.recordedAt = recordedAt
    }
}

/// A rater's answer to a question whose right answer is known.
public struct GoldAnswer: Sendable, Hashable {
    public var rater: String
    /// Which question.
    public var item: String
    public var isRight: Bool
    public var recordedAt: Date

    public init(rater: String, item: String, isRight: Bool, recordedAt: Date) {
        self.rater = rater
        self.item = item
        self.isRight = isRight
        self.recordedAt = recordedAt
    }
}

/// Keeps what raters say. Errors are `StorageError`.
public protocol RatingStore: Sendable {
    /// Makes these the raters' current words, all of them or none.
    func annotate(_ annotations: [RaterAnnotation]) async throws
    /// What raters say under a label, in order of conversation, message and rater.
    func annotations(label: String) async throws -> [RaterAnnotation]
    /// Makes this the rater's current choice on a pair.
    /// - Throws: `.notFound` when a side is not there (any more).
    func record(_ vote: PairVote) async throws
    /// All choices, oldest first. They go with either conversation, and with the rater.
    func pairVotes() async throws -> [PairVote]
    /// Remembers an answer; the first one on a question counts, later ones change nothing.
    func record(_ answer: GoldAnswer) async throws
    /// All answers, oldest first.
    func goldAnswers() async throws -> [GoldAnswer]
    /// Lets a rater begin anew with the questions whose answers are known.
    func forgetGoldAnswers(of rater: String) async throws
}

/// A conversation with when it was last touched.
public struct TouchedConversation: Sendable, Hashable {
    /// Place in a list that begins with the latest touched.
    public struct Place: Sendable, Hashable {
        /// Seconds since 1970, exactly as the store has them.
        public var touched: Double
        public var number: Int64

        public init(touched: Double, number: Int64) {
            self.touched = touched
            self.number = number
        }
    }

    public var place: Place
    public var conversation: Conversation

    public var touchedAt: Date { Date(timeIntervalSince1970: place.touched) }

    public init(place: Place, conversation: Conversation) {
        self.place = place
        self.conversation = conversation
    }
}

/// All that the operator's and the raters' pages need of a store.
public protocol OfficeStore: ConversationStore, AccountStore, RatingStore {
    /// At most `limit` conversations, the latest touched first, after `place`: touched at `since` or later, and with a thumb
    /// down where `isDisliked`.
    func latest(after place: TouchedConversation.Place?, limit: Int, since: Date?, isDisliked: Bool) async throws
        -> [TouchedConversation]
    /// Numbers of looks at raw text, and the latest of them first.
    func latestAccesses(limit: Int) async throws -> [AccessRecord]
}
