import Foundation
import Statistics
import Testing

@testable import Trust

@Suite struct ContentPosteriorTests {
    /// 40 items with three features and labels that are all but certain.
    func made(extra: Int = 0) -> (features: [Double], labels: [Bool], rows: Int) {
        var generator = SeededGenerator(seed: 5)
        let rows = 40 + extra
        let features = (0..<rows * 3).map { _ in generator.normal() }
        let labels = (0..<rows).map {
            generator.chance(LogisticRegression.sigmoid(2 * features[3 * $0] - features[3 * $0 + 1]))
        }
        return (features, labels, rows)
    }

    func posterior(
        _ made: (features: [Double], labels: [Bool], rows: Int), evidence: [Double], level: Double = 4
    ) throws -> ContentPosterior {
        var content = ContentPosterior(
            features: made.features, rows: made.rows, featureCount: 3, variance: (coefficient: 4, level: level))
        try content.fit(evidence, steps: 30)
        return content
    }

    /// With labels that are certain it is the logistic regression that it says it is.
    @Test func isLogisticRegressionForCertainLabels() throws {
        let made = made()
        // The level of a logistic regression is not penalised.
        let content = try posterior(made, evidence: made.labels.map { $0 ? 40 : -40 }, level: 1e9)
        let rows = (0..<made.rows).map { row in (0..<3).map { Float(made.features[3 * row + $0]) } }
        let model = try LogisticRegression(
            Matrix(rows), labels: made.labels.map { $0 ? 1 : 0 }, options: .init(l2: 0.25, tolerance: 1e-10))
        let margins = try model.margins(Matrix(rows))
        for row in 0..<made.rows { #expect(abs(content.margins[row] - margins[row]) < 1e-5) }
    }

    /// Taking items out again by the identity is the same as taking them out of the curvature, few or many.
    @Test func bothWaysOfLeavingOutAgree() throws {
        let made = made()
        let evidence = made.labels.map { $0 ? 2.0 : -1.5 }
        let content = try posterior(made, evidence: evidence)
        // Four columns: three items go by the identity; with two idle ones more they go by the curvature.
        let few = try content.without([3, 7, 11])
        var idle = made
        idle.features += [Double](repeating: 0, count: 6)
        idle.rows += 2
        idle.labels += [true, true]
        let other = try posterior(idle, evidence: evidence + [0, 0])
        let many = try other.without([3, 7, 11, 40, 41])
        for (a, b) in zip(few, many) { #expect(abs(a - b) < 1e-8) }
        let each = content.withoutEach()
        for row in [0, 9, 39] { #expect(try abs(each[row] - content.without([row])[0]) < 1e-8) }
    }

    /// It stands in for fitting again without them.
    @Test func leavingOutIsNearFittingAgain() throws {
        let made = made()
        var evidence = made.labels.map { $0 ? 3.0 : -3.0 }
        let content = try posterior(made, evidence: evidence)
        let out = [2, 5, 21]
        let quick = try content.without(out)
        for item in out { evidence[item] = 0 }
        let slow = try posterior(made, evidence: evidence).without(out)
        for (number, item) in out.enumerated() {
            let before = content.margins[item]
            #expect(abs(quick[number] - slow[number]) < 0.35 * abs(before - slow[number]) + 0.05)
        }
    }

    @Test func anItemWithoutEvidenceTeachesNothing() throws {
        let made = made(extra: 10)
        let evidence = made.labels.enumerated().map { $0.offset < 40 ? ($0.element ? 3.0 : -3.0) : 0 }
        let all = try posterior(made, evidence: evidence)
        let part = (features: Array(made.features.prefix(120)), labels: Array(made.labels.prefix(40)), rows: 40)
        let some = try posterior(part, evidence: Array(evidence.prefix(40)))
        for row in 0..<40 { #expect(abs(all.margins[row] - some.margins[row]) < 1e-9) }
    }
}

@Suite struct KindChainTests {
    /// By hand: two kinds, two votes, change 0 – Bayes' rule; the cavity leaves a vote's own word out.
    @Test func withoutChangeItIsBayes() {
        let chain = KindChain(emissions: [0.9, 0.5, 0.2, 0.5], shares: [0.5, 0.5], change: 0)
        let first = 0.5 * 0.9 * 0.2
        let second = 0.5 * 0.5 * 0.5
        #expect(abs(chain.logLikelihood - log(first + second)) < 1e-12)
        for vote in 0..<2 { #expect(abs(chain.posterior[2 * vote] - first / (first + second)) < 1e-12) }
        #expect(abs(chain.cavity[0] - 0.2 / 0.7) < 1e-12)
        #expect(abs(chain.cavity[2] - 0.9 / 1.4) < 1e-12)
    }

    /// Change 1 makes votes independent: each is judged by the shares and itself alone.
    @Test func withCertainChangeVotesAreStrangers() {
        let chain = KindChain(emissions: [0.9, 0.5, 0.2, 0.5], shares: [0.25, 0.75], change: 1)
        #expect(abs(chain.cavity[0] - 0.25) < 1e-12)
        #expect(abs(chain.cavity[2] - 0.25) < 1e-12)
        #expect(abs(chain.posterior[0] - 0.225 / (0.225 + 0.375)) < 1e-12)
    }

    /// Against the sum over all paths.
    @Test func agreesWithEveryPath() {
        let emissions = [0.9, 0.3, 0.8, 0.4, 0.1, 0.6, 0.2, 0.7]
        let (shares, change) = ([0.7, 0.3], 0.2)
        let chain = KindChain(emissions: emissions, shares: shares, change: change)
        var total = 0.0
        var inFirst = [Double](repeating: 0, count: 4)
        for path in 0..<16 {
            let states = (0..<4).map { path >> $0 & 1 }
            var weight = shares[states[0]] * emissions[states[0]]
            for vote in 1..<4 {
                let stay = states[vote] == states[vote - 1] ? 1 - change : 0
                weight *= (stay + change * shares[states[vote]]) * emissions[2 * vote + states[vote]]
            }
            total += weight
            for vote in 0..<4 where states[vote] == 0 { inFirst[vote] += weight }
        }
        #expect(abs(chain.logLikelihood - log(total)) < 1e-12)
        for vote in 0..<4 { #expect(abs(chain.posterior[2 * vote] - inFirst[vote] / total) < 1e-12) }
    }
}
