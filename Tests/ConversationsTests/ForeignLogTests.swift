import Conversations
import Foundation
import Testing

/// Logs of other systems: small ones written here, in the shapes that `docs/formats.md` describes.
@Suite("Logs of other systems")
struct ForeignLogTests {
    private func read(_ text: String, _ format: LogFormat) throws -> (
        conversations: [Conversation], skipped: [SkipReason]
    ) {
        try withFile(text) { try format.reader(of: $0).readAll() }
    }

    @Test("ParlAI conversations: pairs of acts, the bot told from the person by name")
    func parlai() throws {
        let (read, skipped) = try read(
            """
            {"dialog": [[{"id": "Human 1", "text": "hi"}, {"id": "BlenderModel", "text": "hello", "beam": 3}], [{"id": "Human 1", "text": "bye"}]], "context": []}
            {"dialog": [[{"id": "model_a", "text": "hi"}, {"id": "model_b", "text": "hello"}]]}
            {"dialog": [[{"id": "localHuman", "text": "x"}, {"id": "polyencoder", "text": "y"}]], "id": 7}
            """, .parlai)
        #expect(read.count == 2)
        #expect(read[0].messages.map(\.text) == ["hi", "hello", "bye"])
        #expect(read[0].messages.map(\.sender) == [.human, .bot, .human])
        #expect(read[0].messages[1].generation?.model == "BlenderModel")
        #expect(read[0].messages[1].extra == ["beam": .number(3)])
        #expect(read[1].id == "7")
        #expect(read[1].messages.map(\.sender) == [.human, .bot])
        #expect(skipped.map(\.code) == [.unknownSender])
    }

    @Test("FITS: what people said of a reply goes to it, better replies become corrections")
    func fits() throws {
        let (read, _) = try read(
            """
            {"topic": "bikes", "dialog": [{"id": "YOU", "text": "which bike"}, {"id": "bot", "text": "a red one", "improve_bucket": "better_search_query", "search_queries": "red", "top_docs": ["Bikes | two wheels", "no title"]}, {"id": "YOU", "text": "search for bikes", "feedback_type": "better_search_query", "feedback_text": "bikes"}, {"id": "bot", "text": "a fast one", "improve_bucket": "better_others", "search_queries": "__NO__SEARCH__"}, {"id": "YOU", "text": "you should say a cheap one", "feedback_type": "better_others", "feedback_text": "a cheap one"}, {"id": "bot", "text": "a cheap one", "improve_bucket": "perfect"}, {"id": "YOU", "text": "thanks", "feedback_type": "none"}]}
            """, .parlai)
        let messages = try #require(read.first).messages
        #expect(messages.map(\.isDislikeFeedback) == [false, false, true, false, true, false, false])
        #expect(messages[1].feedback.map(\.rating) == [.dislike])
        #expect(messages[1].feedback[0].comment == "better_search_query: bikes")
        #expect(messages[1].feedback[0].reasons == [.unknown("better_search_query")])
        #expect(messages[1].search?.documents.map(\.title) == ["Bikes", ""])
        #expect(messages[1].search?.query == "red")
        #expect(messages[3].search?.decision == "do not search")
        #expect(messages[3].feedback[0].correction == "a cheap one")
        #expect(messages[5].feedback.map(\.rating) == [.like])
        #expect(read[0].replyPairs.map(\.chosen) == ["a cheap one"])
        #expect(read[0].extra == ["topic": .string("bikes")])
    }

