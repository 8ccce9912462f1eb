import Foundation

/// What one person said of one bot message: a thumb, perhaps why, perhaps what it should have said.
public struct Feedback: Sendable, Hashable {
    /// Who gave it. In a log it is the conversation's person unless the log says otherwise.
    public var userID: String
    /// The thumb; `nil` when there is only text.
    public var rating: Rating?
    /// Why not; known reasons from a closed set, unknown ones kept as they came.
    public var reasons: [DislikeReason]
    /// Free text about the reply.
    public var comment: String?
    /// What the bot should have said.
    public var correction: String?
    public var givenAt: Date?

    public init(
        userID: String, rating: Rating? = nil, reasons: [DislikeReason] = [], comment: String? = nil,
        correction: String? = nil, givenAt: Date? = nil
    ) {
        self.userID = userID
        self.rating = rating
        self.reasons = reasons
        self.comment = comment
        self.correction = correction
        self.givenAt = givenAt
    }

    /// Takes up what a person answers when asked what would have been better: the better reply where the answer says so
    /// ("you should have said …"), else a remark, which must not become a reply to train on.
    public mutating func take(answer text: String) {
        switch FeedbackText(text) {
        case .correction(let reply): correction = reply
        case .comment(let remark): comment = comment.map { $0 + "\n" + remark } ?? remark
        }
    }
}

/// A thumb.
public enum Rating: Int, Sendable, Hashable, Codable {
    case like = 1
    case dislike = -1
}

/// Why a reply was disliked: the reasons of BB3's page, with room for a log's own.
public enum DislikeReason: Sendable, Hashable {
    /// Off topic, or ignoring the person.
    case offTopic
    /// Nonsensical or incorrect.
    case nonsensical
    /// Rude or inappropriate.
    case inappropriate
    /// Spam or advertising.
    case spam
    /// Repeats itself or the person.
    case repeating
    case other
    /// A value that this version does not know, kept as it came (`agree_sensitive` for instance).
    case unknown(String)

    /// On a reply that a safety measure gave: the person agrees, or does not, that what they had said was sensitive (the
    /// BB3x release has these two beside the reasons).
    public static let agreesSensitive = DislikeReason.unknown("agree_sensitive")
    public static let disagreesSensitive = DislikeReason.unknown("disagree_sensitive")

    /// The reasons that a page offers, in its order.
    public static let offered: [DislikeReason] = [.offTopic, .nonsensical, .inappropriate, .spam, .repeating, .other]
}

extension DislikeReason: RawRepresentable, Codable {
    public init(rawValue: String) {
        switch rawValue {
        case "off_topic": self = .offTopic
        case "nonsensical": self = .nonsensical
        case "inappropriate": self = .inappropriate
        case "spam": self = .spam
        case "repeating": self = .repeating
        case "other": self = .other
        default: self = .unknown(rawValue)
        }
    }

    public var rawValue: String {
        switch self {
        case .offTopic: "off_topic"
        case .nonsensical: "nonsensical"
        case .inappropriate: "inappropriate"
        case .spam: "spam"
        case .repeating: "repeating"
        case .other: "other"
        case .unknown(let value): value
        }
    }
}
