import Conversations
import Foundation
import Storage

/// A conversation as the page sees it: the way to its end, each reply with those beside it.
struct ConversationView: Encodable, Sendable {
    var id: String
    var consent: Consent
    var startedAt: Date?
    var messages: [MessageView]

    init(_ conversation: Conversation, lineage: PersonLineage, limits: ServerLimits) {
        id = conversation.id
        consent = conversation.consent
        startedAt = conversation.startedAt
        let reader = ReplyReader(conversation, lineage: lineage, limits: limits)
        messages = conversation.mainLine.messages.map { message in
            conversation.replyGroup(of: message.id).map(reader.view(of:)) ?? reader.view(of: message)
        }
    }

    enum CodingKeys: String, CodingKey {
        case id, consent, messages
        case startedAt = "started_at"
    }
}

/// Makes views of one conversation's messages for its person.
struct ReplyReader {
    private let conversation: Conversation
    private let lineage: PersonLineage
    private let limits: ServerLimits

    /// - Parameter lineage: which models learnt from the person; empty where nobody asks.
    init(_ conversation: Conversation, lineage: PersonLineage = PersonLineage(), limits: ServerLimits) {
        self.conversation = conversation
        self.lineage = lineage
        self.limits = limits
    }

    func view(of message: Message) -> MessageView {
        MessageView(
            message, for: conversation.userID, isCounted: conversation.consent != .none, lineage: lineage)
    }

    /// The reply that is kept, with what is known of those beside it.
    func view(of group: ReplyGroup) -> MessageView {
        var view = view(of: group.keptReply)
        if group.replies.count > 1 { view.siblings = group.replies.map(view(of:)) }
        view.comparison = group.comparison.map(ComparisonView.init)
        view.canRegenerate = ChatService.canRegenerate(group, in: conversation, limits: limits)
        return view
    }
}

/// Two replies side by side, and what the person made of them.
struct ComparisonView: Encodable, Sendable {
    /// Ids from left to right.
    var order: [String]
    /// `open`, `chosen` or `both_bad`.
    var outcome: String
    var preferred: String?

    init(_ comparison: ReplyGroup.Comparison) {
        order = comparison.order
        switch comparison.outcome {
        case .open: outcome = "open"
        case .bothBad: outcome = "both_bad"
        case .preferred(let id): (outcome, preferred) = ("chosen", id)
        }
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
    /// True where the person may say that a safety layer was wrong about what they had said.
    var canDispute: Bool
    /// True where a safety layer found it unsafe.
    var isFlagged: Bool
    var feedback: FeedbackView?
    /// All replies to the same message, this one too, in the order in which they were made.
    var siblings: [MessageView]?
    var comparison: ComparisonView?
    /// Whether another reply may be asked for.
    var canRegenerate = false

    init(_ message: Message, for userID: String, isCounted: Bool, lineage: PersonLineage = PersonLineage()) {
        id = message.id
        sender = message.sender
        text = message.text
        sentAt = message.sentAt
        model = message.generation?.model
        isSafetyReply = message.isSafetyControlled
        canDispute = message.canBeDisputed
        isFlagged = message.safety.contains(where: \.isUnsafe)
        feedback = message.feedback.first { $0.userID == userID }.map { feedback in
            var view = FeedbackView(feedback, isCounted: isCounted, model: message.generation?.model)
            if isCounted, let time = feedback.givenAt {
                view.usedIn = lineage.models(withWordsOf: time).map(\.id)
            }
            return view
        }
    }

    enum CodingKeys: String, CodingKey {
        case id, sender, text, model, feedback, siblings, comparison
        case sentAt = "sent_at"
        case isSafetyReply = "is_safety_reply"
        case canDispute = "can_dispute"
        case isFlagged = "is_flagged"
        case canRegenerate = "can_regenerate"
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
    /// Models that learnt from the person's words since this was said.
    var usedIn: [String] = []

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
        case usedIn = "used_in"
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
