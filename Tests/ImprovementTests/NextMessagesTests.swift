import Conversations
import Foundation
import Testing

@testable import Improvement

@Suite("What people said next")
struct NextMessagesTests {
    /// Its vectors are the texts' lengths.
    private struct Lengths: TextEncoder {
        let dimension = 1

        func encode(_ texts: [String]) async throws -> [[Float]] { texts.map { [Float($0.count)] } }
    }

    @Test("a message is its vector, a one and the logarithm of its words; none is zeros, in its own place")
    func rows() async throws {
        let messages = NextMessages(encoder: Lengths())
        #expect(messages.count == 3)
        let rows = try await messages.rows([nil, "not  true", nil, "no"])
        #expect(rows == [[0, 0, 0], [9, 1, log(3)], [0, 0, 0], [2, 1, log(2)]])
        #expect(try await messages.rows([]).isEmpty)
    }

    @Test("who is not believed in the mean is not heard")
    func unheard() {
        let votes = [("a", 0.9), ("a", 0.2), ("b", 0.1), ("b", 0.8), ("c", 0)].enumerated().map { index, vote in
            WeighedVote(item: "\(index)", user: vote.0, part: .learn, isUp: true, weight: vote.1, probability: 0.5)
        }
        #expect(NextMessages.unheard(votes, trustedFrom: 0.5) == ["b", "c"])
        #expect(NextMessages.unheard([], trustedFrom: 0.5).isEmpty)
        let items = ["a", "b", "d"].map {
            Corpus.Item(id: $0, userID: $0, context: [], reply: "Hello.", part: .learn, next: "No!")
        }
        // Of whom nothing is known is heard.
        #expect(NextMessages.heard(items, votes: votes, trustedFrom: 0.5) == ["No!", nil, "No!"])
    }

    @Test("each reply of a corpus has what the person said after it, and the last one has nothing")
    func corpus() throws {
        let turns = [
            #"{"sender":"human","text":"Hi.","human_message_id":"h1"}"#,
            #"{"sender":"bot","text":"Hello.","bot_message_id":"b1"}"#,
            #"{"sender":"human","text":"That is no answer.","human_message_id":"h2"}"#,
            #"{"sender":"bot","text":"Sorry.","bot_message_id":"b2"}"#,
        ].joined(separator: ",")
        let file = FileManager.default.temporaryDirectory.appending(path: "loam-next-\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        let line = #"{"chat_id":"a","user_pseudo_id":"u","consent":"improve","message_history":[\#(turns)]}"#
        try Data(line.utf8).write(to: file)
        #expect(try Corpus(file, seed: 0).items.map(\.next) == ["That is no answer.", nil])
    }
}
