import Foundation

/// Reads the BB3x release schema and Loam's superset of it; `LogWriter` has the table of fields.
///
/// For a BB3x log it is lenient where the release is known to vary: other spellings of the keys, missing ids and senders,
/// texts that are `null`, reasons and failures that nobody published. What it cannot understand it keeps in `extra`.
struct CanonicalDecoder {
    let isBB3x: Bool
    let decoder: RecordDecoder

    static let conversationFields: Set<String> = [
        "chat_id", "user_pseudo_id", "message_history", "consent", "started_at", "source",
    ]

    func conversation(from value: JSONValue, bytes: [UInt8]) throws(FieldError) -> Conversation {
        var fields = try RecordFields(value, path: "")
        if isBB3x { fields.canonicalise(known: Self.conversationFields) }
        let id = try fields.identifier("chat_id") ?? "\(decoder.format.rawValue)-\(StableHash.identifier(of: bytes))"
        let user = try fields.identifier("user_pseudo_id") ?? RecordDecoder.anonymousUser(of: id)
        var said: Consent?
        if let name = try fields.string("consent") {
            guard let consent = Consent(rawValue: name) else {
                throw FieldError(
                    field: "consent", reason: "expected none, improve or release, found \(quoted(name))")
            }
            said = consent
        }
        var messages: [Message] = []
        do throws(FieldError) {
            messages = try self.messages(of: fields, user: user)
        } catch {
            // Whoever allows nothing may have had the texts taken out as well: that they withdrew must still be heard.
            guard said == Consent.none else { throw error }
        }
        return Conversation(
            id: id, userID: user, messages: messages, consent: decoder.consent(said: said),
            startedAt: try fields.date("started_at"),
            source: try fields.string("source") ?? (isBB3x ? decoder.source : nil),
            extra: fields.rest(known: Self.conversationFields))
    }

    private func messages(of fields: RecordFields, user: String) throws(FieldError) -> [Message] {
        guard let history = try fields.array("message_history") else { throw fields.missing("message_history") }
        if isBB3x, history.isEmpty {
            throw FieldError(
                code: .noMessages, field: "message_history",
                reason: "no messages: the person did not agree to share them")
        }
        var messages: [Message] = []
        messages.reserveCapacity(history.count)
        var ids = MessageIDs()
        for (index, item) in history.enumerated() {
            messages.append(
                try message(from: item, path: "message_history[\(index)]", index: index, user: user, ids: &ids))
        }
        if isBB3x { FeedbackText.attach(in: &messages, user: user) }
        return messages
    }

    func message(from value: JSONValue, path: String, index: Int, user: String, ids: inout MessageIDs)
        throws(FieldError)
        -> Message
    {
        var fields = try RecordFields(value, path: path)
        if isBB3x { fields.canonicalise(known: MessageFields.names) }
        let botID = try fields.identifier("bot_message_id")
        let humanID = try fields.identifier("human_message_id")
        let sender = try sender(of: fields, hasBotID: botID != nil, hasHumanID: humanID != nil)
        let text = try fields.string("text")
        // In a release `null` stands where the text was withheld: the message keeps its place, empty.
        guard text != nil || isBB3x else { throw fields.missing("text") }
        // The card itself gives a bot's message the person's field for its id, so the other one is taken where need be.
        let given = sender == .bot ? botID ?? humanID : humanID ?? botID
        var message = Message(id: ids.id(given, index: index), sender: sender, text: text ?? "")
        try MessageFields.read(&fields, into: &message, user: user, isBB3x: isBB3x)
        return message
    }

    private func sender(of fields: RecordFields, hasBotID: Bool, hasHumanID: Bool) throws(FieldError) -> Sender {
        guard let name = try fields.string("sender") else {
            if hasBotID != hasHumanID { return hasBotID ? .bot : .human }
            throw FieldError(code: .unknownSender, field: fields.path("sender"), reason: "missing")
        }
        guard let sender = Sender(name: name) else {
            throw FieldError(
                code: .unknownSender, field: fields.path("sender"),
                reason: "expected bot or human, found \(quoted(name))")
        }
        return sender
    }
}

extension Sender {
    /// The sender by any name that logs use, in any case: `bot`, `Chatbot`, `assistant`; `human`, `User`.
    init?(name: String) {
        switch name {
        // The usual spellings first, as they are: this runs for every message.
        case "bot", "Chatbot":
            self = .bot
            return
        case "human", "Human":
            self = .human
            return
        default: break
        }
        switch name.lowercased().trimmingCharacters(in: .whitespaces) {
        case "bot", "chatbot", "assistant": self = .bot
        case "human", "user", "person": self = .human
        default: return nil
        }
    }
}
