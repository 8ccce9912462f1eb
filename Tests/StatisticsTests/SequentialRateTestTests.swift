import Foundation
import Statistics
import Testing

@Suite("Watching two rates live") struct SequentialRateTestTests {
    /// The test after so many people of each group, outcomes drawn with these rates.
    private func watch(
        _ one: Double, _ other: Double, people: Int, block: SequentialRateTest.Block = .init(), seed: UInt64
    ) throws -> SequentialRateTest {
        var test = try SequentialRateTest(level: 0.05, block: block)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<people {
            for _ in 0..<block.first { test.addFirst(generator.chance(one)) }
            for _ in 0..<block.second { test.addSecond(generator.chance(other)) }
        }
        return test
    }

    @Test("a block's evidence is at most 1 on average wherever the second rate is no higher", arguments: [1, 4])
    func expectation(ones: Int) throws {
        // A history that makes the test bet that the second rate is higher; then the next block, every outcome weighed.
        var prepared = try SequentialRateTest(level: 0.01, block: .init(first: ones, second: 1))
        for outcome in [false, true, false, true, false, true, true] {
            for place in 0..<ones { prepared.addFirst(outcome && place == 0 && ones > 1) }
            prepared.addSecond(outcome)
        }
        let before = prepared.logEvidence
        for first in stride(from: 0.0, through: 1, by: 0.1) {
            for second in stride(from: 0.0, through: first, by: 0.1) {
                var mean = 0.0
                for outcomes in 0..<(1 << (ones + 1)) {
                    var after = prepared
                    var chance = 1.0
                    for place in 0..<ones {
                        let yes = outcomes >> place & 1 == 1
                        chance *= yes ? first : 1 - first
                        after.addFirst(yes)
                    }
                    let yes = outcomes >> ones & 1 == 1
                    chance *= yes ? second : 1 - second
                    after.addSecond(yes)
                    mean += chance * exp(after.logEvidence - before)
                }
                #expect(mean <= 1 + 1e-9, "rates \(first) and \(second)")
            }
        }
    }

    @Test("equal rates raise an alarm in at most one of twenty runs, however often one looks")
    func falseAlarms() throws {
        let alarms = try (0..<400).count { try watch(0.1, 0.1, people: 400, seed: UInt64($0)).isAlarm }
        #expect(alarms <= 20, "\(alarms) of 400")
    }

    @Test("a better second arm never looks worse; a bad one is found")
    func power() throws {
        #expect(try (0..<50).allSatisfy { try !watch(0.2, 0.05, people: 400, seed: UInt64($0)).isAlarm })
        let found = try (0..<50).count { try watch(0.05, 0.2, people: 400, seed: UInt64($0)).isAlarm }
        #expect(found >= 45, "\(found) of 50")
        let unequal = try (0..<20).count {
            try watch(0.05, 0.3, people: 150, block: .init(first: 9, second: 1), seed: UInt64($0)).isAlarm
        }
        #expect(unequal >= 15, "\(unequal) of 20")
    }

    @Test("it can be kept and taken up again; bad settings are refused")
    func kept() throws {
        let test = try watch(0.1, 0.3, people: 37, seed: 4)
        var again = try JSONDecoder().decode(SequentialRateTest.self, from: JSONEncoder().encode(test))
        var other = test
        again.addFirst(true)
        again.addSecond(true)
        other.addFirst(true)
        other.addSecond(true)
        #expect(again == other)
        #expect(test.pValue <= 1 && test.pValue >= 0)
        #expect(throws: StatisticsError.self) { try SequentialRateTest(level: 0) }
        #expect(throws: StatisticsError.self) { try SequentialRateTest(block: .init(first: 0, second: 1)) }
    }
}
