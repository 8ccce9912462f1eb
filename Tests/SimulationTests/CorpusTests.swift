import Conversations
import Foundation
import Testing

@testable import Simulation

@Suite("The corpus of the simulated world")
struct CorpusTests {
    @Test("its shares are those of the paper's base model, in its mode too")
    func figures() throws {
        let report = PretrainingCorpus(try World(), seed: 1).report(1200)
        // `reference.md` 1.6, the row of BB3 175B; 5,000 replies have a standard error of .5 at 85 %.
        #expect(abs(report.share(.good) - 0.853) < 0.02)
        let paper: [(Flaw, Double)] = [
            (.inappropriate, 0.013), (.offTopic, 0.032), (.nonsensical, 0.046), (.ignoring, 0.036),
            (.repeating, 0.013), (.other, 0.007),
        ]
        for (flaw, share) in paper {
            #expect(abs(report.share(.bad(flaw)) - share) < 0.012, "\(flaw): \(report.share(.bad(flaw)))")
        }
        #expect(report.modeGoodShare > 0.78 && report.modeGoodShare < 0.91, "\(report.modeGoodShare)")
        #expect(report.wordsPerDialogue < 110)
        #expect(report.distinctHuman.count > 1800 && report.distinctBot.count > 1800)
    }

    @Test("without flaws nearly every reply is good")
    func flawless() throws {
        let report = PretrainingCorpus(try World(), seed: 1, flawScale: 0).report(300)
        #expect(report.share(.good) > 0.995)
    }

    @Test("the same seed gives the same dialogues, another one others")
    func seeded() throws {
        let world = try World()
        let first = PretrainingCorpus(world, seed: 9)
        let again = PretrainingCorpus(world, seed: 9)
        let other = PretrainingCorpus(world, seed: 10)
        // Not in order: each dialogue stands on its own.
        for index in [40, 3, 17, 3] { #expect(first.turns(index) == again.turns(index)) }
        #expect((0..<20).contains { first.turns($0) != other.turns($0) })
    }

    @Test("dialogues have four to ten turns, taken in turn")
    func shape() throws {
        let corpus = PretrainingCorpus(try World(), seed: 2)
        for index in 0..<200 {
            let turns = corpus.turns(index)
            #expect((4...10).contains(turns.count))
            for (at, turn) in turns.enumerated() {
                #expect(turn.sender == (at % 2 == 0 ? .human : .bot))
                #expect(!turn.text.isEmpty, "\(turns)")
            }
        }
    }

    @Test("a written corpus reads back")
    func file() throws {
        let corpus = PretrainingCorpus(try World(), seed: 3)
        let file = FileManager.default.temporaryDirectory.appending(path: "corpus-\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        try corpus.write(20, to: file)
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 20)
        for (index, line) in lines.enumerated() {
            #expect(try Conversation(jsonLine: line.utf8) == corpus.conversation(index))
        }
    }
}
