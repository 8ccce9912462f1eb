import Conversations
import Foundation
import Testing

@testable import Training

@Suite("Dialogue files")
struct DialogueFileTests {
    private func file(_ text: String) throws -> URL {
        let url = FileManager.default.temporaryDirectory.appending(path: "dialogues-\(UUID().uuidString).jsonl")
        try Data(text.utf8).write(to: url)
        return url
    }

    @Test("speakers take turns, rejected dialogues and broken lines are counted")
    func read() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/dialogues.jsonl")
        let content = try DialogueFile().read(url)
        #expect(content.dialogues.count == 2)
        #expect(
            content.dialogues[0] == [
                Turn(.human, "Hi there"), Turn(.bot, "Good day"), Turn(.human, "How is the garden?"),
            ])
        #expect(content.rejected == 1)
        #expect(content.skipped.map(\.line) == [3, 4, 6])
        #expect(content.skipped.map(\.code) == [.invalidJSON, .invalidField, .noMessages])
        #expect(try DialogueFile(limit: 1).read(url).dialogues.count == 1)
    }

    @Test("a log is told by its first line, and only what may be learnt from is read")
    func log() throws {
        func line(_ id: String, _ consent: String) -> String {
            #"{"chat_id":"\#(id)","user_pseudo_id":"u","consent":"\#(consent)","message_history":["#
                + #"{"id":"1","sender":"human","text":"Hi"},{"id":"2","sender":"bot","text":"Good day"}]}"# + "\n"
        }
        let url = try file(line("a", "improve") + line("b", "none") + "{\"cut\n")
        defer { try? FileManager.default.removeItem(at: url) }
        let content = try DialogueFile().readEither(url)
        #expect(content.dialogues == [[Turn(.human, "Hi"), Turn(.bot, "Good day")]])
        #expect(content.skippedCount == 1 && content.skipped.first?.line == 3)
        #expect(content.withheld == 1 && content.rejected == 0)
    }

    @Test("of a log nobody learns a canned reply, and no more dialogues are read than asked for")
    func canned() throws {
        func line(_ id: String) -> String {
            [
                #"{"chat_id":"\#(id)","user_pseudo_id":"u","consent":"improve","message_history":["#,
                #"{"id":"1","sender":"human","text":"Hi"},{"id":"2","sender":"bot","text":"Good day"},"#,
                #"{"id":"3","sender":"human","text":"So"},"#,
                #"{"id":"4","sender":"bot","text":"Let us not","is_safety_controlled_response":true},"#,
                #"{"id":"5","sender":"human","text":"Well"},{"id":"6","sender":"bot","text":"Indeed"}]}"#,
            ].joined() + "\n"
        }
        let url = try file(line("a") + line("b"))
        defer { try? FileManager.default.removeItem(at: url) }
        let pieces = [
            [Turn(.human, "Hi"), Turn(.bot, "Good day"), Turn(.human, "So")],
            [Turn(.human, "Well"), Turn(.bot, "Indeed")],
        ]
        #expect(try DialogueFile().readEither(url).dialogues == pieces + pieces)
        #expect(try DialogueFile(limit: 1).readEither(url).dialogues == [pieces[0]])
        #expect(try DialogueFile(limit: 3).readEither(url).dialogues == pieces + [pieces[0]])
    }

    @Test("a file without a dialogue is one clear error")
    func empty() throws {
        for text in ["", "\n\n", "{\"turns\":[\"alone\"]}\n", "no json at all"] {
            let url = try file(text)
            defer { try? FileManager.default.removeItem(at: url) }
            #expect(throws: LogError.self) { try DialogueFile().read(url) }
        }
        #expect(throws: LogError.self) { try DialogueFile().read(URL(filePath: "/nowhere/at-all.jsonl")) }
    }

    @Test("votes become examples, feedback without a thumb does not")
    func votes() throws {
        var vote = VotedReply(
            conversationID: "c", messageID: "m", userID: "u", context: [Turn(.human, "hi")], reply: "go away",
            rating: .dislike, reasons: [.inappropriate], index: 1)
        let example = try #require(Example(vote, weight: 0.7))
        #expect(example == Example(context: [Turn(.human, "hi")], reply: "go away", label: .bad, weight: 0.7))
        let reward = try #require(RewardExample(vote))
        #expect(reward.reasons == [.inappropriate] && !reward.isGood && reward.userID == "u")
        #expect(reward.example.label == .bad)
        vote.rating = nil
        #expect(Example(vote) == nil && RewardExample(vote) == nil)
    }
}
