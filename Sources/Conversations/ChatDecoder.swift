import Foundation

/// Reads ShareGPT (`conversations` of `{from, value}`) and OpenAI's chats (`messages` of `{role, content}`, with or without
/// feedback) and its preference lines (`input`, `preferred_output`, `non_preferred_output`, in both spellings).
struct ChatDecoder {
    let decoder: RecordDecoder

    private static let fields: Set<String> = [
        "id", "conversations", "conversation", "messages", "user", "user_id", "safety_identifier", "model", "feedback",
        "rating", "created", "created_at", "input", "preferred_output", "preferred_completion", "non_preferred_output",
        "non_preferred_completion",
    ]

    func conversation(from value: JSONValue, bytes: [UInt8]) throws(FieldError) -> Conversation {
        let fields = try RecordFields(value, path: "")
        let format = decoder.format
        let id = try fields.identifier("id") ?? "\(format.rawValue)-\(StableHash.identifier(of: bytes))"
        let user =
            try fields.identifier(anyOf: "user_id", "user", "safety_identifier")
            ?? RecordDecoder.anonymousUser(of: id)
        var chat: ChatMessages
        var extra = fields.rest(known: Self.fields)
        if format == .shareGPT {
            let name =
                fields.value("conversations") == nil && fields.value("conversation") != nil
                ? "conversation" : "conversations"
            guard let list = try fields.array(name) else { throw fields.missing("conversations") }
            chat = try ChatMessages(list, path: name, spelling: ChatMessages.shareGPT, user: user)
        } else if let input = try fields.object("input") {
            chat = try preference(fields, input, user: user)
            for (name, value) in input.rest(known: ["messages"]) { extra[name] = value }
        } else {
            guard let list = try fields.array("messages") else { throw fields.missing("messages") }
            chat = try ChatMessages(list, path: "messages", spelling: ChatMessages.openAI, user: user)
        }
        guard !chat.messages.isEmpty else {
            throw FieldError(code: .noMessages, field: "messages", reason: "no messages")
        }
        if let model = try fields.string("model") {
            for i in chat.messages.indices where chat.messages[i].sender == .bot {
                chat.messages[i].generation = GenerationRecord(model: model)
            }
        }
        for name in ["feedback", "rating"] {
            guard let feedback = fields.value(name), let last = chat.messages.lastIndex(where: { $0.sender == .bot })
            else { continue }
            let given = try ChatFeedback.read(feedback, path: name, user: user)
            if !chat.messages[last].feedback.contains(where: { $0.userID == given.userID }) {
                chat.messages[last].feedback.append(given)
            }
        }
        if let system = chat.system { extra["system"] = .string(system) }
        return Conversation(
            id: id, userID: user, messages: chat.messages, consent: decoder.consent(said: nil),
            startedAt: try fields.date(anyOf: "created_at", "created"), source: decoder.source,
            extra: extra.keptApart(from: CanonicalDecoder.conversationFields))
    }

    /// The worse reply, corrected by the better one.
    private func preference(_ fields: RecordFields, _ input: RecordFields, user: String) throws(FieldError)
        -> ChatMessages
    {
        guard let list = try input.array("messages") else { throw input.missing("messages") }
        var chat = try ChatMessages(list, path: "input.messages", spelling: ChatMessages.openAI, user: user)
        func output(_ names: [String]) throws(FieldError) -> Message {
            for name in names {
                guard let list = try fields.array(name) else { continue }
                let messages = try ChatMessages(list, path: name, spelling: ChatMessages.openAI, user: user).messages
                guard messages.count == 1, messages[0].sender == .bot else {
                    throw FieldError(field: name, reason: "expected one message of the assistant")
                }
                return messages[0]
            }
            throw fields.missing(names[0])
        }
        let better = try output(["preferred_output", "preferred_completion"])
        var worse = try output(["non_preferred_output", "non_preferred_completion"])
        worse.id = "m\(chat.messages.count)"
        worse.feedback = [Feedback(userID: user, correction: better.text)]
        chat.messages.append(worse)
        return chat
    }
}
