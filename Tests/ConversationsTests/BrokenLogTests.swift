import Conversations
import Foundation
import Testing

/// Every way a log can be broken ends in one clear line.
@Suite("Broken logs")
struct BrokenLogTests {
    private static let good =
        #"{"chat_id":"good","user_pseudo_id":"u","message_history":[{"sender":"human","text":"hi","human_message_id":"1"}]}"#

    /// A bad line between two good ones: skipped with its reason; thrown when strict.
    private func skip(_ bad: some Collection<UInt8>, format: LogFormat = .loam, cap: Int = 1 << 20) throws -> SkipReason
    {
        let other = Self.good.replacingOccurrences(of: "\"good\"", with: "\"other\"")
        let bytes = Array((Self.good + "\n").utf8) + Array(bad) + Array(("\n" + other).utf8)
        return try withFile(bytes) { file in
            let options = LogReadingOptions(maximumRecordLength: cap)
            let read = try format.reader(of: file, options: options).readAll()
            #expect(read.conversations.map(\.id) == ["good", "other"])
            let skipped = try #require(read.skipped.first)
            #expect(read.skipped.count == 1)
            #expect(skipped.line == 2)
            #expect(skipped.file == file.relativePath)
            let error = #expect(throws: LogError.self) {
                try format.reader(of: file, options: LogReadingOptions(isStrict: true, maximumRecordLength: cap))
                    .readAll()
            }
            #expect(error == skipped.error)
            #expect(error?.isInputAtFault == true)
            return skipped
        }
    }

    private func line(_ message: String) -> [UInt8] {
        let first = #"{"sender":"human","text":"hi"}"#
        return Array(#"{"chat_id":"x","user_pseudo_id":"u","message_history":[\#(first),\#(message)]}"#.utf8)
    }

    @Test("a line that is cut off")
    func truncated() throws {
        let skipped = try skip(Array(Self.good.utf8.prefix(60)))
        #expect(skipped.code == .invalidJSON)
        #expect(skipped.description.contains("log.jsonl:2: not valid JSON: expected"))
        #expect(skipped.reason.contains("cut off"))
    }

    @Test(
        "a field of the wrong type",
        arguments: [
            (#"{"sender":"bot","text":5}"#, "message_history[1].text: expected a string, found a number"),
            (#"{"sender":"bot"}"#, "message_history[1].text: missing"),
            (#"{"sender":"bot","text":null}"#, "message_history[1].text: missing"),
            (#"{"sender":7,"text":""}"#, "message_history[1].sender: expected a string, found a number"),
            (#"{"sender":"cat","text":""}"#, "message_history[1].sender: expected bot or human, found \"cat\""),
            (#"{"text":""}"#, "message_history[1].sender: missing"),
            (#"[]"#, "message_history[1]: expected an object, found an array"),
            (
                #"{"sender":"bot","text":"","is_liked":"yes"}"#,
                "message_history[1].is_liked: expected true or false, found a string"
            ),
            (
                #"{"sender":"bot","text":"","memories":[1]}"#,
                "message_history[1].memories[0]: expected a string, found a number"
            ),
            (
                #"{"sender":"bot","text":"","search_knowledge_doc_urls":[{}]}"#,
                "message_history[1].search_knowledge_doc_urls[0]: expected a string, found an object"
            ),
            (
                #"{"sender":"bot","text":"","annotations":{"mturk":{"good":"x"}}}"#,
                "message_history[1].annotations.mturk.good: expected a number, found a string"
            ),
            (
                #"{"sender":"bot","text":"","feedback":[{"rating":2}]}"#,
                "message_history[1].feedback[0].rating: expected 1 or -1"
            ),
            (
                #"{"sender":"bot","text":"","sent_at":"soon"}"#,
                "message_history[1].sent_at: expected a time such as 2024-03-01T09:30:00Z"
            ),
            (
                #"{"sender":"bot","text":"","generation":{"model":"a","seed":-1}}"#,
                "message_history[1].generation.seed: expected a whole number from 0 to 2^64 - 1"
            ),
            (
                #"{"sender":"bot","text":"","bot_message_id":true}"#,
                "message_history[1].bot_message_id: expected a string, found a boolean"
            ),
        ])
    func wrongType(_ message: String, _ reason: String) throws {
        let skipped = try skip(line(message))
        #expect(skipped.description.hasSuffix("log.jsonl:2: " + reason), "\(skipped)")
    }

    @Test("a record that is no conversation")
    func otherValues() throws {
        #expect(try skip(Array("[1]".utf8)).description.hasSuffix(":2: expected an object, found an array"))
        #expect(try skip(Array("{}".utf8)).description.hasSuffix(":2: message_history: missing"))
        let consent = try skip(Array(#"{"consent":"perhaps","message_history":[]}"#.utf8))
        #expect(consent.field == "consent")
    }

    @Test("a line of 100 MB")
    func hugeLine() throws {
        try withFile(Self.good + "\n") { file in
            let handle = try FileHandle(forWritingTo: file)
            try handle.seekToEnd()
            let piece = Data(repeating: 0x7B, count: 1_000_000)
            for _ in 0..<100 { try handle.write(contentsOf: piece) }
            try handle.write(contentsOf: Data(("\n" + Self.good.replacingOccurrences(of: "good", with: "next")).utf8))
            try handle.close()
            let read = try LogFormat.loam.reader(of: file).readAll()
            #expect(read.conversations.map(\.id) == ["good", "next"])
            #expect(read.skipped.map(\.code) == [.tooLong])
            #expect(read.skipped.first?.reason == "100000000 bytes long, which is above the cap")
        }
    }

    @Test("bytes that are not UTF-8")
    func invalidUTF8() throws {
        let skipped = try skip(Array("{\"a\":\"".utf8) + [0xC3, 0x28] + Array("\"}".utf8))
        #expect(skipped.code == .invalidUTF8)
        #expect(skipped.reason == "invalid UTF-8 at byte \(Self.good.utf8.count + 1 + 7) of the file")
    }

    @Test("a NUL byte")
    func nul() throws {
        #expect(try skip(Array("{\"a\":\"".utf8) + [0] + Array("\"}".utf8)).reason.contains("a NUL byte in a string"))
        #expect(try skip([0, 0]).reason.contains("found a NUL byte"))
    }

    @Test("the same conversation twice")
    func duplicate() throws {
        let skipped = try skip(Array(Self.good.utf8))
        #expect(skipped.code == .duplicate)
        #expect(skipped.reason == "conversation \"good\" came before in this file")
    }

    @Test("the same conversation again, which now allows nothing, is no repetition; once more it is")
    func withdrawn() throws {
        func line(_ consent: Consent) -> String {
            Conversation(
                id: "c", userID: "u", messages: [Message(id: "1", sender: .human, text: "hi")], consent: consent
            ).jsonLine
        }
        let lines = [Consent.improve, .improve, .none, .none, .improve].map(line)
        try withFile(lines.joined(separator: "\n")) { file in
            let read = try LogFormat.loam.reader(of: file).readAll()
            #expect(read.conversations.map(\.consent) == [.improve, .none])
            #expect(read.skipped.map(\.code) == [.duplicate, .duplicate, .duplicate])
            #expect(read.skipped.map(\.line) == [2, 4, 5])
        }
    }

    @Test("the same conversation again, which may now be released no more, is no repetition; once more it is")
    func narrowed() throws {
        let lines = [Consent.release, .release, .improve, .improve, .release, .none].map { consent in
            Conversation(
                id: "c", userID: "u", messages: [Message(id: "1", sender: .human, text: "hi")], consent: consent
            ).jsonLine
        }
        try withFile(lines.joined(separator: "\n")) { file in
            let read = try LogFormat.loam.reader(of: file).readAll()
            #expect(read.conversations.map(\.consent) == [.release, .improve, Consent.none])
            #expect(read.skipped.map(\.line) == [2, 4, 5])
        }
    }

    @Test(
        "a line that takes consent back is heard, whatever became of its messages",
        arguments: [
            #""consent":"none""#, #""consent":"none","message_history":null"#,
            #""consent":"none","message_history":[]"#,
            #""consent":"none","message_history":[{"sender":"human","text":null,"sent_at":"soon"}]"#,
        ])
    func withdrawnWithoutTexts(_ fields: String) throws {
        for format in [LogFormat.loam, .bb3x] {
            try withFile(#"{"chat_id":"c","user_pseudo_id":"u",\#(fields)}"#) { file in
                let read = try format.reader(of: file, options: LogReadingOptions(isStrict: true)).readAll()
                #expect(read.conversations.map(\.id) == ["c"])
                #expect(read.conversations.map(\.userID) == ["u"])
                #expect(read.conversations.map(\.consent) == [Consent.none])
            }
        }
    }

    @Test("a person who did not consent leaves an empty conversation in a BB3x log")
    func noConsent() throws {
        let skipped = try skip(Array(#"{"chat_id":"x","user_pseudo_id":"u","message_history":[]}"#.utf8), format: .bb3x)
        #expect(skipped.code == .noMessages)
    }

    @Test("an empty file, a missing one, a directory", arguments: LogFormat.allCases)
    func files(_ format: LogFormat) throws {
        for text in ["", "\n \n\r\n"] {
            try withFile(text) { file in
                let error = #expect(throws: LogError.self) { try format.reader(of: file).readAll() }
                #expect(error?.code == .emptyFile)
                #expect(error?.line == nil)
            }
        }
        try withFile("") { file in
            let missing = file.deletingLastPathComponent().appending(path: "none.jsonl")
            let error = #expect(throws: LogError.self) { try format.reader(of: missing) }
            #expect(error?.description == "\(missing.relativePath): no such file")
            let folder = #expect(throws: LogError.self) { try format.reader(of: file.deletingLastPathComponent()) }
            #expect(folder?.reason == "is a directory, expected a file")
        }
    }

    @Test("names of formats")
    func formats() throws {
        #expect(try LogFormat(parsing: "BB3x") == .bb3x)
        let error = #expect(throws: UnknownLogFormat.self) { try LogFormat(parsing: "csv") }
        #expect(
            error?.description
                == "unknown log format 'csv'; known are loam, bb3x, convai2, parlai, sharegpt, openai, open-webui, fastchat"
        )
    }

    @Test("what a log says of consent is narrowed by the operator's word and never widened")
    func consent() throws {
        func consent(_ said: String, _ format: LogFormat, _ operatorSays: Consent?) throws -> Consent? {
            let text = Self.good.replacingOccurrences(of: "{\"chat_id\"", with: "{\(said)\"chat_id\"")
            return try withFile(text) { file in
                try format.reader(of: file, options: LogReadingOptions(consent: operatorSays)).readAll()
                    .conversations.first?.consent
            }
        }
        #expect(try consent("", .loam, nil) == .improve)
        #expect(try consent("", .bb3x, nil) == .release)
        #expect(try consent("", .loam, .release) == .release)
        #expect(try consent("\"consent\":\"improve\",", .loam, .release) == .improve)
        #expect(try consent("\"consent\":\"release\",", .loam, .improve) == .improve)
        #expect(try consent("\"consent\":\"none\",", .bb3x, nil) == Consent.none)
    }
}
