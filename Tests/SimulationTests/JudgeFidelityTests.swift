import Conversations
import Foundation
import Testing

@testable import Simulation

/// What the grammar writes, good or spoiled on purpose, the judge must see as such.
@Suite("The judge against the grammar")
struct JudgeFidelityTests {
    let world: World
    let reader: TalkReader
    let judge: WorldJudge

    init() throws {
        world = try World()
        reader = TalkReader(world)
        judge = WorldJudge(world, reader: reader)
    }

    /// Moments of conversations, as many as there are replies in `count` dialogues.
    func states(_ count: Int, seed: UInt64) -> [(turns: [Turn], state: TalkState)] {
        let corpus = PretrainingCorpus(world, seed: seed)
        var found: [(turns: [Turn], state: TalkState)] = []
        for index in 0..<count {
            let turns = corpus.turns(index)
            for at in turns.indices where turns[at].sender == .human {
                let history = Array(turns[...at])
                found.append((history, reader.state(after: history)))
            }
        }
        return found
    }

    static func show(_ turns: [Turn], _ reply: String, _ verdict: Verdict) -> String {
        turns.map { "\($0.sender): \($0.text)" }.joined(separator: "\n") + "\n-> \(reply)   [\(verdict.name)]\n"
    }

    @Test("every human turn is read")
    func humanTurnsAreRead() {
        for (turns, _) in states(200, seed: 3) {
            let text = turns.last?.text ?? ""
            for sentence in SentenceText.sentences(of: text) {
                #expect(!reader.acts(of: sentence, by: .human).isEmpty, "\(sentence)")
            }
        }
    }

    @Test("good replies are judged good")
    func goodReplies() {
        let good = ReplyGrammar(world: world)
        var random = SplitMix64(seed: 5)
        var wrong: [String] = []
        let states = states(400, seed: 4)
        for (turns, state) in states {
            let reply = good.reply(to: state, &random)
            let verdict = judge.verdict(on: reply, in: state)
            if !verdict.isGood { wrong.append(Self.show(turns, reply, verdict)) }
        }
        #expect(states.count > 1200)
        #expect(
            Double(wrong.count) <= 0.005 * Double(states.count),
            "\(wrong.count) of \(states.count), e.g. \(wrong.prefix(8).joined(separator: "\n"))")
    }

    @Test("spoiled replies are judged bad, in their category", arguments: Flaw.allCases)
    func spoiledReplies(flaw: Flaw) {
        let spoiler = ReplySpoiler(world: world, reader: reader, good: ReplyGrammar(world: world))
        var random = SplitMix64(seed: 6)
        var good: [String] = []
        var other: [String] = []
        var count = 0
        for (turns, state) in states(120, seed: 7) {
            for style in flaw == .nonsensical ? [.usual, .misconception, .shuffled] : [FlawContext.Style.usual] {
                guard let reply = spoiler.reply(to: state, flaw, style: style, &random) else { continue }
                count += 1
                let verdict = judge.verdict(on: reply, in: state)
                if verdict.isGood { good.append(Self.show(turns, reply, verdict)) }
                if verdict != .bad(flaw) { other.append(Self.show(turns, reply, verdict)) }
            }
        }
        #expect(count > 100)
        #expect(
            Double(good.count) <= 0.01 * Double(count),
            "\(good.count) of \(count) good, e.g. \(good.prefix(6).joined(separator: "\n"))")
        #expect(
            Double(other.count) <= 0.05 * Double(count),
            "\(other.count) of \(count) elsewhere, e.g. \(other.prefix(6).joined(separator: "\n"))")
    }
}
