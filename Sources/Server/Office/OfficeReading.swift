import Conversations
import Deidentification
import Foundation
import Storage

/// Conversations as operators and raters read them: without what identifies, unless a reason is given and written down.
struct OfficeReading: Sendable {
    let store: any OfficeStore
    let deidentifier: Deidentifier
    let now: @Sendable () -> Date

    /// What to look for.
    struct Query: Sendable {
        /// In the de-identified text, so that nobody can be looked for by name.
        var text: String?
        var isDisliked = false
        var hasSafetyEvent = false
        var model: String?
        var since: Date?
        var after: TouchedConversation.Place?
    }

    struct Page: Encodable, Sendable {
        var conversations: [Row]
        /// To be given as `after` for the next page; absent at the end.
        var next: String?
        /// Conversations looked at for this page.
        var looked: Int
    }

    /// One line of the list.
    struct Row: Encodable, Sendable {
        var id: String
        var person: String
        var touchedAt: Date
        var messages: Int
        var likes: Int
        var dislikes: Int
        var unsafe: Int
        var models: [String]
        /// How it begins, without what identifies.
        var preview: String

        enum CodingKeys: String, CodingKey {
            case id, person, messages, likes, dislikes, unsafe, models, preview
            case touchedAt = "touched_at"
        }
    }

    /// Most conversations that one page looks at; a rare match is then found by asking for the next page.
    static let patience = 1000

    func page(_ query: Query, limit: Int = 25) async throws -> Page {
        var rows: [Row] = []
        var looked = 0
        var place = query.after
        let wanted = query.text?.lowercased()
        while rows.count < limit, looked < Self.patience {
            let found = try await store.latest(
                after: place, limit: 50, since: query.since, isDisliked: query.isDisliked)
            for touched in found {
                place = touched.place
                looked += 1
                let conversation = touched.conversation
                let unsafe = conversation.messages.count { $0.safety.contains(where: \.isUnsafe) }
                if query.hasSafetyEvent, unsafe == 0 { continue }
                let models = Set(conversation.messages.compactMap { $0.generation?.model })
                if let model = query.model, !models.contains(model) { continue }
                let plain = deidentifier.deidentify(conversation).0
                if let wanted {
                    let isFound = plain.messages.contains { message in
                        message.text.lowercased().contains(wanted)
                            || message.feedback.contains {
                                ($0.comment?.lowercased().contains(wanted) ?? false)
                                    || ($0.correction?.lowercased().contains(wanted) ?? false)
                            }
                    }
                    if !isFound { continue }
                }
                rows.append(
                    Self.row(plain, touchedAt: touched.touchedAt, unsafe: unsafe, models: models.sorted()))
                if rows.count == limit { break }
            }
            if found.count < 50, rows.count < limit {
                return Page(conversations: rows, next: nil, looked: looked)
            }
        }
        return Page(conversations: rows, next: place?.text, looked: looked)
    }

    private static func row(_ plain: Conversation, touchedAt: Date, unsafe: Int, models: [String]) -> Row {
        let thumbs = plain.messages.flatMap(\.feedback)
        let first = plain.messages.first { $0.sender == .human } ?? plain.messages.first
        return Row(
            id: plain.id, person: plain.userID, touchedAt: touchedAt, messages: plain.messages.count,
            likes: thumbs.count { $0.rating == .like }, dislikes: thumbs.count { $0.rating == .dislike },
            unsafe: unsafe, models: models, preview: String((first?.text ?? "").prefix(140)))
    }

    /// A conversation without what identifies.
    /// - Throws: `ServerError` 404.
    func deidentified(_ id: String) async throws -> OfficeConversation {
        guard let found = try await store.conversation(id: id) else { throw ServerError.notFound("conversation") }
        return OfficeConversation(
            deidentifier.deidentify(found).0, annotations: try await store.annotations(of: id), isRaw: false)
    }

