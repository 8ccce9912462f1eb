import Testing
import Torch

@Suite("Schedule")
struct ScheduleTests {
    @Test("warm-up, then the curve down to the floor")
    func curves() {
        let linear = Schedule(.linear, peak: 1, warmUp: 4, total: 14, floor: 0.2)
        #expect(close((0..<4).map(linear.rate), [0.25, 0.5, 0.75, 1]))
        #expect(close([4, 9, 14, 100].map(linear.rate), [1, 0.6, 0.2, 0.2]))
        let cosine = Schedule(.cosine, peak: 2, total: 10, floor: 0.1)
        // 0.2 + 1.8 · (1 + cos(π t / 10)) / 2 at t = 0, 2.5, 5, 10.
        #expect(close([0, 5, 10, 11].map(cosine.rate), [2, 1.1, 0.2, 0.2]))
        #expect(close([Schedule(.cosine, peak: 1, total: 4).rate(at: 1)], [0.8535533906]))
        let constant = Schedule(.constant, peak: 3, warmUp: 2, total: 5)
        #expect([0, 1, 2, 50].map(constant.rate) == [1.5, 3, 3, 3])
    }

    @Test("odd lengths give finite rates, never below zero")
    func edges() {
        for kind in Schedule.Kind.allCases {
            for (warmUp, total) in [(0, 0), (0, 1), (5, 5), (5, 3), (1, 2)] {
                let schedule = Schedule(kind, peak: 1, warmUp: warmUp, total: total)
                #expect((-1..<8).map(schedule.rate).allSatisfy { $0.isFinite && $0 >= 0 && $0 <= 1 })
            }
        }
    }
}
