import Conversations
import Foundation
import Simulation
import Testing

@Suite("What the judge says of many replies")
struct VerdictCountsTests {
    @Test("counts, shares and the map in a file")
    func counts() throws {
        var counts = VerdictCounts()
        #expect(counts.total == 0 && counts.share(.good) == 0)
        for verdict in [Verdict.good, .good, .bad(.repeating), .bad(.offTopic)] { counts.add(verdict) }
        #expect(counts.total == 4 && counts.count(.good) == 2 && counts.share(.bad(.offTopic)) == 0.25)
        #expect(counts.share(.bad(.inappropriate)) == 0)
        let data = try JSONEncoder().encode(counts)
        #expect(
            try JSONDecoder().decode([String: Int].self, from: data) == ["good": 2, "repeating": 1, "off_topic": 1])
        #expect(try JSONDecoder().decode(VerdictCounts.self, from: data) == counts)
    }

    @Test("prompts are the same each time, end with the person, and those of held-out topics are others")
    func prompts() throws {
        let world = try World()
        let judge = WorldJudge(world)
        for kind in WorldPrompts.allCases {
            let histories = kind.histories(of: world, count: 12)
            #expect(histories.count == 12 && histories.allSatisfy { $0.last?.sender == .human })
            #expect(histories == kind.histories(of: world, count: 12))
            // What the person said, said again, answers nothing.
            let counts = judge.counts(of: histories.map { $0.last?.text ?? "" }, after: histories)
            #expect(counts.total == 12 && counts.count(.good) < 6)
        }
        #expect(
            WorldPrompts.test.histories(of: world, count: 12) != WorldPrompts.heldOut.histories(of: world, count: 12))
    }
}
