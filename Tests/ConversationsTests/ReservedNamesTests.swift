import Foundation
import RandomConversations
import Testing

@testable import Conversations

/// Another system's `safety` or `is_liked` need not be Loam's: it must neither become a vote nor make a store unreadable.
@Suite("Fields that are named like Loam's own")
struct ReservedNamesTests {
    /// A record with fields in both messages and beside them, and names that the format has itself.
    private static func record(_ format: LogFormat, _ inside: String, _ beside: String) -> (String, own: Set<String>) {
        switch format {
        case .openAI:
            (
                #"{"id": "c", "user": "u", "messages": [{"role": "user", "content": "hi"\#(inside)}, {"role": "assistant", "content": "hello"\#(inside)}]\#(beside)}"#,
                ["feedback"]
            )
        case .shareGPT:
            (
                #"{"id": "c", "conversations": [{"from": "human", "value": "hi"\#(inside)}, {"from": "gpt", "value": "hello"\#(inside)}]\#(beside)}"#,
                []
            )
        case .parlai:
            (
                #"{"dialog": [{"id": "Human", "text": "hi"\#(inside)}, {"id": "bot", "text": "hello"\#(inside)}]\#(beside)}"#,
                ["text"]
            )
        case .convai2:
            (
                #"[{"dialog_id": "c", "participant1_id": {"class": "User", "user_id": "u"}, "participant2_id": {"class": "Bot", "user_id": "b"}, "#
                    + #""dialog": [{"sender": "participant1", "text": "hi"\#(inside)}, {"sender": "participant2", "text": "hello"\#(inside)}]\#(beside)}]"#,
                ["text", "sender"]
            )
        default:
            (
                #"{"id": "f", "user_id": "u", "type": "rating", "data": {}, "meta": {"chat_id": "d", "message_index": 1}, "#
                    + #""snapshot": {"chat": {"chat": {"messages": [{"role": "user", "content": "hi"\#(inside)}, {"role": "assistant", "content": "hello"\#(inside)}]}}}\#(beside)}"#,
                []
            )
        }
    }

    private static func text(_ fields: [String: JSONValue]) -> String {
        fields.sorted { $0.key < $1.key }.map { ", \(JSONValue.string($0.key).text): \($0.value.text)" }.joined()
    }

    private static func check(_ format: LogFormat, _ fields: [String: JSONValue], _ beside: [String: JSONValue]) throws
    {
        let own = record(format, "", "").own
        let (line, _) = record(format, text(fields.filter { !own.contains($0.key) }), text(beside))
        let read = try withFile(line) {
            try format.reader(of: $0, options: LogReadingOptions(isStrict: true)).readAll().conversations
        }
        let conversation = try #require(read.first)
        #expect(conversation.messages.map(\.text) == ["hi", "hello"])
        let ratings = conversation.messages.flatMap(\.feedback).compactMap(\.rating)
        #expect(ratings.isEmpty)
        #expect(conversation.messages.allSatisfy { $0.safety.isEmpty && $0.annotations.isEmpty })
        let again = try Conversation(jsonLine: conversation.jsonLine.utf8)
        // Compared outside `#expect`, which would print whole conversations.
        let isSame = again == conversation
        #expect(isSame, "\(format.rawValue): \(conversation.jsonLine)")
        for message in conversation.messages {
            let isSame = try Message(jsonText: message.jsonText(userID: "u"), userID: "u") == message
            #expect(isSame)
        }
    }

    static let formats: [LogFormat] = [.openAI, .shareGPT, .parlai, .convai2, .openWebUI]

    @Test("they are kept apart, read back and mean nothing", arguments: formats)
    func known(_ format: LogFormat) throws {
        try Self.check(
            format,
            [
                "safety": .string("safe"), "mturk": .number(3), "is_liked": .bool(true), "dislike_type": .array([]),
                "annotations": .object(["safety": .string("safe"), "mturk": .number(1)]), "labels": .string("x"),
                "modules": .bool(true), "generation": .number(1), "original": .string("taken"),
            ], ["source": .number(1), "consent": .string("perhaps"), "message_history": .null])
        try Self.check(format, ["is_liked": .number(1), "reward": .string("__ok__")], [:])
    }

    @Test("whatever stands under them", arguments: formats)
    func random(_ format: LogFormat) throws {
        var random = RandomConversation(seed: 17)
        func fields(_ names: Set<String>) -> [String: JSONValue] {
            var fields: [String: JSONValue] = [:]
            for name in names.sorted() where random.flip(0.3) { fields[name] = random.json() }
            return fields
        }
        for _ in 0..<200 {
            try Self.check(format, fields(MessageFields.names), fields(CanonicalDecoder.conversationFields))
        }
    }

    @Test("a value of a program's own that has them is written so that it can be read")
    func written() throws {
        var random = RandomConversation(seed: 18)
        for index in 0..<500 {
            var message = random.message(index: index, user: "u")
            for name in MessageFields.names.sorted() where random.flip(0.4) {
                message.extra[name] = random.flip() ? .bool(random.flip()) : random.json()
            }
            let read = try Message(jsonText: message.jsonText(userID: "u"), userID: "u")
            let isSame =
                read.feedback == message.feedback && read.safety == message.safety
                && read.annotations == message.annotations && read.text == message.text
            #expect(isSame, "\(String(decoding: message.jsonText(userID: "u"), as: UTF8.self))")
        }
    }
}
