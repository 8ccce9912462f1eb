import Conversations
import Dialogue
import Foundation
import Storage

/// A line of the list of a person's conversations.
struct ConversationLine: Encodable, Sendable {
    var id: String
    var startedAt: Date?
    var consent: Consent
    /// The beginning of what the person said first; empty where they said nothing yet.
    var title: String
    /// How many messages it has.
    var messages: Int

    init(_ conversation: Conversation) {
        id = conversation.id
        startedAt = conversation.startedAt
        consent = conversation.consent
        let first = conversation.messages.first { $0.sender == .human }?.text ?? ""
        let line = first.split(whereSeparator: \.isNewline).joined(separator: " ")
        title = line.count > 80 ? line.prefix(79) + "…" : line
        messages = conversation.messages.count
    }

    enum CodingKeys: String, CodingKey {
        case id, consent, title, messages
        case startedAt = "started_at"
    }
}

/// A fact that the bot keeps, with the message that it came from.
struct MemoryView: Encodable, Sendable {
    struct Source: Encodable, Sendable {
        var text: String
        var sentAt: Date?

        enum CodingKeys: String, CodingKey {
            case text
            case sentAt = "sent_at"
        }
    }

    var id: String
    /// Whom it is about: `human` or `bot`.
    var owner: String
    var text: String
    var conversationID: String?
    var messageID: String?
    var source: Source?

    /// - Parameter source: the message that it was taken from, where that is still there.
    init(_ memory: Memory, source: Message? = nil) {
        (id, owner, text) = (memory.id, memory.owner.sender.rawValue, memory.text)
        (conversationID, messageID) = (memory.conversationID, memory.messageID)
        self.source = source.map { Source(text: $0.text, sentAt: $0.sentAt) }
    }

    enum CodingKeys: String, CodingKey {
        case id, owner, text, source
        case conversationID = "conversation_id"
        case messageID = "message_id"
    }
}

/// What a person's votes came to.
struct ContributionView: Encodable, Sendable {
    struct Model: Encodable, Sendable {
        var id: String
        var madeAt: Date

        enum CodingKeys: String, CodingKey {
            case id
            case madeAt = "made_at"
        }
    }

    /// Replies that the person said something of.
    var votes = 0
    /// Those of them that the next round of learning sees.
    var counted = 0
    /// Replies that the person wrote better.
    var corrections = 0
    /// Times that the person chose between two replies.
    var choices = 0
    /// Safety replies that the person did not agree with.
    var disputes = 0
    /// Models that learnt from the person, oldest first.
    var models: [Model]

    init(_ conversations: [Conversation], lineage: PersonLineage) {
        models = lineage.models.map { Model(id: $0.id, madeAt: $0.createdAt) }
        for conversation in conversations {
            for message in conversation.messages {
                guard let feedback = message.feedback.first(where: { $0.userID == conversation.userID }) else {
                    continue
                }
                votes += 1
                if conversation.consent != .none { counted += 1 }
                if feedback.correction != nil { corrections += 1 }
                if feedback.reasons.contains(.disagreesSensitive) { disputes += 1 }
            }
            // Each choice stands on two replies: counted at the one on the left.
            choices +=
                conversation.messages.filter { message in
                    guard let comparison = conversation.replyGroup(of: message.id)?.comparison else { return false }
                    return comparison.order.first == message.id && comparison.outcome != .open
                }.count
        }
    }
}

/// Everything of a person, for them to take along.
struct ExportView: Encodable, Sendable {
    /// A whole conversation: dropped replies too, and how each reply was made.
    struct Whole: Encodable, Sendable {
        struct Entry: Encodable, Sendable {
            var message: MessageView
            var inside: InsideView

            func encode(to encoder: any Encoder) throws {
                try message.encode(to: encoder)
                var box = encoder.container(keyedBy: CodingKeys.self)
                try box.encode(inside, forKey: .inside)
            }

            enum CodingKeys: String, CodingKey { case inside }
        }

        var id: String
        var consent: Consent
        var startedAt: Date?
        var messages: [Entry]

        init(_ conversation: Conversation, lineage: PersonLineage, limits: ServerLimits) {
            id = conversation.id
            consent = conversation.consent
            startedAt = conversation.startedAt
            let reader = ReplyReader(conversation, lineage: lineage, limits: limits)
            messages = conversation.messages.map { message in
                var view = reader.view(of: message)
                view.comparison = conversation.replyGroup(of: message.id)?.comparison.map(ComparisonView.init)
                return Entry(message: view, inside: InsideView(message))
            }
        }

        enum CodingKeys: String, CodingKey {
            case id, consent, messages
            case startedAt = "started_at"
        }
    }

    var person: String
    var exportedAt: Date
    var conversations: [Whole]
    var memories: [MemoryView]
    var contribution: ContributionView

    enum CodingKeys: String, CodingKey {
        case person, conversations, memories, contribution
        case exportedAt = "exported_at"
    }
}