    /// A conversation as it was said. That somebody looked, and why, is in the store before the text is read.
    func raw(_ id: String, actor: String, reason: String) async throws -> OfficeConversation {
        let reason = try Self.checked(reason)
        guard try await store.conversation(id: id) != nil else { throw ServerError.notFound("conversation") }
        try await store.record(
            AccessRecord(actor: actor, action: "show", subject: id, reason: reason, recordedAt: now()))
        guard let found = try await store.conversation(id: id) else { throw ServerError.notFound("conversation") }
        return OfficeConversation(found, annotations: try await store.annotations(of: id), isRaw: true)
    }

    /// A reason in somebody's own words.
    static func checked(_ reason: String) throws -> String {
        let reason = reason.trimmingCharacters(in: .whitespacesAndNewlines)
        guard (5...500).contains(reason.count), !reason.utf8.contains(0) else {
            throw ServerError.invalid("reason", "Say why, in 5 to 500 characters.")
        }
        return reason
    }
}

extension TouchedConversation.Place {
    /// As it travels to the page and back.
    var text: String { String(touched.bitPattern, radix: 16) + "-" + String(number) }

    init?(text: String) {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let bits = UInt64(parts[0], radix: 16), let number = Int64(parts[1]) else { return nil }
        let touched = Double(bitPattern: bits)
        guard touched.isFinite else { return nil }
        self.init(touched: touched, number: number)
    }
}

/// A conversation as an operator reads it.
struct OfficeConversation: Encodable, Sendable {
    struct Message: Encodable, Sendable {
        var id: String
        var sender: String
        var text: String
        var sentAt: Date?
        var model: String?
        var isSafetyReply: Bool
        var safety: [SafetyDecision]
        var feedback: [Thumb]
        /// What the reply stands on, as lines.
        var inside: [String]

        enum CodingKeys: String, CodingKey {
            case id, sender, text, model, safety, feedback, inside
            case sentAt = "sent_at"
            case isSafetyReply = "is_safety_reply"
        }
    }

    struct Thumb: Encodable, Sendable {
        var user: String
        var rating: Int?
        var reasons: [String]
        var comment: String?
        var correction: String?
        var givenAt: Date?

        enum CodingKeys: String, CodingKey {
            case user, rating, reasons, comment, correction
            case givenAt = "given_at"
        }
    }

    struct Label: Encodable, Sendable {
        var message: String
        var rater: String
        var label: String
    }

    var id: String
    var person: String
    var consent: String
    var startedAt: Date?
    var source: String?
    var isRaw: Bool
    var messages: [Message]
    /// What raters hold true of messages.
    var labels: [Label]

    init(_ conversation: Conversation, annotations: [RaterAnnotation], isRaw: Bool) {
        id = conversation.id
        person = conversation.userID
        consent = conversation.consent.rawValue
        startedAt = conversation.startedAt
        source = conversation.source
        self.isRaw = isRaw
        labels = annotations.filter { ($0.value ?? 0) > 0 }
            .map { Label(message: $0.messageID, rater: $0.rater, label: $0.label) }
        messages = conversation.messages.map { message in
            var inside: [String] = []
            if let query = message.search?.query { inside.append("searched for: \(query)") }
            if let knowledge = message.search?.knowledge { inside.append("found: \(knowledge)") }
            if let memory = message.memory?.knowledge { inside.append("remembered: \(memory)") }
            for module in message.modules where !module.output.isEmpty {
                inside.append("\(module.module): \(module.output)")
            }
            return Message(
                id: message.id, sender: message.sender.rawValue, text: message.text, sentAt: message.sentAt,
                model: message.generation?.model, isSafetyReply: message.isSafetyControlled, safety: message.safety,
                feedback: message.feedback.map {
                    Thumb(
                        user: $0.userID, rating: $0.rating?.rawValue, reasons: $0.reasons.map(\.rawValue),
                        comment: $0.comment, correction: $0.correction, givenAt: $0.givenAt)
                }, inside: inside)
        }
    }

    enum CodingKeys: String, CodingKey {
        case id, person, consent, source, messages, labels
        case startedAt = "started_at"
        case isRaw = "raw"
    }
}
