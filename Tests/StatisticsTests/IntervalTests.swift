import Foundation
import Statistics
import Testing

@Suite struct IntervalTests {
    @Test func wilsonMatchesScipy() throws {
        for row in try Fixture.load().wilson {
            let interval = Proportion.wilson(Int(row[0]), of: Int(row[1]))
            #expect(near(interval.lower, row[2], 1e-9) && near(interval.upper, row[3], 1e-9), "\(row)")
        }
        #expect(Proportion.wilson(0, of: 0) == Interval(estimate: 0.5, lower: 0, upper: 1))
    }

    @Test("a share that no draw moves has the width of its number of clusters")
    func shareWithoutWidth() throws {
        let bootstrap = Bootstrap(replicates: 200)
        let none = try bootstrap.share([0, 0, 0, 0], clusters: ["a", "a", "b", "b"])
        let wilson = Proportion.wilson(0, of: 2)
        #expect(none.estimate == 0 && none.lower == 0 && near(none.upper, wilson.upper, 1e-12))
        // One person tells little, whatever the share of what they did.
        let one = try bootstrap.share([1, 0, 0], weights: [1, 1, 2], clusters: ["a", "a", "a"])
        #expect(one.estimate == 0.25 && one.lower < 0.1 && one.upper > 0.7)
        let both = try bootstrap.share([1, 0, 1, 0], clusters: ["a", "b", "c", "d"])
        #expect(both == (try bootstrap.mean([1, 0, 1, 0], clusters: ["a", "b", "c", "d"])))
    }

