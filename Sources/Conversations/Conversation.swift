import Foundation

/// One chat between one person and the bot: the canonical record of Loam, a superset of a line of the BB3x release.
///
/// Everything that goes in becomes this, everything that goes out is made from it. `shared` readers keep what they do
/// not know in `extra`, so that nothing is lost on the way through.
public struct Conversation: Sendable, Hashable, Identifiable {
    /// The conversation's id (`chat_id` in the BB3x release).
    public var id: String
    /// The person, pseudonymous (`user_pseudo_id`). Splits and trust go by it.
    public var userID: String
    /// Messages in the order they were sent.
    public var messages: [Message]
    /// What the person allowed.
    public var consent: Consent
    /// When it began, where the log says so.
    public var startedAt: Date?
    /// Where it was read from: format and file.
    public var source: String?
    /// Fields that this version does not know, as they came.
    public var extra: [String: JSONValue]

    public init(
        id: String, userID: String, messages: [Message] = [], consent: Consent = .improve, startedAt: Date? = nil,
        source: String? = nil, extra: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.userID = userID
        self.messages = messages
        self.consent = consent
        self.startedAt = startedAt
        self.source = source
        self.extra = extra
    }

    /// Whether its log names nobody: the person is then called after the conversation.
    public var isOfNobody: Bool { userID == RecordDecoder.anonymousUser(of: id) }

    /// Whether it began before another one. What has no beginning is older than what has; of equal ones the id decides.
    public func isOlder(than other: Conversation) -> Bool {
        (startedAt ?? .distantPast, id) < (other.startedAt ?? .distantPast, other.id)
    }
}

/// What a person allowed to be done with a conversation. Ordered: each scope includes the ones before it.
public enum Consent: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// Nothing is kept for later.
    case none
    /// May be stored and may train models; may not leave the house.
    case improve
    /// May also be released, de-identified.
    case release

    private var rank: Int {
        switch self {
        case .none: 0
        case .improve: 1
        case .release: 2
        }
    }

    public static func < (a: Consent, b: Consent) -> Bool { a.rank < b.rank }
}
