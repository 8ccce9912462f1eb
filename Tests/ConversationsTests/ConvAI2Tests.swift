import Conversations
import Foundation
import Testing

/// Made-up dialogues in the two shapes that were published.
@Suite("ConvAI2 logs")
struct ConvAI2Tests {
    private static let withClasses = #"""
        {"dialog": [
          {"id": 0, "sender": "participant2", "text": "hello", "evaluation_score": null, "sender_class": "Human"},
          {"id": 1, "sender": "participant1", "text": "i grow tulips", "evaluation_score": 1, "sender_class": "Bot"},
          {"id": 2, "sender": "participant2", "text": "what colour", "evaluation_score": null, "sender_class": "Human"},
          {"id": 3, "sender": "participant1", "text": "a \"]}, brown [dog", "evaluation_score": 0, "sender_class": "Bot"}],
         "start_time": "2018-07-09 04:29:15", "end_time": "2018-07-09 04:31:15.500000", "eval_score": 4, "profile_match": "",
         "bot_profile": ["i grow tulips"], "user_profile": ["i sing"],
         "participant1_id": {"class": "Bot", "user_id": "bot-a"}, "participant2_id": {"class": "User", "user_id": "person-7"}}
        """#
    private static let withCommand = #"""
        {"dialog_id": "d1", "dialog": [{"id": 0, "sender": "participant1", "text": "/start"},
        {"id": 1, "sender": "participant2", "text": "hi"}], "eval_score": null, "profile_match": 1}
        """#
    private static let undecided = #"""
        {"dialog_id": "d2", "dialog": [{"id": 0, "sender": "participant1", "text": "hey"}], "eval_score": 1, "profile_match": 0}
        """#

    private func read(_ text: String, options: LogReadingOptions = LogReadingOptions()) throws
        -> (conversations: [Conversation], skipped: [SkipReason])
    {
        try withFile(text, named: "data.json") { try LogFormat.convai2.reader(of: $0, options: options).readAll() }
    }

    @Test("thumbs, people and bots of the shape with classes")
    func classes() throws {
        let conversation = try #require(try read("[" + Self.withClasses + "]").conversations.first)
        #expect(conversation.userID == "person-7")
        #expect(conversation.id.hasPrefix("convai2-"))
        #expect(conversation.consent == .improve)
        #expect(conversation.startedAt == Date(timeIntervalSince1970: 1_531_110_555))
        #expect(conversation.messages.map(\.sender) == [.human, .bot, .human, .bot])
        #expect(conversation.messages.map(\.feedback.first?.rating) == [nil, .like, nil, .dislike])
        #expect(conversation.messages[1].feedback == [Feedback(userID: "person-7", rating: .like)])
        #expect(conversation.messages[1].generation == GenerationRecord(model: "bot-a"))
        #expect(conversation.messages[3].text == "a \"]}, brown [dog")
        #expect(conversation.extra["eval_score"] == .number(4))
        #expect(
            Set(conversation.extra.keys) == ["eval_score", "profile_match", "bot_profile", "user_profile", "end_time"])
    }

    @Test("without classes: a command tells who is the person, and nothing else does")
    func withoutClasses() throws {
        let read = try read("\u{FEFF} [\n\(Self.withCommand),\n\(Self.undecided),\(Self.withClasses)\n]\n")
        #expect(read.conversations.count == 2)
        #expect(read.conversations.first?.id == "d1")
        #expect(read.conversations.first?.userID == "anonymous-d1")
        #expect(read.conversations.first?.messages.map(\.sender) == [.human, .bot])
        let skipped = try #require(read.skipped.first)
        #expect(read.skipped.count == 1)
        #expect(skipped.code == .unknownSender)
        #expect(skipped.line == 4)
        #expect(
            skipped.description.hasSuffix(
                "data.json:4: [1].dialog[0].sender_class: missing, and nothing else says which participant is the bot"))
    }

    @Test(
        "faults in an element are skipped and named by its number",
        arguments: [
            (
                #"{"dialog":[{"sender":"participant1","text":3}]}"#,
                "[1].dialog[0].text: expected a string, found a number"
            ),
            (#"{"dialog":[]}"#, "[1].dialog: no messages"), (#"{}"#, "[1].dialog: missing"),
            (#"7"#, "[1]: expected an object, found a number"),
            (#"{"dialog":tru}"#, "[1]: not valid JSON: expected 'true', found '}' (byte 14)"),
            (
                #"{"dialog":[{"sender":"p","text":"x","sender_class":"Bot","evaluation_score":2}]}"#,
                "[1].dialog[0].evaluation_score: expected 0 or 1"
            ),
            (
                #"{"dialog":[{"sender":"participant1","text":"x","sender_class":"Bot"}],"participant1_id":{"class":"User"}}"#,
                "[1].dialog[0].sender_class: bot, but \"participant1\" is a human"
            ),
        ])
    func faultyElement(_ element: String, _ reason: String) throws {
        let read = try read("[\(Self.withCommand),\(element),\(Self.withClasses)]")
        #expect(read.conversations.count == 2)
        #expect(read.skipped.map(\.description).map { $0.hasSuffix(reason) } == [true], "\(read.skipped)")
    }

    @Test(
        "faults of the array itself end the reading, with all before them read",
        arguments: [
            (#"[{"dialog":[]"#, "the end of the file; it is cut off"),
            ("[\(withCommand),{\"dialog\":[", "it is cut off"),
            ("[\(withCommand)] x", "expected the end of the file after the array, found more"),
            ("[\(withCommand),]", "expected an element, found ']'"), ("[,]", "expected an element, found ','"),
            ("[\(withCommand)}", "expected ',' or ']'"),
            (withCommand, "expected a JSON array, found another value"),
        ])
    func faultyArray(_ text: String, _ reason: String) throws {
        try withFile(text, named: "data.json") { file in
            let reader = try LogFormat.convai2.reader(of: file)
            var count = 0
            let error = #expect(throws: LogError.self) { while try reader.next() != nil { count += 1 } }
            #expect(error?.reason.hasSuffix(reason) == true, "\(error.map(String.init(describing:)) ?? "")")
            #expect(count == (text.hasPrefix("[\(Self.withCommand)") ? 1 : 0))
            // It does not go on as if nothing had happened.
            #expect(throws: Never.self) { try reader.next() == nil }
        }
    }

    @Test("an element above the cap is passed over")
    func longElement() throws {
        let long = #"{"dialog":[{"text":"\#(String(repeating: "],", count: 5000))"}]}"#
        let read = try read("[\(long),\(Self.withCommand)]", options: LogReadingOptions(maximumRecordLength: 5000))
        #expect(read.conversations.map(\.id) == ["d1"])
        #expect(read.skipped.map(\.code) == [.tooLong])
    }
}
