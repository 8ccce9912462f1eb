import Foundation
import Statistics
import Testing

@Suite("Bradley–Terry") struct BradleyTerryTests {
    private func contests(_ first: Int, _ second: Int, wins: Int, losses: Int) -> [BradleyTerry.Contest] {
        Array(repeating: .init(first: first, second: second, result: 1), count: wins)
            + Array(repeating: .init(first: first, second: second, result: 0), count: losses)
    }

    @Test("odds of 2, 2 and 4 by hand are strengths log 2 apart")
    func byHand() throws {
        let model = try BradleyTerry(
            count: 3,
            contests: contests(0, 1, wins: 2, losses: 1) + contests(1, 2, wins: 2, losses: 1)
                + contests(0, 2, wins: 4, losses: 1),
            modelsPosition: false, l2: 1e-9)
        for (value, wanted) in zip(model.strengths, [0.693147, 0, -0.693147]) { #expect(near(value, wanted, 1e-5)) }
        #expect(near(model.probability(0, beats: 2), 0.8, 1e-5))
        #expect(model.advantage == 0)
    }

    @Test("standing first is told apart from being better")
    func position() throws {
        // First wins 8 of 10 whoever stands there: the two are equal, the place is worth log 4.
        let model = try BradleyTerry(
            count: 2, contests: contests(0, 1, wins: 8, losses: 2) + contests(1, 0, wins: 8, losses: 2), l2: 1e-9)
        #expect(near(model.strengths[0], 0, 1e-6))
        #expect(near(model.advantage, 1.386294, 1e-5))
    }

    @Test("a covariate explains what it explains; ties count half")
    func covariate() throws {
        // The longer wins 3 of 4 times, either way round; with one tie each way nothing is left for the two.
        var all: [BradleyTerry.Contest] = []
        for (length, result) in [(1.0, 1.0), (1, 1), (1, 1), (1, 0), (-1, 0), (-1, 0), (-1, 0), (-1, 1), (0, 0.5)] {
            all.append(.init(first: 0, second: 1, result: result, covariates: [length]))
        }
        let model = try BradleyTerry(count: 2, contests: all, l2: 1e-9)
        #expect(near(model.covariateWeights[0], 1.098612, 1e-4))
        #expect(near(model.strengths[0], 0, 1e-4) && near(model.advantage, 0, 1e-4))
    }

    @Test("one that always wins stays finite, and a contest with oneself is refused")
    func bounds() throws {
        let model = try BradleyTerry(count: 2, contests: contests(0, 1, wins: 30, losses: 0), modelsPosition: false)
        #expect(model.strengths[0].isFinite && model.strengths[0] > 1)
        #expect(throws: StatisticsError.self) {
            try BradleyTerry(count: 2, contests: [.init(first: 1, second: 1, result: 1)])
        }
        #expect(throws: StatisticsError.self) { try BradleyTerry(count: 2, contests: []) }
    }
}
