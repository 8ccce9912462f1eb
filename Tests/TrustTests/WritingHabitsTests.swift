import Statistics
import Testing

@testable import Trust

@Suite struct WritingHabitsTests {
    @Test func figuresByHand() throws {
        let habits = try WritingHabits([
            [["Hello there you", "ok", "ok", "why?"], ["ok", "quite another thing, this"]],
            [["Fresh words, every time", "and never the same"]],
            [["hello there you", "something of my own"]],
        ])
        func figure(_ name: String, _ writer: Int) throws -> Float {
            let column = try #require(WritingHabits.names.firstIndex(of: name))
            return habits.figures[row: writer][writer * habits.figures.columns + column]
        }
        // First text: 3, 1, 1, 1 words; second: 1, 4.
        #expect(try figure("words_per_turn", 0) == (1.5 + 2.5) / 2)
        // "ok" twice among four turns; nothing twice in the second.
        #expect(try figure("repeated_turns", 0) == 0.125)
        // First: "hello there you" and both "ok" stand in other texts; second: "ok" of two.
        #expect(try figure("common_turns", 0) == (0.75 + 0.5) / 2)
        // In other texts of their own: both "ok" of four; "ok" of two.
        #expect(try figure("reused_turns", 0) == 0.5)
        #expect(try figure("questions", 0) == 0.125)
        #expect(try figure("repeated_turns", 1) == 0)
        #expect(habits.oddity[0] > habits.oddity[2])
        #expect(habits.oddity[2] > habits.oddity[1])
    }

    @Test func tailsShareTies() {
        #expect(WritingHabits.tails([3, 1, 1, 0]) == [0.125, 0.5, 0.5, 0.875])
    }

    @Test func nobodyIsAnError() {
        #expect(throws: StatisticsError.self) { try WritingHabits([]) }
    }
}
