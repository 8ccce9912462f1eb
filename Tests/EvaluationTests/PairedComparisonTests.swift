import Conversations
import Evaluation
import Foundation
import Statistics
import Testing

@Suite("Blind votes between arms") struct PairedComparisonTests {
    /// `wins` of `votes` for "new", the sides in turn; two raters per conversation.
    private func votes(_ wins: Int, of votes: Int, ties: Int = 0) -> [PairVote] {
        (0..<votes + ties).map { index in
            let newIsFirst = index % 2 == 0
            let newWins = index < wins
            let choice: PairVote.Choice =
                index >= votes ? .tie : (newWins == newIsFirst ? .first : .second)
            return PairVote(
                conversation: "c\(index / 2)", rater: "r\(index % 3)", first: newIsFirst ? "new" : "old",
                second: newIsFirst ? "old" : "new", choice: choice)
        }
    }

    @Test("the p-value is ACUTE-Eval's", arguments: [(8, 10, 0.109375), (65, 100, 0.0035176), (120, 200, 0.0056852)])
    func exact(wins: Int, all: Int, p: Double) throws {
        let result = try PairedComparison(votes(wins, of: all, ties: 4))
        let duel = try #require(result.duels.first)
        #expect(duel.one == "new" && duel.wins == wins && duel.losses == all - wins && duel.ties == 4)
        #expect(abs(duel.pValue - p) < 5e-7)
        #expect(duel.winRate.lower < duel.winRate.estimate && duel.winRate.estimate < duel.winRate.upper)
        #expect((duel.votesNeeded == 0) == (p < 0.05))
        #expect(result.strengths.map(\.arm) == ["new", "old"])
        #expect(result.raters == 3 && result.votes == all + 4 && result.lengthEffect == nil)
    }

    @Test("more votes are asked for where it is open")
    func needed() throws {
        let duel = try #require(try PairedComparison(votes(12, of: 20)).duels.first)
        // 194 votes settle a rate of .6; 20 are there.
        #expect(duel.votesNeeded == 174)
        #expect(try PairedComparison(votes(10, of: 20)).duels.first?.votesNeeded == nil)
    }

    @Test("a rate that every vote shows still has a width")
    func allWon() throws {
        let duel = try #require(try PairedComparison(votes(6, of: 6)).duels.first)
        #expect(duel.winRate.estimate == 1 && duel.winRate.lower < 0.8 && duel.winRate.upper == 1)
    }

    @Test("agreement: two that differ agree in nothing, single votes do not count")
    func agreement() throws {
        func vote(_ conversation: String, _ choice: PairVote.Choice) -> PairVote {
            PairVote(conversation: conversation, rater: "r", first: "a", second: "b", choice: choice)
        }
        let result = try PairedComparison([
            vote("one", .first), vote("one", .first), vote("two", .first), vote("two", .second), vote("three", .second),
            vote("four", .first), vote("four", .first), vote("four", .second), vote("four", .first),
        ])
        let agreement = try #require(result.duels.first?.agreement)
        #expect(abs(agreement - 1.75 / 3) < 1e-12)
    }

    @Test("the effects of place and length are told apart from quality")
    func effects() throws {
        var generator = SeededGenerator(seed: 3)
        let votes = (0..<3_000).map { index -> PairVote in
            let first = generator.uniform() < 0.5 ? 0 : 1
            let lengths = (8 << generator.index(below: 3), 8 << generator.index(below: 3))
            // The better arm is "x" by .8, the first place is worth .5, a doubling of length .6.
            let quality = first == 0 ? 0.8 : -0.8
            let doublings: Double = log2(Double(lengths.0) / Double(lengths.1))
            let logit: Double = quality + 0.5 + 0.6 * doublings
            let takesFirst = generator.chance(LogisticRegression.sigmoid(logit))
            return PairVote(
                conversation: "c\(index)", rater: "r", first: first == 0 ? "x" : "y", second: first == 0 ? "y" : "x",
                choice: takesFirst ? .first : .second, firstLength: lengths.0,
                secondLength: lengths.1)
        }
        let result = try PairedComparison(votes, bootstrap: Bootstrap(replicates: 60, seed: 1))
        #expect(result.strengths.map(\.arm) == ["x", "y"])
        #expect(abs(result.strengths[0].strength.estimate - 0.4) < 0.1)
        #expect(abs(result.positionEffect.estimate - 0.5) < 0.15)
        let length = try #require(result.lengthEffect)
        #expect(abs(length.estimate - 0.6) < 0.1)
        #expect(result.positionEffect.lower > 0)
    }

    @Test("votes are read as lines; a bad one is named by line and field")
    func file() throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "votes-\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: place) }
        let good = #"{"conversation":"c","rater":"r","first":"a","second":"b","choice":"tie","first_length":4}"#
        func read(_ lines: String...) throws -> [PairVote] {
            try Data(lines.joined(separator: "\n").utf8).write(to: place)
            return try PairVoteFile.read(place)
        }
        let votes = try read(good, "", good)
        #expect(votes.count == 2 && votes[0].choice == .tie && votes[0].firstLength == 4)
        for (bad, code, field) in [
            (good.replacing("tie", with: "left"), LogError.Code.invalidField, "choice"),
            (good.replacing(#""rater":"r","#, with: ""), .missingField, "rater"),
            (good.replacing(#""r""#, with: "7"), .invalidField, "rater"), ("{", .invalidJSON, nil as String?),
        ] {
            let error = try #require(throws: LogError.self) { _ = try read(good, bad) }
            #expect(error.code == code && error.field == field && error.line == 2, "\(error)")
        }
        #expect(throws: LogError.self) { _ = try read("") }
    }

    @Test("no votes, or an arm against itself, is refused")
    func refused() {
        #expect(throws: EvaluationError.self) { try PairedComparison([]) }
        #expect(throws: EvaluationError.self) {
            try PairedComparison([.init(conversation: "c", rater: "r", first: "a", second: "a", choice: .tie)])
        }
    }
}
