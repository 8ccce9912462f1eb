import Conversations
import Foundation

/// A conversation as the page and a person's download see it.
struct ConversationView: Encodable, Sendable {
    var id: String
    var consent: Consent
    var startedAt: Date?
    var messages: [MessageView]

    init(_ conversation: Conversation) {
        id = conversation.id
        consent = conversation.consent
        startedAt = conversation.startedAt
        messages = conversation.messages.map {
            MessageView($0, for: conversation.userID, isCounted: conversation.consent != .none)
        }
    }

    enum CodingKeys: String, CodingKey {
        case id, consent, messages
        case startedAt = "started_at"
    }
}

/// A message as its person sees it.
struct MessageView: Encodable, Sendable {
    var id: String
    var sender: Sender
    var text: String
    var sentAt: Date?
    /// The model version that wrote it.
    var model: String?
    /// True where a safety layer spoke instead of the model.
    var isSafetyReply: Bool
    var feedback: FeedbackView?

    init(_ message: Message, for userID: String, isCounted: Bool) {
        id = message.id
        sender = message.sender
        text = message.text
        sentAt = message.sentAt
        model = message.generation?.model
        isSafetyReply = message.isSafetyControlled
        feedback = message.feedback.first { $0.userID == userID }
            .map { FeedbackView($0, isCounted: isCounted, model: message.generation?.model) }
    }

    enum CodingKeys: String, CodingKey {
        case id, sender, text, model, feedback
        case sentAt = "sent_at"
        case isSafetyReply = "is_safety_reply"
    }
}

/// What a person said of a reply, and whether it will teach the next model.
struct FeedbackView: Encodable, Sendable {
    var rating: Int?
    var reasons: [String]
    var comment: String?
    var correction: String?
    var givenAt: Date?
    /// True when it is in the store and goes into the next round of learning.
    var isCounted: Bool
    /// The model version it was counted for.
    var model: String?

    init(_ feedback: Feedback, isCounted: Bool, model: String?) {
        rating = feedback.rating?.rawValue
        reasons = feedback.reasons.map(\.rawValue)
        comment = feedback.comment
        correction = feedback.correction
        givenAt = feedback.givenAt
        self.isCounted = isCounted
        self.model = model
    }

    enum CodingKeys: String, CodingKey {
        case rating, reasons, comment, correction, model
        case givenAt = "given_at"
        case isCounted = "counted"
    }
}

/// What a page needs to begin.
struct SessionView: Encodable, Sendable {
    struct Model: Encodable, Sendable {
        var id: String?
        var ready: Bool
        var state: String
    }
    struct Limits: Encodable, Sendable {
        var messageCharacters: Int
        enum CodingKeys: String, CodingKey { case messageCharacters = "message_characters" }
    }
    var model: Model
    /// The newest conversation, where there is one.
    var conversation: ConversationView?
    var consent: Consent?
    /// Codes of the reasons to offer, in order.
    var reasons: [String]
    var limits: Limits
}

/// Everything of a person, for them to take along.
struct ExportView: Encodable, Sendable {
    var person: String
    var exportedAt: Date
    var conversations: [ConversationView]

    enum CodingKeys: String, CodingKey {
        case person, conversations
        case exportedAt = "exported_at"
    }
}
