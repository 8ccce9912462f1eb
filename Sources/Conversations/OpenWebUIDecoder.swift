import Foundation

/// Reads the feedback export of open-webui: a list of votes, each with a copy of the whole chat.
///
/// Each vote becomes a conversation of its own (`chat_id/message_id`), since the copies differ: a chat goes on between votes.
/// A chat is a tree of messages; siblings keep their parent.
struct OpenWebUIDecoder {
    let decoder: RecordDecoder

    private static let fields: Set<String> = [
        "id", "user_id", "version", "type", "data", "meta", "snapshot", "created_at", "updated_at",
    ]
    private static let messageFields: Set<String> = [
        "id", "parentId", "childrenIds", "role", "content", "timestamp", "model", "models",
    ]

    func conversation(from value: JSONValue, bytes: [UInt8]) throws(FieldError) -> Conversation {
        let fields = try RecordFields(value, path: "")
        guard let data = try fields.object("data") else { throw fields.missing("data") }
        let meta = try fields.object("meta")
        var chat: RecordFields?
        // `snapshot.chat` is the chat's row, whose own `chat` holds the messages.
        if let row = try fields.object("snapshot")?.object("chat") {
            chat = row
            if let inner = try row.object("chat") { chat = inner }
        }
        guard let chat else {
            throw FieldError(
                code: .noMessages, field: "snapshot.chat", reason: "no copy of the chat came with the vote")
        }
        let vote = try fields.identifier("id") ?? StableHash.identifier(of: bytes)
        let messageID = try meta?.identifier("message_id")
        let chatID = try meta?.identifier("chat_id")
        let id = "\(chatID ?? "open-webui")/\(messageID ?? vote)"
        let user = try fields.identifier("user_id") ?? RecordDecoder.anonymousUser(of: id)
        var (messages, system) = try messages(of: chat)
        guard !messages.isEmpty else {
            throw FieldError(code: .noMessages, field: chat.path("messages"), reason: "no messages")
        }
        var target = messageID.flatMap { id in messages.firstIndex { $0.id == id } }
        if target == nil, let index = try meta?.number("message_index"), let place = Int(exactly: index),
            messages.indices.contains(place), messages[place].sender == .bot
        {
            target = place
        }
        guard let target = target ?? messages.lastIndex(where: { $0.sender == .bot }) else {
            throw FieldError(code: .noMessages, field: chat.path("messages"), reason: "no reply to vote on")
        }
        var feedback = Feedback(userID: user, givenAt: try fields.date(anyOf: "updated_at", "created_at"))
        if let rating = data.value("rating") { feedback.rating = try ChatFeedback.rating(rating, path: "data.rating") }
        if let reason = try data.string("reason"), !reason.isEmpty {
            feedback.reasons = [DislikeReason(spelling: reason)]
        }
        if let comment = try data.string("comment"), !comment.isEmpty { feedback.comment = comment }
        messages[target].feedback = [feedback]
        if messages[target].generation == nil, let model = try data.string("model_id") {
            messages[target].generation = GenerationRecord(model: model)
        }
        var extra = fields.rest(known: Self.fields)
        extra["open_webui"] = .object(
            ["data": fields.value("data"), "meta": fields.value("meta")].compactMapValues { $0 })
        if let system { extra["system"] = .string(system) }
        return Conversation(
            id: id, userID: user, messages: messages, consent: decoder.consent(said: nil),
            startedAt: messages.first?.sentAt, source: decoder.source,
            extra: extra.keptApart(from: CanonicalDecoder.conversationFields))
    }

    private func messages(of chat: RecordFields) throws(FieldError) -> ([Message], system: String?) {
        var nodes: [RecordFields] = []
        if let tree = try chat.object("history")?.object("messages") {
            nodes = try inOrder(tree)
        } else if let list = try chat.array("messages") {
            for (i, value) in list.enumerated() {
                nodes.append(try RecordFields(value, path: chat.path("messages[\(i)]")))
            }
        }
        var messages: [Message] = []
        var system: String?
        var ids = MessageIDs()
        for node in nodes {
            guard let role = try node.string("role") else {
                throw FieldError(code: .unknownSender, field: node.path("role"), reason: "missing")
            }
            let text = try node.string("content") ?? ""
            if role == "system" {
                system = text
                continue
            }
            guard let sender = Sender(name: role) else {
                throw FieldError(
                    code: .unknownSender, field: node.path("role"),
                    reason: "expected user or assistant, found \(quoted(role))")
            }
            var message = Message(
                id: ids.id(try node.identifier("id"), index: messages.count), sender: sender, text: text)
            message.sentAt = try node.date("timestamp")
            if let parent = try node.identifier("parentId"), parent != messages.last?.id,
                messages.contains(where: { $0.id == parent })
            {
                message.parentID = parent
            }
            if sender == .bot, let model = try node.string("model") {
                message.generation = GenerationRecord(model: model)
            }
            message.extra = node.rest(known: Self.messageFields).keptApart(from: MessageFields.names)
            messages.append(message)
        }
        return (messages, system)
    }

    /// A tree's messages, parents first, siblings in the order in which they were made.
    private func inOrder(_ tree: RecordFields) throws(FieldError) -> [RecordFields] {
        var nodes: [String: RecordFields] = [:]
        for name in tree.names { nodes[name] = try tree.object(name) }
        var roots: [String] = []
        for name in nodes.keys.sorted() {
            let parent = try nodes[name]?.identifier("parentId")
            if parent == nil || nodes[parent ?? ""] == nil { roots.append(name) }
        }
        var order: [RecordFields] = []
        var waiting = Array(roots.reversed())
        var seen: Set<String> = []
        while let name = waiting.popLast() {
            // A chat that was edited by hand may point in circles.
            guard let node = nodes[name], seen.insert(name).inserted else { continue }
            order.append(node)
            waiting.append(contentsOf: (try node.strings("childrenIds") ?? []).reversed())
        }
        return order
    }
}
