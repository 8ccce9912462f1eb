import Conversations
import Foundation
import Testing

@Suite("What of a log may be learnt from")
struct LearnableLogTests {
    private func line(_ id: String, _ consent: Consent) -> String {
        Conversation(
            id: id, userID: "person", messages: [.init(id: "m", sender: .human, text: "Hello \(id)")], consent: consent
        ).jsonLine
    }

    private func events(_ lines: [String]) throws -> [LearnableLog.Event] {
        try withFile(lines.joined(separator: "\n")) { file in
            #expect(try LearnableLog.isLog(file))
            let log = try LearnableLog(file)
            var events: [LearnableLog.Event] = []
            while let event = try log.next() { events.append(event) }
            return events
        }
    }

    @Test("consent that a later line takes back holds for the earlier one; others, broken lines too, are as they were")
    func withdrawn() throws {
        let events = try events([
            line("a", .improve), line("b", .release), line("c", .none), "{\"message_history\": 3}", line("a", .none),
            line("a", .improve), line("d", .improve),
        ])
        let ids = events.compactMap { event in
            if case .conversation(let conversation) = event { conversation.id } else { nil }
        }
        #expect(ids == ["b", "d"])
        #expect(events.count { $0 == .withheld } == 2, "c, and a once")
        #expect(
            events.count { if case .skipped = $0 { true } else { false } } == 2, "the broken line, and a's repetition")
    }

    @Test("what a later line no longer lets be released is learnt once, as the later line has it")
    func narrowed() throws {
        let events = try events([line("a", .release), line("b", .release), line("a", .improve), line("a", .improve)])
        let read = events.compactMap { event in
            if case .conversation(let conversation) = event { conversation } else { nil }
        }
        #expect(read.map(\.id) == ["b", "a"])
        #expect(read.map(\.consent) == [.release, .improve])
        #expect(events.count == 3, "and the last line is a repetition")
    }

    @Test("a log may begin with a line that only takes consent back")
    func bareWithdrawal() throws {
        let events = try events([#"{"chat_id": "a", "consent": "none"}"#, line("b", .improve), line("a", .improve)])
        #expect(events.first == .withheld)
        #expect(events.count { if case .conversation = $0 { true } else { false } } == 1)
    }

    @Test("lines of another kind are no log, and a file that is not there is said")
    func others() throws {
        for text in ["{\"turns\": [\"a\", \"b\"]}\n", "no JSON\n", "[1]\n", ""] {
            try withFile(text) { file in
                let isLog = try LearnableLog.isLog(file)
                #expect(!isLog, "\(text)")
                let missing = file.appendingPathExtension("missing")
                #expect(throws: LogError.self) { _ = try LearnableLog(missing) }
            }
        }
    }
}