    @Test("ShareGPT, as one array or as lines")
    func shareGPT() throws {
        let record =
            #"{"id": "a", "conversations": [{"from": "system", "value": "be kind"}, {"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]}"#
        for text in ["[\(record)]", record, "\n \n[\n\(record)\n]\n"] {
            let (read, skipped) = try read(text, .shareGPT)
            #expect(skipped.isEmpty)
            #expect(read.map(\.id) == ["a"])
            #expect(read[0].messages.map(\.sender) == [.human, .bot])
            #expect(read[0].extra == ["system": .string("be kind")])
            #expect(read[0].consent == .improve)
        }
        let (_, skipped) = try read(
            #"{"conversations": [{"from": "tool", "value": "x"}]}"# + "\n" + #"{"conversations": []}"#, .shareGPT)
        #expect(skipped.map(\.code) == [.unknownSender, .noMessages])
        #expect(skipped[0].field == "conversations[0].from")
    }

    @Test("OpenAI's chats with feedback, parts, and preference lines in both spellings")
    func openAI() throws {
        let (read, skipped) = try read(
            """
            {"id": "c1", "user": "u", "model": "m", "messages": [{"role": "developer", "content": "short"}, {"role": "user", "content": [{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]}, {"role": "assistant", "content": "hello", "feedback": {"rating": 1}}, {"role": "user", "content": "more"}, {"role": "assistant", "content": null, "refusal": "no"}], "feedback": {"rating": -1, "reason": "Off topic", "correction": "yes"}}
            {"input": {"messages": [{"role": "user", "content": "q"}]}, "preferred_output": [{"role": "assistant", "content": "good"}], "non_preferred_output": [{"role": "assistant", "content": "bad"}]}
            {"input": {"messages": [{"role": "user", "content": "q2"}]}, "preferred_completion": [{"role": "assistant", "content": "good"}], "non_preferred_completion": [{"role": "assistant", "content": "bad"}]}
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}
            {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}], "rating": "thumbs_up"}
            {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}], "rating": 5}
            """, .openAI)
        #expect(read.count == 4)
        let first = read[0]
        #expect(first.messages.map(\.text) == ["hi", "hello", "more", ""])
        #expect(first.messages[1].feedback == [Feedback(userID: "u", rating: .like)])
        #expect(
            first.messages[3].feedback
                == [Feedback(userID: "u", rating: .dislike, reasons: [.offTopic], correction: "yes")])
        #expect(first.messages[3].extra == ["refusal": .string("no")])
        #expect(first.messages[1].generation?.model == "m")
        for pair in read[1...2].map(\.replyPairs) {
            #expect(pair.map(\.chosen) == ["good"])
            #expect(pair.map(\.rejected) == ["bad"])
        }
        #expect(read[3].messages[1].feedback.map(\.rating) == [.like])
        #expect(skipped.map(\.line) == [4, 6])
        #expect(skipped[0].field == "messages[0].content[0].type")
    }

    @Test("open-webui: votes with a copy of the chat, a tree of messages")
    func openWebUI() throws {
        let (read, skipped) = try read(
            """
            [{"id": "f1", "user_id": "u", "version": 0, "type": "rating", "data": {"rating": -1, "model_id": "m", "reason": "too_verbose", "comment": "long", "details": {"rating": 3}}, "meta": {"chat_id": "c", "message_id": "b2"}, "snapshot": {"chat": {"id": "c", "chat": {"title": "t", "history": {"currentId": "b2", "messages": {"a": {"id": "a", "parentId": null, "childrenIds": ["b1", "b2"], "role": "user", "content": "hi", "timestamp": 1700000000}, "b2": {"id": "b2", "parentId": "a", "childrenIds": [], "role": "assistant", "content": "long hello", "model": "m"}, "b1": {"id": "b1", "parentId": "a", "childrenIds": [], "role": "assistant", "content": "hello"}}}}}}, "created_at": 1700000100, "updated_at": 1700000200},
             {"id": "f2", "user_id": "u", "type": "rating", "data": {"rating": "1"}, "meta": {"chat_id": "d", "message_index": 1}, "snapshot": {"chat": {"chat": {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}}}},
             {"id": "f3", "user_id": "u", "type": "rating", "data": {"rating": 1}, "meta": {}, "snapshot": null}]
            """, .openWebUI)
        #expect(read.map(\.id) == ["c/b2", "d/f2"])
        let first = read[0]
        #expect(first.messages.map(\.id) == ["a", "b1", "b2"])
        #expect(first.messages[2].parentID == "a")
        #expect(first.siblings(of: "b2").map(\.id) == ["b1", "b2"])
        let vote = Feedback(
            userID: "u", rating: .dislike, reasons: [.unknown("too_verbose")], comment: "long",
            givenAt: Date(timeIntervalSince1970: 1_700_000_200))
        #expect(first.messages[2].feedback == [vote])
        #expect(first.messages[0].sentAt == Date(timeIntervalSince1970: 1_700_000_000))
        #expect(read[1].messages[1].feedback.map(\.rating) == [.like])
        #expect(skipped.map(\.code) == [.noMessages])
    }

