import Foundation

/// Reads the dialogues of the ConvAI2 wild evaluation in both shapes that were published.
///
/// With classes: `participant1_id {class, user_id}`, and on each message `sender_class` and `evaluation_score`, which is 1
/// for a thumb up and 0 for a thumb down on the bot's messages. Without: only which participant wrote. Then the one
/// participant who typed a command such as `/start` is the person (bots never do), and a dialogue without one is
/// skipped, because guessing would teach a model the person's words as its own.
struct ConvAI2Decoder {
    let decoder: RecordDecoder

    /// Fields that have a place in the canonical record; the dialogue's score and the profiles stay in `extra`.
    private static let dialogueFields: Set<String> = [
        "dialog", "dialog_id", "start_time", "participant1_id", "participant2_id",
    ]
    private static let messageFields: Set<String> = ["id", "sender", "text", "evaluation_score", "sender_class"]

    func conversation(from value: JSONValue, bytes: [UInt8]) throws(FieldError) -> Conversation {
        let fields = try RecordFields(value, path: "")
        guard let dialogue = try fields.array("dialog") else { throw fields.missing("dialog") }
        guard !dialogue.isEmpty else {
            throw FieldError(code: .noMessages, field: "dialog", reason: "no messages")
        }
        let id = try fields.identifier("dialog_id") ?? "convai2-\(StableHash.identifier(of: bytes))"
        var people: [String: Participant] = [:]
        for name in ["participant1", "participant2"] {
            guard let box = try fields.object("\(name)_id") else { continue }
            people[name] = Participant(
                sender: try box.string("class").flatMap(Sender.init(name:)), userID: try box.identifier("user_id"))
        }
        let lines = try dialogue.enumerated().map { (i, item) throws(FieldError) -> Line in
            try Line(item, path: "dialog[\(i)]", known: Self.messageFields)
        }
        let senders = try senders(of: lines, people)
        let user = people.values.first { $0.sender == .human }?.userID ?? RecordDecoder.anonymousUser(of: id)
        let bot = people.values.first { $0.sender == .bot }?.userID
        var ids = MessageIDs()
        var messages: [Message] = []
        for (i, line) in lines.enumerated() {
            var message = Message(id: ids.id(line.id, index: i), sender: senders[i], text: line.text, extra: line.extra)
            if message.sender == .bot {
                message.generation = bot.map { GenerationRecord(model: $0) }
                if let score = line.score {
                    guard score == 0 || score == 1 else {
                        throw FieldError(field: "dialog[\(i)].evaluation_score", reason: "expected 0 or 1")
                    }
                    message.feedback = [Feedback(userID: user, rating: score == 1 ? .like : .dislike)]
                }
            } else if let score = line.score {
                message.extra["evaluation_score"] = .number(score)
            }
            messages.append(message)
        }
        return Conversation(
            id: id, userID: user, messages: messages, consent: decoder.consent(said: nil),
            startedAt: try fields.date("start_time"), source: decoder.source,
            extra: fields.rest(known: Self.dialogueFields).keptApart(from: CanonicalDecoder.conversationFields))
    }

    private struct Participant {
        var sender: Sender?
        var userID: String?
    }

    private struct Line {
        var participant: String
        var sender: Sender?
        var id: String?
        var text: String
        var score: Double?
        var extra: [String: JSONValue]

        init(_ value: JSONValue, path: String, known: Set<String>) throws(FieldError) {
            let fields = try RecordFields(value, path: path)
            guard let participant = try fields.string("sender") else { throw fields.missing("sender") }
            guard let text = try fields.string("text") else { throw fields.missing("text") }
            self.participant = participant
            self.text = text
            sender = try fields.string("sender_class").flatMap(Sender.init(name:))
            id = try fields.identifier("id")
            score = try fields.number("evaluation_score")
            extra = fields.rest(known: known).keptApart(from: MessageFields.names)
        }

        /// `/start` and its like: typed to a bot, never by one.
        var isCommand: Bool {
            guard text.hasPrefix("/"), let next = text.dropFirst().first else { return false }
            return next.isASCII && next.isLetter
        }
    }

    private func senders(of lines: [Line], _ people: [String: Participant]) throws(FieldError) -> [Sender] {
        let typists = Set(lines.filter(\.isCommand).map(\.participant))
        var senders: [Sender] = []
        for (i, line) in lines.enumerated() {
            let byClass = people[line.participant]?.sender
            if let said = line.sender, let byClass, said != byClass {
                throw FieldError(
                    code: .unknownSender, field: "dialog[\(i)].sender_class",
                    reason: "\(said.rawValue), but \(quoted(line.participant)) is a \(byClass.rawValue)")
            }
            if let sender = line.sender ?? byClass {
                senders.append(sender)
            } else if typists.count == 1 {
                senders.append(typists.contains(line.participant) ? .human : .bot)
            } else {
                throw FieldError(
                    code: .unknownSender, field: "dialog[\(i)].sender_class",
                    reason: "missing, and nothing else says which participant is the bot")
            }
        }
        return senders
    }
}