    @Test func binomialMatchesScipyAndAcute() throws {
        for row in try Fixture.load().binomial {
            #expect(
                near(try Binomial.twoSided(successes: Int(row[0]), trials: Int(row[1]), chance: row[2]), row[3], 1e-9))
        }
        // Values of the ACUTE-Eval analysis.
        for (wins, trials, p) in [
            (8, 10, 0.109375), (15, 20, 0.041389), (33, 50, 0.032839), (60, 100, 0.056888), (65, 100, 0.0035176),
            (115, 200, 0.040037), (120, 200, 0.0056852),
        ] {
            #expect(near(try Binomial.twoSided(successes: wins, trials: trials), p, 5e-7))
        }
        #expect(try Binomial.twoSided(successes: 0, trials: 0) == 1)
        #expect(throws: StatisticsError.self) { try Binomial.twoSided(successes: 3, trials: 2) }
    }

    @Test func normalQuantileMatchesScipy() throws {
        for row in try Fixture.load().quantiles {
            #expect(near(Normal.quantile(row[0]), row[1], 1e-10 * max(1, abs(row[1]))), "\(row)")
        }
        #expect(Normal.quantile(1.5).isNaN)
    }

    @Test func aucMatchesScikitLearnAndDeLong() throws {
        let curve = try Fixture.load().roc
        let labels = curve.labels.map { $0 == 1 }
        let interval = try ROC.interval(scores: curve.scores, labels: labels)
        #expect(near(interval.estimate, curve.auc, 1e-12))
        #expect(near(interval.halfWidth, 1.959963984540054 * curve.error, 1e-9))
        #expect(try ROC.auc(scores: [1, 1, 1], labels: [true, false, true]) == 0.5)
        #expect(try ROC.auc(scores: [0, 3, 2], labels: [false, true, true]) == 1)
        #expect(throws: StatisticsError.self) { try ROC.auc(scores: [1, 2], labels: [true, true]) }
        #expect(throws: StatisticsError.self) { try ROC.auc(scores: [1, .nan], labels: [true, false]) }
    }

    @Test("one example of a class has an area and no interval")
    func aucOfOnePositive() throws {
        #expect(try ROC.auc(scores: [1, 2, 3], labels: [false, true, false]) == 0.5)
        #expect(throws: StatisticsError.self) { try ROC.interval(scores: [1, 2, 3], labels: [false, true, false]) }
        // Positives place at 1 and ½, negatives at ½ and 1: variances of 1/8 over 2, twice; the error is √(1/8).
        let both = try ROC.interval(scores: [3, 1.5, 1, 2], labels: [true, true, false, false])
        #expect(near(both.estimate, 0.75, 1e-12))
        #expect(near(both.lower, 0.75 - 1.959963984540054 * 0.125.squareRoot(), 1e-9) && both.upper == 1)
    }

    @Test("scores without end are calibrated as well")
    func infiniteScores() throws {
        let labels = [false, true, true]
        let isotonic = try IsotonicCalibrator(scores: [-.infinity, 0, .infinity], labels: labels)
        let asked: [Double] = [-.infinity, -5, 0, 5, .infinity]
        #expect(asked.map(isotonic.probability) == [0, 1, 1, 1, 1])
    }

    @Test func calibrationMatchesScikitLearn() throws {
        let data = try Fixture.load()
        let labels = data.roc.labels.map { $0 == 1 }
        let platt = try PlattCalibrator(scores: data.roc.scores, labels: labels)
        #expect(near(data.calibration.grid.map(platt.probability), data.calibration.platt, 1e-4))
        let isotonic = try IsotonicCalibrator(scores: data.roc.scores, labels: labels)
        #expect(near(data.calibration.grid.map(isotonic.probability), data.calibration.isotonic, 1e-9))
        #expect(throws: StatisticsError.self) { try IsotonicCalibrator(scores: [], labels: []) }
    }

    @Test func reliabilityByHand() throws {
        let reliability = try Reliability(
            probabilities: [0.1, 0.2, 0.9, 0.7], labels: [false, true, true, true], binCount: 2)
        // Low bin: stated .15, observed .5; high bin: stated .8, observed 1.
        let error: Double = (0.35 + 0.2) / 2
        #expect(near(reliability.expectedCalibrationError, error, 1e-12))
        let squares: [Double] = [0.01, 0.64, 0.01, 0.09]
        #expect(near(reliability.brier, squares.reduce(0, +) / 4, 1e-12))
        #expect(reliability.bins.map(\.count) == [2, 2])
        #expect(throws: StatisticsError.self) { try Reliability(probabilities: [1.1], labels: [true]) }
    }

    @Test func bootstrapAgreesWithTheNormalInterval() throws {
        var generator = SeededGenerator(seed: 3)
        let values = (0..<400).map { _ in generator.normal(mean: 5, deviation: 2) }
        let interval = try Bootstrap(seed: 1).mean(values)
        #expect(near(interval.halfWidth, 1.96 * 2 / 20, 0.03))
        #expect(interval.lower < interval.estimate && interval.estimate < interval.upper)
        #expect(try Bootstrap(seed: 1).mean(values) == interval)
        let general = try Bootstrap(replicates: 400, seed: 2).interval(count: 400) { picked in
            picked.reduce(0) { $0 + values[$1] } / Double(picked.count)
        }
        #expect(near(general.halfWidth, interval.halfWidth, 0.03))
    }

    @Test func clustersWidenAndPairsNarrow() throws {
        var generator = SeededGenerator(seed: 8)
        // 40 people of 10 answers that hang together: the effective number is 40.
        var values: [Double] = []
        var people: [Int] = []
        for person in 0..<40 {
            let level = generator.normal()
            for _ in 0..<10 {
                values.append(level + generator.normal(deviation: 0.1))
                people.append(person)
            }
        }
        let alone = try Bootstrap().mean(values)
        let clustered = try Bootstrap().mean(values, clusters: people)
        #expect(clustered.halfWidth > 2.5 * alone.halfWidth)
        #expect(clustered.halfWidth < 4 * alone.halfWidth)
        let paired = try Bootstrap().pairedDifference(values, values.map { $0 + 0.5 }, clusters: people)
        #expect(near(paired.estimate, 0.5, 1e-9) && paired.halfWidth < 1e-9)
    }

    @Test func bootstrapNamesWhatItCannotDo() {
        #expect(throws: StatisticsError.self) { try Bootstrap().mean([]) }
        #expect(throws: StatisticsError.self) { try Bootstrap().mean([1, .nan]) }
        #expect(throws: StatisticsError.self) { try Bootstrap().mean([1, 2], clusters: ["a"]) }
        #expect(throws: StatisticsError.self) { try Bootstrap().pairedDifference([1], [1, 2]) }
        #expect(throws: StatisticsError.self) { try Bootstrap().interval(count: 3) { _ in nil } }
    }
}
