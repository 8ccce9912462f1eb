import Conversations
import Foundation
import Testing

@testable import Improvement

@Suite("How people treat the bot")
struct ConductTests {
    /// Calls a text abuse by one word, and counts what it is asked.
    private struct Listener: TextClassifier {
        func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
            pairs.map { $0.context.isEmpty && $0.text.contains("dumb") ? 0.9 : 0.05 }
        }
    }

    private func corpus() throws -> Corpus {
        let lines = [
            ("a", "u1", ["Hello.", "You are dumb.", "Bye."]), ("b", "u1", ["Nice day."]),
            ("c", "u2", ["Hello.", "Where is the tower?"]), ("d", "u3", ["You are dumb.", "Sorry."]),
        ].map { id, user, turns in
            let messages = turns.enumerated().map { place, text in
                let sender = "{\"sender\":\"human\",\"text\":\"\(text)\",\"human_message_id\":\"\(id).\(2 * place)\"}"
                return sender
                    + ",{\"sender\":\"bot\",\"text\":\"Dumb luck.\",\"bot_message_id\":\"\(id).\(2 * place + 1)\"}"
            }
            return "{\"chat_id\":\"\(id)\",\"user_pseudo_id\":\"\(user)\",\"consent\":\"improve\",\"message_history\":["
                + messages.joined(separator: ",") + "]}"
        }
        let file = FileManager.default.temporaryDirectory.appending(path: "loam-conduct-\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(lines.joined(separator: "\n").utf8).write(to: file)
        return try Corpus(file, seed: 0)
    }

    @Test("who insulted the bot is a group of their own, by their words, which are kept once, not by the bot's")
    func groups() async throws {
        let conduct = try await Conduct(of: corpus(), classifier: Listener())
        #expect(conduct.groups == ["u1": 1, "u3": 1])
        #expect(conduct.insults == ["You are dumb."])
        let back = try JSONDecoder().decode(Conduct.self, from: JSONEncoder().encode(conduct))
        #expect(back.groups == conduct.groups && back.insults == conduct.insults)
    }

    @Test("the shipped classifier goes with its encoder alone")
    func classifier() async throws {
        let elsewhere = FileManager.default.temporaryDirectory.appending(path: "loam-no-encoder-\(UUID().uuidString)")
        #expect(throws: (any Error).self) { _ = try Conduct.classifier(encoder: elsewhere) }
    }
}
