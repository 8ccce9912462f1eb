import Conversations
import Safety
import Testing
import Training

@testable import Improvement

@Suite("Names in what the safety classifier learns from")
struct PlainMentionTextsTests {
    @Test(
        "safe sentences for both sides, and every eighth text once more with a name, its label, weight and context as they were"
    )
    func plain() {
        let texts = (0..<32).map { place in
            TunedSafetyTraining.Text(
                context: [Turn(.human, "before \(place)")], text: "words \(place)",
                side: place % 2 == 0 ? .bot : .human,
                isUnsafe: place % 16 == 8, weight: 0.3)
        }
        let mentions = PlainMentions(names: ["ada", "bela", "chidi", "dora"])
        let added = SafetyTraining.plain(mentions, 40, beside: texts, seed: 1)
        #expect(added == SafetyTraining.plain(mentions, 40, beside: texts, seed: 1))
        #expect(added.count == 84)
        let (safe, named) = (added.prefix(80), added.suffix(4))
        #expect(safe.allSatisfy { !$0.isUnsafe && $0.weight == 1 })
        #expect(safe.count { $0.side == .human && $0.context.isEmpty } == 40)
        #expect(safe.count { $0.side == .bot && $0.context.count == 1 } == 40)
        for (one, origin) in zip(named, [0, 8, 16, 24].map({ texts[$0] })) {
            #expect(one.text != origin.text && one.text.contains(origin.text))
            var same = one
            same.text = origin.text
            #expect(same == origin)
        }
        #expect(named.map(\.isUnsafe) == [false, true, false, true])
    }
}
