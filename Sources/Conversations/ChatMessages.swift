import Foundation

/// Messages with roles, as ShareGPT and OpenAI's chat completions have them.
struct ChatMessages {
    /// Text of the system's message at the beginning, if any.
    var system: String?
    var messages: [Message] = []

    /// How a format spells a message.
    struct Spelling {
        var role: String
        var text: String
        var fields: Set<String>
    }

    static let openAI = Spelling(
        role: "role", text: "content", fields: ["role", "content", "feedback", "id", "created", "created_at"])
    static let shareGPT = Spelling(role: "from", text: "value", fields: ["from", "value", "id"])

    /// `user` is whose feedback a message's `feedback` is where it names nobody.
    init(_ list: [JSONValue], path: String, spelling: Spelling, user: String) throws(FieldError) {
        var ids = MessageIDs()
        for (i, value) in list.enumerated() {
            let fields = try RecordFields(value, path: "\(path)[\(i)]")
            guard let role = try fields.string(spelling.role) else {
                throw FieldError(code: .unknownSender, field: fields.path(spelling.role), reason: "missing")
            }
            let text = try Self.text(fields, spelling.text)
            switch role.lowercased() {
            case "system", "developer":
                guard i == 0 else {
                    throw FieldError(field: fields.path(spelling.role), reason: "a system message after the beginning")
                }
                system = text
                continue
            default: break
            }
            guard let sender = Self.sender(role) else {
                throw FieldError(
                    code: .unknownSender, field: fields.path(spelling.role),
                    reason: "expected user or assistant, found \(quoted(role))")
            }
            var message = Message(
                id: ids.id(try fields.identifier("id"), index: messages.count), sender: sender, text: text)
            message.extra = fields.rest(known: spelling.fields).keptApart(from: MessageFields.names)
            if spelling.fields.contains("created") {
                message.sentAt = try fields.date(anyOf: "created_at", "created")
            }
            if spelling.fields.contains("feedback"), let feedback = fields.value("feedback") {
                message.feedback = [try ChatFeedback.read(feedback, path: fields.path("feedback"), user: user)]
            }
            messages.append(message)
        }
    }

    private static func sender(_ role: String) -> Sender? {
        switch role.lowercased() {
        case "gpt", "chatgpt", "bing", "bard", "model": .bot
        default: Sender(name: role)
        }
    }

    /// A string, or parts of type `text` put together; absent and `null` are empty.
    private static func text(_ fields: RecordFields, _ name: String) throws(FieldError) -> String {
        guard let value = fields.value(name) else { return "" }
        switch value {
        case .string(let text): return text
        case .array(let parts):
            var text = ""
            for (i, part) in parts.enumerated() {
                let box = try RecordFields(part, path: "\(fields.path(name))[\(i)]")
                guard try box.string("type") == "text", let piece = try box.string("text") else {
                    throw FieldError(field: box.path("type"), reason: "expected a part of type text")
                }
                text += piece
            }
            return text
        default: throw fields.fault(name, "a string or a list of parts", value)
        }
    }
}

/// Feedback as other systems write it beside a chat: a thumb in some spelling, why, and what should have been said.
enum ChatFeedback {
    static func read(_ value: JSONValue, path: String, user: String) throws(FieldError) -> Feedback {
        if case .object = value {} else { return Feedback(userID: user, rating: try rating(value, path: path)) }
        let box = try RecordFields(value, path: path)
        var reasons = try box.strings("reasons") ?? []
        if let reason = try box.string("reason"), !reason.isEmpty { reasons.append(reason) }
        var thumb: Rating?
        for name in ["rating", "score", "label"] {
            guard thumb == nil, let value = box.value(name) else { continue }
            thumb = try rating(value, path: box.path(name))
        }
        let comment = try box.string("comment")
        return Feedback(
            userID: try box.identifier(anyOf: "user_id", "user") ?? user, rating: thumb,
            reasons: reasons.map(DislikeReason.init(spelling:)), comment: comment == "" ? nil : comment,
            correction: try box.string("correction"),
            givenAt: try box.date(anyOf: "given_at", "created_at"))
    }

    /// 1 or −1 as a number or text, true or false, `like`, `thumbs_up`, …; 0 is none.
    static func rating(_ value: JSONValue, path: String) throws(FieldError) -> Rating? {
        switch value {
        case .null: return nil
        case .bool(let flag): return flag ? .like : .dislike
        case .number(let number):
            switch number {
            case 1: return .like
            case -1: return .dislike
            case 0: return nil
            default: break
            }
        case .string(let text):
            switch text.lowercased() {
            case "1", "like", "up", "thumbs_up", "thumbsup", "good", "positive", "upvote": return .like
            case "-1", "dislike", "down", "thumbs_down", "thumbsdown", "bad", "negative", "downvote": return .dislike
            case "", "0", "none": return nil
            default: break
            }
        default: break
        }
        throw FieldError(field: path, reason: "expected a thumb: 1 or -1")
    }
}
