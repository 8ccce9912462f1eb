import Statistics
import Testing

@Suite("Probabilities of another population")
struct PriorShiftTests {
    /// Where a positive case is read as .8 four times in five and as .2 else, a negative one the other way round, the share `s` shows as
    /// `.8 s + .2 (1 - s)` readings of .8: with nine in ten positive, 74 of 100.
    @Test("The population's share is found, and Bayes makes its probabilities")
    func share() throws {
        let readings = [Double](repeating: 0.8, count: 74) + [Double](repeating: 0.2, count: 26)
        let shift = try PriorShift(probabilities: readings, trained: 0.5)
        #expect(abs(shift.prior - 0.9) < 1e-4)
        // .8 at even odds is 4 to 1, at 9 to 1 it is 36 to 1; .2 is 9 to 4.
        #expect(abs(shift.probability(0.8) - 36.0 / 37) < 1e-4)
        #expect(abs(shift.probability(0.2) - 9.0 / 13) < 1e-4)
        #expect(shift.probability(0) == 0)
        #expect(shift.probability(1) == 1)
        // The same population, where the probabilities are as learnt.
        let same = try PriorShift(
            probabilities: [Double](repeating: 0.8, count: 50) + [Double](repeating: 0.2, count: 50), trained: 0.5)
        #expect(abs(same.prior - 0.5) < 1e-6)
        #expect(abs(same.probability(0.3) - 0.3) < 1e-6)
    }

    @Test("A share that probabilities without edge drive to one end stays within bounds")
    func bounds() throws {
        #expect(try PriorShift(probabilities: [0.7, 0.6, 0.9], trained: 0.5).prior == 0.98)
        #expect(try PriorShift(probabilities: [0.1, 0.2], trained: 0.5, bounds: 0.1...0.9).prior == 0.1)
    }

    @Test("What is no probability is refused")
    func refused() {
        #expect(throws: StatisticsError.self) { try PriorShift(probabilities: [], trained: 0.5) }
        #expect(throws: StatisticsError.self) { try PriorShift(probabilities: [1.1], trained: 0.5) }
        #expect(throws: StatisticsError.self) { try PriorShift(probabilities: [.nan], trained: 0.5) }
        #expect(throws: StatisticsError.self) { try PriorShift(probabilities: [0.5], trained: 1) }
    }
}
