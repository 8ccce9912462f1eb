import Conversations
import Foundation
import Testing

@testable import Simulation

/// The log in `Samples` is what its README says.
@Suite("The bundled sample log")
struct SampleLogTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Samples")

    @Test("its size, its votes and its truth")
    func contents() throws {
        let data = try Data(contentsOf: Self.folder.appending(path: "chat-log.jsonl"))
        #expect(data.count <= 3_000_000)
        let lines = data.split(separator: 0x0A)
        #expect((2900...3300).contains(lines.count))
        let truth = try HiddenTruth(contentsOf: Self.folder.appending(path: "chat-log.truth.jsonl"))
        #expect(truth.kinds.count == 600)
        let adversarial = truth.kinds.values.count { $0.isAdversarial }
        #expect((150...210).contains(adversarial))
        let votes = ["\"is_liked\":true", "\"is_disliked\":true"].map { mark in
            data.split(separator: 0x0A).reduce(0) { $0 + $1.ranges(of: Data(mark.utf8)).count }
        }
        #expect(votes[0] + votes[1] >= 4000)
        // The start of it, read in full, agrees with the truth beside it and with the judge.
        let judge = WorldJudge(try World())
        for line in lines.prefix(60) {
            let conversation = try Conversation(jsonLine: line)
            #expect(truth.kinds[conversation.userID] != nil)
            guard conversation.messages.allSatisfy({ !$0.isDislikeFeedback && !$0.text.isEmpty }) else { continue }
            var turns: [Turn] = []
            for message in conversation.messages {
                if message.sender == .bot, turns.last?.sender == .human {
                    #expect(truth.verdicts[message.id] == judge.verdict(on: message.text, after: turns))
                }
                turns.append(Turn(message.sender, message.text))
            }
        }
    }
}
