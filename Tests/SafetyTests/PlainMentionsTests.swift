import Conversations
import Statistics
import Testing

@testable import Safety

@Suite("Plain sentences about people")
struct PlainMentionsTests {
    private let mentions = PlainMentions(names: ["Ada", "bela", "Chidi", "dora", "Emil", "ada"])

    @Test("the same seed gives the same sentences; both sides are spoken for, and a reply has the turn that it answers")
    func examples() {
        var (one, two) = (SeededGenerator(seed: 3), SeededGenerator(seed: 3))
        let drawn = mentions.examples(200, side: .bot, using: &one)
        #expect(drawn == mentions.examples(200, side: .bot, using: &two))
        #expect(drawn.allSatisfy { $0.side == .bot && $0.before != nil && !$0.text.contains("_") })
        #expect(Set(drawn.map(\.text)).count > 60)
        let alone = mentions.examples(50, side: .human, using: &one)
        #expect(alone.allSatisfy { $0.before == nil && !$0.text.contains("_") && !$0.text.isEmpty })
    }

    @Test("every second name is held out, and no held-out name is in anything that is learned from")
    func heldOut() {
        #expect(mentions.heldOut == ["bela", "dora"])
        var draws = SeededGenerator(seed: 1)
        let texts =
            mentions.examples(400, side: .human, using: &draws).map(\.text)
            + (0..<200).map { _ in mentions.addressing("see you soon", using: &draws) }
        let all = texts.joined(separator: " ").lowercased()
        for name in mentions.heldOut { #expect(!all.contains(name)) }
        #expect(all.contains("chidi"))
    }

    @Test("a name is added before or behind a text, whose words stay")
    func addressing() {
        var draws = SeededGenerator(seed: 2)
        let texts = Set((0..<60).map { _ in mentions.addressing("that was wrong", using: &draws) })
        #expect(texts.allSatisfy { $0.contains("that was wrong") })
        #expect(texts.contains { $0.hasPrefix("hey ") } && texts.contains { $0.hasSuffix("that was wrong") })
        #expect(PlainMentions(names: []).addressing("as it was", using: &draws) == "as it was")
    }

    @Test("what is measured with is no sentence that is learned from, for any of the names")
    func tests() {
        var draws = SeededGenerator(seed: 4)
        let learned = Set(
            [Sender.human, .bot].flatMap { mentions.examples(3_000, side: $0, using: &draws) }.map {
                $0.text.lowercased()
            })
        let asked = PlainMentions.tests(names: ["ada", "bela", "chidi"]).flatMap(\.mentions)
        #expect(asked.count == 15)
        #expect(asked.contains { $0.text == "You can call me Chidi." })
        let groups = PlainMentions.groupTests().flatMap(\.mentions)
        #expect(groups.count > 100)
        for one in asked + groups { #expect(!learned.contains(one.text.lowercased())) }
    }
}
