import Testing

@testable import Evaluation

@Suite struct ChartAxisTests {
    @Test(
        arguments: [
            ([0.0, 41], [0, 10, 20, 30, 40, 50]), ([0.61, 0.84], [0.6, 0.65, 0.7, 0.75, 0.8, 0.85]),
            ([-0.3, 1.2], [-0.5, 0, 0.5, 1, 1.5]), ([0, 590], [0, 200, 400, 600]),
        ] as [([Double], [Double])])
    func ticksAreRoundAndCover(values: [Double], ticks: [Double]) {
        let axis = ChartAxis(covering: values)
        #expect(axis.ticks.count == ticks.count)
        #expect(zip(axis.ticks, ticks).allSatisfy { abs($0 - $1) < 1e-9 }, "\(axis.ticks)")
        for value in values { #expect(axis.place(value) >= 0 && axis.place(value) <= 1) }
    }

    @Test func labelsHaveAsManyDigitsAsTheyNeed() {
        #expect(ChartAxis(covering: [0, 0.1]).label(0.02, asPercent: true) == "2 %")
        #expect(ChartAxis(covering: [0, 0.01]).label(0.002, asPercent: true) == "0.2 %")
        #expect(ChartAxis(covering: [-0.3, 1.2]).label(0.5) == "0.5")
        #expect(ChartAxis(covering: [-1, 1]).label(-0.0) == "0.0")
    }

    @Test func degenerateValuesStillGiveAnAxis() {
        for values in [[], [5], [0], [.nan], [3, 3, .infinity]] as [[Double]] {
            let axis = ChartAxis(covering: values)
            #expect(axis.high > axis.low && axis.ticks.count >= 2 && axis.ticks.count < 20)
            #expect(values.filter(\.isFinite).allSatisfy { axis.place($0) >= 0 && axis.place($0) <= 1 })
        }
    }
}
