import Conversations

/// Goes through every text of a conversation that a person may have written in, always in the same order.
enum ConversationTexts {
    /// What is known of a field besides its text.
    struct Field {
        var place: Finding.Place
        /// Whether it is the text of a message, which the next message may answer.
        var isTurn = false
        /// The name of an unknown field, which may say what stands in it (`phone`).
        var key: String?
    }

    /// Calls `body` with each text; what it leaves there stays.
    static func visit(_ conversation: inout Conversation, _ body: (Field, inout String) -> Void) {
        for i in conversation.messages.indices { visit(&conversation.messages[i], body) }
        visit(&conversation.extra, Finding.Place(messageID: nil, field: "extra"), body)
    }

    private static func visit(_ message: inout Message, _ body: (Field, inout String) -> Void) {
        let id = message.id
        func place(_ field: String) -> Field { Field(place: .init(messageID: id, field: field)) }
        body(Field(place: .init(messageID: id, field: "text"), isTurn: true), &message.text)
        for i in message.feedback.indices {
            visit(&message.feedback[i].comment, place("feedback.comment"), body)
            visit(&message.feedback[i].correction, place("feedback.correction"), body)
            for k in message.feedback[i].reasons.indices {
                // A log's own reason may be free text.
                guard case .unknown(var text) = message.feedback[i].reasons[k] else { continue }
                body(place("feedback.reasons[\(k)]"), &text)
                message.feedback[i].reasons[k] = .unknown(text)
            }
        }
        if var memory = message.memory {
            for i in memory.memories.indices { body(place("memory.memories[\(i)]"), &memory.memories[i]) }
            visit(&memory.knowledge, place("memory.knowledge"), body)
            message.memory = memory
        }
        if var search = message.search {
            visit(&search.query, place("search.query"), body)
            visit(&search.knowledge, place("search.knowledge"), body)
            visit(&search.failure, place("search.failure"), body)
            for i in search.documents.indices {
                body(place("search.documents[\(i)].title"), &search.documents[i].title)
                body(place("search.documents[\(i)].content"), &search.documents[i].content)
                body(place("search.documents[\(i)].url"), &search.documents[i].url)
            }
            message.search = search
        }
        // A module's output repeats what people said: memories, queries.
        for i in message.modules.indices {
            body(place("modules[\(i)].output"), &message.modules[i].output)
            visit(&message.modules[i].failure, place("modules[\(i)].failure"), body)
        }
        if !message.extra.isEmpty { visit(&message.extra, .init(messageID: id, field: "extra"), body) }
    }

    private static func visit(_ text: inout String?, _ field: Field, _ body: (Field, inout String) -> Void) {
        guard var value = text else { return }
        body(field, &value)
        text = value
    }

    private static func visit(
        _ object: inout [String: JSONValue], _ place: Finding.Place, _ body: (Field, inout String) -> Void
    ) {
        for key in object.keys.sorted() {
            guard var value = object[key] else { continue }
            // A name may be somebody's address or number itself (`{"jo@example.com": 1}`): no finding may repeat it.
            let isTelling = mayTell(key)
            let inside = Finding.Place(messageID: place.messageID, field: place.field + (isTelling ? ".*" : "." + key))
            visit(&value, inside, key, body)
            var name = key
            if isTelling { body(Field(place: inside), &name) }
            if name != key {
                object[key] = nil
                while object[name] != nil { name = "_" + name }
            }
            object[name] = value
        }
    }

    /// Addresses have an `@` and numbers that can be called many digits; names of fields have neither.
    private static func mayTell(_ key: String) -> Bool {
        key.utf8.contains(UInt8(ascii: "@")) || key.utf8.count(where: ScannedText.isDigit) >= 7
    }

    private static func visit(
        _ value: inout JSONValue, _ place: Finding.Place, _ key: String, _ body: (Field, inout String) -> Void
    ) {
        switch value {
        case .null, .bool: break
        case .string(var text):
            body(Field(place: place, key: key), &text)
            value = .string(text)
        case .number(let number):
            // A telephone or a card is a whole number, and so is an age.
            guard let whole = Int64(exactly: number), whole > 0 else { return }
            let text = String(whole)
            var new = text
            body(Field(place: place, key: key), &new)
            guard new != text else { return }
            // A short one stays a number where it can.
            if whole < 1_000_000, let small = Int(new), String(small) == new {
                value = .number(Double(small))
            } else {
                value = .string(new)
            }
        case .array(var items):
            for i in items.indices {
                visit(&items[i], .init(messageID: place.messageID, field: "\(place.field)[\(i)]"), key, body)
            }
            value = .array(items)
        case .object(var fields):
            visit(&fields, place, body)
            value = .object(fields)
        }
    }
}
