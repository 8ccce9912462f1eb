import Foundation

/// Reads FastChat's logs (`{tstamp, type, models, states, ip}`) and the cleaned battles made of them (`{model_a, model_b,
/// winner, conversation_a, conversation_b}`).
///
/// A vote on one model is a thumb on its last reply. A battle is a tree: both models' replies hang on the person's first
/// message, and labels of source `arena` say who won. Lines of type `chat` hold no vote and are skipped: each is a piece of a
/// conversation that a later line has whole. The address of the reader (`ip`) is dropped.
struct ArenaDecoder {
    let decoder: RecordDecoder

    private static let fields: Set<String> = [
        "tstamp", "type", "model", "models", "state", "states", "ip", "question_id", "model_a", "model_b", "winner",
        "judge",
        "conversation_a", "conversation_b",
    ]

    private enum Outcome { case first, second, tie, bothBad }

    func conversation(from value: JSONValue, bytes: [UInt8]) throws(FieldError) -> Conversation {
        let fields = try RecordFields(value, path: "")
        let hash = "fastchat-\(StableHash.identifier(of: bytes))"
        let extra = fields.rest(known: Self.fields).keptApart(from: CanonicalDecoder.conversationFields)
        func conversation(_ id: String, _ user: String, _ messages: [Message]) throws(FieldError) -> Conversation {
            guard messages.contains(where: { $0.sender == .bot }) else {
                throw FieldError(code: .noMessages, reason: "no reply to vote on")
            }
            return Conversation(
                id: id, userID: user, messages: messages, consent: decoder.consent(said: nil),
                startedAt: try fields.date("tstamp"), source: decoder.source, extra: extra)
        }
        if let winner = try fields.string("winner") {
            let id = try fields.identifier("question_id") ?? hash
            let user = try fields.identifier("judge") ?? RecordDecoder.anonymousUser(of: id)
            let outcome: Outcome
            switch winner {
            case "model_a": outcome = .first
            case "model_b": outcome = .second
            case "tie": outcome = .tie
            case "tie (bothbad)": outcome = .bothBad
            default:
                throw FieldError(
                    field: "winner", reason: "expected model_a, model_b, tie or tie (bothbad), found \(quoted(winner))")
            }
            var sides: [[Message]] = []
            for (name, model) in [("conversation_a", "model_a"), ("conversation_b", "model_b")] {
                guard let list = try fields.array(name) else { throw fields.missing(name) }
                var side = try ChatMessages(list, path: name, spelling: ChatMessages.openAI, user: user).messages
                try sign(&side, try fields.string(model))
                sides.append(side)
            }
            return try conversation(id, user, battle(sides[0], sides[1], outcome, user: user))
        }
        guard let type = try fields.string("type") else { throw fields.missing("type") }
        let user = RecordDecoder.anonymousUser(of: hash)
        switch type {
        case "upvote", "downvote", "flag":
            guard let state = try fields.object("state") else { throw fields.missing("state") }
            var messages = try messages(of: state, model: try fields.string("model"))
            let id = try state.identifier("conv_id") ?? hash
            if let last = messages.lastIndex(where: { $0.sender == .bot }) {
                messages[last].feedback = [
                    Feedback(
                        userID: RecordDecoder.anonymousUser(of: id), rating: type == "upvote" ? .like : .dislike,
                        reasons: type == "flag" ? [.inappropriate] : [], givenAt: try fields.date("tstamp"))
                ]
            }
            return try conversation(id, RecordDecoder.anonymousUser(of: id), messages)
        case "leftvote", "rightvote", "tievote", "bothbad_vote":
            guard let states = try fields.array("states"), states.count == 2 else { throw fields.missing("states") }
            let models = try fields.strings("models") ?? []
            var sides: [[Message]] = []
            for (i, value) in states.enumerated() {
                let state = try RecordFields(value, path: "states[\(i)]")
                sides.append(try messages(of: state, model: models.indices.contains(i) ? models[i] : nil))
            }
            let outcomes: [String: Outcome] = ["leftvote": .first, "rightvote": .second, "tievote": .tie]
            return try conversation(
                hash, user, battle(sides[0], sides[1], outcomes[type] ?? .bothBad, user: user))
        case "chat": throw FieldError(code: .noVote, field: "type", reason: "a turn without a vote")
        default: throw FieldError(code: .noVote, field: "type", reason: "no vote: \(quoted(type))")
        }
    }

    /// Messages of a FastChat conversation: pairs of role and text, the first `offset` of them a template's.
    private func messages(of state: RecordFields, model: String?) throws(FieldError) -> [Message] {
        guard let list = try state.array("messages") else { throw state.missing("messages") }
        let roles = try state.strings("roles") ?? ["USER", "ASSISTANT"]
        let offset = Int(exactly: try state.number("offset") ?? 0) ?? 0
        var messages: [Message] = []
        for (i, pair) in list.enumerated() where i >= offset {
            guard case .array(let parts) = pair, parts.count == 2, case .string(let role) = parts[0] else {
                throw FieldError(field: state.path("messages[\(i)]"), reason: "expected a role and a text")
            }
            let sender: Sender
            switch role {
            case roles.first: sender = .human
            case roles.dropFirst().first: sender = .bot
            default:
                guard let known = Sender(name: role) else {
                    throw FieldError(
                        code: .unknownSender, field: state.path("messages[\(i)]"),
                        reason: "unknown role \(quoted(role))")
                }
                sender = known
            }
            // A reply that was never written is null.
            guard case .string(let text) = parts[1] else { continue }
            messages.append(Message(id: "m\(messages.count)", sender: sender, text: text))
        }
        try sign(&messages, try state.string("model_name") ?? model)
        return messages
    }

    private func sign(_ messages: inout [Message], _ model: String?) throws(FieldError) {
        guard let model else { return }
        for i in messages.indices where messages[i].sender == .bot {
            messages[i].generation = GenerationRecord(model: model)
        }
    }

    /// Both sides as one tree: what they share once, then the one that was kept, last.
    private func battle(_ a: [Message], _ b: [Message], _ outcome: Outcome, user: String) -> [Message] {
        var shared = 0
        while shared < min(a.count, b.count), a[shared].sender == .human, b[shared].sender == .human,
            a[shared].text == b[shared].text
        {
            shared += 1
        }
        func side(_ messages: [Message], _ prefix: String, _ label: String) -> [Message] {
            var side: [Message] = []
            for (i, message) in messages.enumerated().dropFirst(shared) {
                var message = message
                message.id = "\(prefix)\(i)"
                message.parentID = i == shared ? (shared > 0 ? a[shared - 1].id : nil) : "\(prefix)\(i - 1)"
                side.append(message)
            }
            if let last = side.lastIndex(where: { $0.sender == .bot }) {
                side[last].annotations = [Annotation(source: "arena", label: label, value: 1)]
                if outcome == .bothBad { side[last].feedback = [Feedback(userID: user, rating: .dislike)] }
            }
            return side
        }
        let labels: (String, String) =
            switch outcome {
            case .first: ("winner", "loser")
            case .second: ("loser", "winner")
            case .tie: ("tie", "tie")
            case .bothBad: ("both_bad", "both_bad")
            }
        var common = Array(a.prefix(shared))
        for i in common.indices { common[i].id = "m\(i)" }
        let (first, second) = (side(a, "a", labels.0), side(b, "b", labels.1))
        return common + (outcome == .first ? second + first : first + second)
    }
}
