import Conversations
import Foundation

extension PersonalData {
    /// Everything as JSON, one record a line: `kind` says what it is.
    public var jsonLines: String {
        var lines: [String] = []
        func add(_ kind: String, _ fields: [String: JSONValue?]) {
            lines.append(
                JSONValue.object(fields.compactMapValues { $0 }.merging(["kind": .string(kind)]) { a, _ in a }).text)
        }
        func time(_ date: Date) -> JSONValue {
            Timestamp.text(of: date).map(JSONValue.string) ?? .number(date.timeIntervalSince1970)
        }
        func parsed(_ bytes: some Collection<UInt8>) -> JSONValue? { try? JSONValue(parsing: Array(bytes)) }
        for conversation in conversations { add("conversation", ["conversation": parsed(conversation.jsonLine.utf8)]) }
        for voice in feedback {
            add(
                "feedback",
                [
                    "chat_id": .string(voice.conversationID), "message_id": .string(voice.messageID),
                    "action": .string(voice.event.action.rawValue), "feedback": parsed(voice.event.feedback.jsonText),
                    "recorded_at": time(voice.event.recordedAt),
                ])
        }
        for annotation in annotations {
            add(
                "annotation",
                [
                    "chat_id": .string(annotation.conversationID), "message_id": .string(annotation.messageID),
                    "label": .string(annotation.label), "value": annotation.value.map(JSONValue.number),
                    "comment": annotation.comment.map(JSONValue.string), "recorded_at": time(annotation.recordedAt),
                ])
        }
        for (id, events) in consent.sorted(by: { $0.key < $1.key }) {
            for event in events {
                add(
                    "consent",
                    [
                        "chat_id": .string(id), "consent": .string(event.consent.rawValue),
                        "text_version": event.textVersion.map(JSONValue.string), "recorded_at": time(event.recordedAt),
                    ])
            }
        }
        for memory in memories {
            add(
                "memory",
                [
                    "id": .string(memory.id), "owner": .string(memory.owner.rawValue), "text": .string(memory.text),
                    "chat_id": memory.conversationID.map(JSONValue.string),
                    "message_id": memory.messageID.map(JSONValue.string), "created_at": time(memory.createdAt),
                    "changed_at": time(memory.changedAt),
                ])
        }
        for vote in pairVotes {
            func part(_ side: PairVote.Side) -> JSONValue {
                let fields: [String: JSONValue?] = [
                    "chat_id": .string(side.conversationID), "message_id": side.messageID.map(JSONValue.string),
                    "model": .string(side.model),
                ]
                return .object(fields.compactMapValues { $0 })
            }
            let choice =
                switch vote.choice {
                case .tie: "neither"
                case .first: "first"
                case .second: "second"
                }
            add(
                "pair_vote",
                [
                    "pair": .string(vote.pair), "first": part(vote.first), "second": part(vote.second),
                    "question": .string(vote.question), "choice": .string(choice),
                    "comment": vote.comment.map(JSONValue.string), "recorded_at": time(vote.recordedAt),
                ])
        }
        for answer in goldAnswers {
            add(
                "gold_answer",
                [
                    "item": .string(answer.item), "right": .bool(answer.isRight),
                    "recorded_at": time(answer.recordedAt),
                ])
        }
        for dataset in datasets {
            add(
                "dataset",
                [
                    "id": .string(dataset.id), "path": .string(dataset.path), "shape": .string(dataset.shape),
                    "created_at": time(dataset.createdAt),
                ])
        }
        for model in models {
            add("model", ["id": .string(model.id), "path": .string(model.path), "created_at": time(model.createdAt)])
        }
        // Whoever asks for this is written down for that: of somebody of whom nothing else is held it would be the only
        // line.
        guard !lines.isEmpty else { return "" }
        for access in accesses {
            add(
                "access",
                [
                    "actor": .string(access.actor), "action": .string(access.action),
                    "subject": .string(access.subject), "reason": .string(access.reason),
                    "recorded_at": time(access.recordedAt),
                ])
        }
        return lines.map { $0 + "\n" }.joined()
    }
}
