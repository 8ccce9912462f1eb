import Foundation

/// Reads ParlAI's Conversations format (`dialog` as a list of pairs of acts) and FITS (`dialog` as a flat list of acts with
/// feedback in them).
///
/// Who is the person is told by the acts' `id`: FITS has `YOU` and `Speaker 1`, ParlAI whatever its agents are called. Of two
/// speakers one must have a name that says human or bot; a dialogue of two models or of two people is skipped.
struct ParlAIDecoder {
    let decoder: RecordDecoder

    private static let dialogueFields: Set<String> = [
        "dialog", "id", "user_id", "context", "start_time", "metadata_path", "episode_done",
    ]
    private static let actFields: Set<String> = [
        "id", "text", "episode_done", "improve_bucket", "feedback_type", "feedback_text", "search_queries", "top_docs",
    ]

    func conversation(from value: JSONValue, bytes: [UInt8]) throws(FieldError) -> Conversation {
        let fields = try RecordFields(value, path: "")
        guard let dialogue = try fields.array("dialog") else { throw fields.missing("dialog") }
        var acts: [RecordFields] = []
        for (i, item) in dialogue.enumerated() {
            if case .array(let pair) = item {
                for (k, act) in pair.enumerated() { acts.append(try RecordFields(act, path: "dialog[\(i)][\(k)]")) }
            } else {
                acts.append(try RecordFields(item, path: "dialog[\(i)]"))
            }
        }
        guard !acts.isEmpty else { throw FieldError(code: .noMessages, field: "dialog", reason: "no messages") }
        let id = try fields.identifier("id") ?? "parlai-\(StableHash.identifier(of: bytes))"
        let user = try fields.identifier("user_id") ?? RecordDecoder.anonymousUser(of: id)
        let senders = try Speakers.senders(of: acts)
        var messages: [Message] = []
        for (i, act) in acts.enumerated() {
            guard let text = try act.string("text") else { throw act.missing("text") }
            var message = Message(id: "m\(i)", sender: senders[i], text: text)
            try read(act, into: &message, user: user)
            message.extra = act.rest(known: Self.actFields).keptApart(from: MessageFields.names)
            if message.sender == .bot {
                message.generation = try act.string("id").map { GenerationRecord(model: $0) }
            } else if let kind = try act.string("feedback_type"), kind != "none", kind != "perfect",
                let target = messages.lastIndex(where: { $0.sender == .bot })
            {
                // The person's turn is feedback on the reply before it, in FITS's words or in their own.
                message.isDislikeFeedback = true
                let said = try act.string("feedback_text") ?? text
                var feedback = messages[target].feedback.first ?? Feedback(userID: user, rating: .dislike)
                if kind == "better_others" { feedback.correction = said } else { feedback.comment = "\(kind): \(said)" }
                messages[target].feedback = [feedback]
            }
            messages.append(message)
        }
        var extra = fields.rest(known: Self.dialogueFields)
        if let context = fields.value("context"), context != .array([]) { extra["context"] = context }
        return Conversation(
            id: id, userID: user, messages: messages, consent: decoder.consent(said: nil),
            startedAt: try fields.date("start_time"), source: decoder.source,
            extra: extra.keptApart(from: CanonicalDecoder.conversationFields))
    }

    private func read(_ act: RecordFields, into message: inout Message, user: String) throws(FieldError) {
        guard message.sender == .bot else { return }
        switch try act.string("improve_bucket") {
        case "perfect": message.feedback = [Feedback(userID: user, rating: .like)]
        case nil, "none": break
        case let bucket?: message.feedback = [Feedback(userID: user, rating: .dislike, reasons: [.unknown(bucket)])]
        }
        let query = try act.string("search_queries")
        // `title | passage` in each; anything but a list means that there was no search.
        var documents: [SearchDocument] = []
        if case .array(let list)? = act.value("top_docs") {
            for case .string(let text) in list {
                let cut = text.range(of: " | ")
                documents.append(
                    SearchDocument(
                        title: cut.map { String(text[..<$0.lowerBound]) } ?? "",
                        content: cut.map { String(text[$0.upperBound...]) } ?? text, url: ""))
            }
        }
        if query != nil || !documents.isEmpty {
            let isSearch = query != "__NO__SEARCH__"
            message.search = SearchRecord(
                decision: isSearch ? "search" : "do not search", query: isSearch ? query : nil, documents: documents)
        }
    }
}

/// Which of two named speakers is the person.
enum Speakers {
    private static let people = ["human", "you", "user", "person", "speaker 1", "speaker_1", "customer"]
    private static let bots = ["bot", "model", "assistant", "generator", "agent", "blender", "speaker 2", "speaker_2"]

    static func senders(of acts: [RecordFields]) throws(FieldError) -> [Sender] {
        var names: [String] = []
        for act in acts {
            guard let name = try act.string("id") else {
                throw FieldError(code: .unknownSender, field: act.path("id"), reason: "missing")
            }
            names.append(name)
        }
        let speakers = Set(names)
        var sender: [String: Sender] = [:]
        for name in speakers {
            let lower = name.lowercased()
            let isPerson = people.contains { lower.contains($0) }
            let isBot = bots.contains { lower.contains($0) }
            if isPerson != isBot { sender[name] = isPerson ? .human : .bot }
        }
        if speakers.count == 2, sender.count == 1, let (name, known) = sender.first,
            let other = speakers.first(where: { $0 != name })
        {
            sender[other] = known == .human ? .bot : .human
        }
        guard sender.count == speakers.count, speakers.count == 1 || Set(sender.values).count == 2 else {
            throw FieldError(
                code: .unknownSender, field: acts[0].path("id"),
                reason:
                    "cannot tell the bot from the person by \(speakers.sorted().prefix(3).map(quoted).joined(separator: " and "))"
            )
        }
        return names.map { sender[$0] ?? .human }
    }
}
