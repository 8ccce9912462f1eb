import Conversations
import Foundation
import RandomConversations
import Testing

@Suite("Loam's own log")
struct RoundTripTests {
    @Test("what is written reads back as the same value", arguments: [1, 2, 3, 4] as [UInt64])
    func roundTrip(_ seed: UInt64) throws {
        var random = RandomConversation(seed: seed)
        let conversations = (0..<100).map { random.conversation(index: $0) }
        try withFile("") { file in
            var writer = try LogWriter(file)
            for conversation in conversations { try writer.write(conversation) }
            try writer.close()
            let read = try LogFormat.loam.reader(of: file, options: LogReadingOptions(isStrict: true)).readAll()
            #expect(read.conversations.count == conversations.count)
            for (a, b) in zip(read.conversations, conversations) {
                // Compared outside `#expect`, which would print whole conversations.
                let isSame = a == b
                #expect(isSame, "\(b.jsonLine)")
                // Swift calls "é" in its two forms equal: the bytes must be the same too.
                #expect(a.jsonLine == b.jsonLine && Array(a.jsonLine.utf8) == Array(b.jsonLine.utf8))
            }
        }
    }

    @Test("BB3x's own fields carry what they can, and nothing is written twice")
    func plainFields() throws {
        let conversation = Conversation(
            id: "c", userID: "u",
            messages: [
                Message(
                    id: "b", sender: .bot, text: "I like \"tea\".\n",
                    feedback: [Feedback(userID: "u", rating: .dislike, reasons: [.offTopic])],
                    safety: [SafetyDecision(layer: "duo_safety", isUnsafe: true)],
                    annotations: [
                        Annotation(source: "mturk", label: "good", value: 2),
                        Annotation(source: "reward", label: "__ok__", value: 0.75),
                    ].reversed())
            ], consent: .release, startedAt: Date(timeIntervalSince1970: 1_700_000_000.25))
        #expect(
            conversation.jsonLine == #"{"chat_id":"c","user_pseudo_id":"u","consent":"release","#
                + #""started_at":"2023-11-14T22:13:20.250000Z","message_history":[{"sender":"bot","#
                + #""text":"I like \"tea\".\n","bot_message_id":"b","is_disliked":true,"dislike_type":"off_topic","#
                + #""annotations":{"mturk":{"good":2},"reward":"__ok__ with probability 0.75","safety":{"duo_safety":"__notok__"}}}]}"#
        )
    }

    @Test("a BB3x log survives the way through Loam's")
    func throughLoam() throws {
        let line = BB3xTests.line
        let first = try withFile(line) { try LogFormat.bb3x.reader(of: $0).readAll().conversations }
        let second = try withFile(first.map(\.jsonLine).joined(separator: "\n")) {
            try LogFormat.loam.reader(of: $0).readAll().conversations
        }
        #expect(first == second)
        #expect(first.count == 1)
    }

    @Test("a file that may not be written")
    func unwritable() throws {
        try withFile("") { file in
            let error = #expect(throws: LogError.self) { _ = try LogWriter(file.appending(path: "x.jsonl")) }
            #expect(error?.reason == "may not be written")
        }
    }

    @Test(
        "times",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29 12:00:00", 951_825_600),
            ("2023-11-14T22:13:20.5Z", 1_700_000_000.5),
            ("2023-11-15T00:13:20+02:00", 1_700_000_000), ("2023-11-14T20:13:20-0200", 1_700_000_000),
            ("1969-12-31T23:59:59Z", -1), ("2018-10-28 21:21:10.644000", 1_540_761_670.644),
            ("0001-01-01", -62_135_596_800),
            ("9999-12-31T23:59:59Z", 253_402_300_799), ("2100-03-01", 4_107_542_400),
        ] as [(String, Double)])
    func times(_ text: String, _ seconds: Double) throws {
        let date = try #require(Timestamp.date(from: text))
        #expect(date == Date(timeIntervalSince1970: seconds))
        #expect(Timestamp.text(of: date).flatMap(Timestamp.date(from:)) == date)
    }

    @Test(
        "times as numbers: seconds, milliseconds or microseconds",
        arguments: [1_700_000_000, 1_700_000_000_000, 1_700_000_000_000_000] as [Double])
    func numericTimes(_ number: Double) {
        #expect(Timestamp.date(from: number) == Date(timeIntervalSince1970: 1_700_000_000))
    }

    @Test(
        "what is no time",
        arguments: [
            "", "2023", "2023-13-01", "2023-02-29", "2100-02-29", "2023-01-01T", "2023-01-01T25:00",
            "2023-01-01T10:00Zx", "2023-01-01T10:00:00.", "２０２３-01-01",
        ])
    func noTimes(_ text: String) {
        #expect(Timestamp.date(from: text) == nil)
    }
}