    @Test("FastChat: thumbs, battles as trees, and battles as they were cleaned")
    func fastChat() throws {
        func state(_ id: String, _ model: String, _ reply: String) -> String {
            #"{"conv_id": "\#(id)", "model_name": "\#(model)", "roles": ["USER", "ASSISTANT"], "offset": 1, "#
                + #""messages": [["USER", "template"], ["USER", "hi"], ["ASSISTANT", "\#(reply)"]]}"#
        }
        let (read, skipped) = try read(
            """
            {"tstamp": 1700000000.5, "type": "chat", "model": "m", "state": \(state("c", "m", "x")), "ip": "10.0.0.1"}
            {"tstamp": 1700000001.5, "type": "upvote", "model": "m", "state": \(state("c", "m", "hello")), "ip": "10.0.0.1"}
            {"tstamp": 1700000002.5, "type": "leftvote", "models": ["", ""], "states": [\(state("p", "m1", "good")), \(state("q", "m2", "bad"))], "ip": "10.0.0.1"}
            {"question_id": "q1", "model_a": "m1", "model_b": "m2", "winner": "model_b", "judge": "j1", "conversation_a": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "A"}], "conversation_b": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "B"}], "turn": 1, "tstamp": 1700000003}
            {"question_id": "q2", "model_a": "m1", "model_b": "m2", "winner": "tie (bothbad)", "judge": "j1", "conversation_a": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "A"}], "conversation_b": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "B"}]}
            """, .fastChat)
        #expect(skipped.map(\.code) == [.noVote])
        #expect(read.count == 4)
        #expect(read[0].id == "c")
        #expect(read[0].messages.map(\.text) == ["hi", "hello"])
        #expect(read[0].messages[1].feedback.map(\.rating) == [.like])
        #expect(read.allSatisfy { !$0.jsonLine.contains("10.0.0.1") })
        // The winner is kept last, on the way to the end.
        #expect(read[1].messages.map(\.text) == ["hi", "bad", "good"])
        #expect(read[1].messages.map { $0.generation?.model } == [nil, "m2", "m1"])
        let pair = try #require(read[1].replyPairs.first)
        #expect(read[1].replyPairs.count == 1)
        #expect(pair.chosen == "good" && pair.rejected == "bad" && pair.evidence == .battle)
        #expect(pair.context == [Turn(.human, "hi")])
        #expect(read[2].userID == "j1")
        #expect(read[2].replyPairs.map(\.chosen) == ["B"])
        #expect(read[2].extra == ["turn": .number(1)])
        #expect(read[3].replyPairs.isEmpty)
        #expect(read[3].messages.flatMap(\.feedback).map(\.rating) == [.dislike, .dislike])
    }

    @Test("every reader: what it read is written as Loam's log and comes back the same")
    func throughLoam() throws {
        let records: [(LogFormat, String)] = [
            (
                .parlai,
                #"{"dialog": [[{"id": "human", "text": "hi"}, {"id": "bot", "text": "y", "improve_bucket": "better_others"}]]}"#
            ),
            (
                .shareGPT,
                #"{"conversations": [{"from": "human", "value": "é"}, {"from": "gpt", "value": "y", "x": 1}]}"#
            ),
            (
                .openAI,
                #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "rating": -1}"#
            ),
            (
                .openWebUI,
                #"{"id": "f", "data": {"rating": 1}, "snapshot": {"chat": {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}}}"#
            ),
            (
                .fastChat,
                #"{"winner": "tie", "question_id": "q", "conversation_a": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "conversation_b": [{"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]}"#
            ),
        ]
        for (format, text) in records {
            let first = try #require(try read(text, format).conversations.first)
            let again = try #require(try read(first.jsonLine, .loam).conversations.first)
            #expect(again == first, "\(format.rawValue)")
        }
    }

    @Test("logs that are cut off or twisted never crash a reader, and nothing is left out silently")
    func mutations() throws {
        var seed: UInt64 = 9
        func random(_ below: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % below
        }
        let whole: [(LogFormat, String)] = [
            (
                .parlai,
                #"{"dialog": [[{"id": "human", "text": "hi", "feedback_type": "x"}, {"id": "bot", "text": "y", "top_docs": ["a | b"]}]]}"#
            ),
            (
                .openAI,
                #"{"input": {"messages": [{"role": "user", "content": "q"}]}, "preferred_output": [{"role": "assistant", "content": "g"}], "non_preferred_output": [{"role": "assistant", "content": "b"}]}"#
            ),
            (
                .openWebUI,
                #"{"id": "f", "data": {"rating": 1}, "meta": {"message_index": 1e9}, "snapshot": {"chat": {"history": {"messages": {"a": {"role": "user", "childrenIds": ["a"], "parentId": "a"}}}}}}"#
            ),
            (
                .fastChat,
                #"{"type": "leftvote", "states": [{"messages": [["USER", "a"], ["ASSISTANT", "b"]], "offset": 0}, {"messages": []}]}"#
            ),
        ]
        for (format, text) in whole {
            for _ in 0..<150 {
                var bytes = Array(text.utf8)
                switch random(3) {
                case 0: bytes.removeSubrange(random(bytes.count)...)
                case 1: bytes[random(bytes.count)] = UInt8(32 + random(95))
                default: bytes.remove(at: random(bytes.count))
                }
                let result = try withFile(bytes) { file in try? format.reader(of: file).readAll() }
                if let (read, skipped) = result { #expect(read.count + skipped.count >= 1) }
            }
        }
    }

    @Test("a folder of chunks is read in the order of their names")
    func chunks() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-chunks-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["release_data_10.jsonl", "release_data_02.jsonl", "README.md", ".hidden.jsonl"] {
            try Data().write(to: folder.appending(path: name))
        }
        #expect(
            try LogFormat.files(at: folder).map(\.lastPathComponent) == [
                "release_data_02.jsonl", "release_data_10.jsonl",
            ])
        let single = folder.appending(path: "README.md")
        #expect(try LogFormat.files(at: single) == [single])
    }
}
