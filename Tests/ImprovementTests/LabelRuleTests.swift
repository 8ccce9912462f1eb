import Conversations
import Foundation
import Statistics
import Testing

@testable import Improvement
@testable import Training

@Suite("What a reply is learnt as")
struct LabelRuleTests {
    private let rule = LabelRule(settings: .init())

    private func vote(_ isUp: Bool, posterior: Double, weight: Double = 0.9) -> WeighedVote {
        WeighedVote(item: "c/1", user: "u", part: .learn, isUp: isUp, weight: weight, probability: posterior)
    }

    @Test("A trusted vote and the reward model make one probability")
    func votes() {
        // Even before the vote: what is left is the trust in it.
        let unsure = LabelRule.Verdict(good: 0.5, rude: -1)
        #expect(rule.outcome(isUp: true, vote: vote(true, posterior: 0.8), verdict: unsure).isGood(0.9))
        #expect(rule.outcome(isUp: false, vote: vote(false, posterior: 0.2), verdict: unsure).isBad(0.9))
        let other = LabelRule.Outcome.dropped("vote and content disagree")
        #expect(rule.outcome(isUp: true, vote: vote(true, posterior: 0.4), verdict: unsure) == other)
        #expect(rule.outcome(isUp: false, vote: vote(false, posterior: 0.6), verdict: unsure) == other)
        // .6 is 3 to 2, a vote that is right seven times in ten 7 to 3: 7 to 2 together, which is not sure.
        let weak = vote(true, posterior: 0.8, weight: 0.7)
        #expect(abs(LabelRule.posterior(0.6, isUp: true, trust: 0.7) - 7.0 / 9) < 1e-9)
        #expect(
            rule.outcome(isUp: true, vote: weak, verdict: .init(good: 0.6, rude: -1))
                == .dropped("vote and reward model together are not sure"))
        #expect(rule.outcome(isUp: true, vote: weak, verdict: .init(good: 0.75, rude: -1)).isGood(7.0 / 8))
        // No vote is beyond doubt.
        #expect(abs(LabelRule.posterior(0.5, isUp: true, trust: 1) - 0.9) < 1e-9)
        #expect(LabelRule.posterior(0, isUp: true, trust: 1) == 0)
    }

    @Test("A vote is left out where the reward model says the opposite, and overruled where it is surer than the vote")
    func confidence() {
        let sure = LabelRule.Outcome.dropped("the reward model says the opposite")
        let bad = LabelRule.Verdict(good: 0.49, rude: -1)
        let good = LabelRule.Verdict(good: 0.81, rude: -1)
        #expect(rule.outcome(isUp: true, vote: vote(true, posterior: 0.8), verdict: bad) == sure)
        let together = LabelRule.Outcome.dropped("vote and reward model together are not sure")
        #expect(rule.outcome(isUp: false, vote: vote(false, posterior: 0.2), verdict: good) == together)
        #expect(rule.outcome(isUp: true, vote: vote(true, posterior: 0.8), verdict: good).isGood(0.9746))
        // 1 to 99 against 7 to 3.
        let weak = vote(true, posterior: 0.8, weight: 0.7)
        #expect(rule.outcome(isUp: true, vote: weak, verdict: .init(good: 0.01, rude: -1)).isBad(0.977))
    }

    @Test("Where votes alone are learnt from, the reward model contradicts none of them")
    func votesAlone() {
        var settings = ImproveConfiguration.LabelSettings()
        settings.votesAlone = true
        let rule = LabelRule(settings: settings)
        let rude = LabelRule.Verdict(good: 0.1, rude: 9)
        #expect(rule.outcome(isUp: true, vote: vote(true, posterior: 0.8), verdict: rude) == .good(weight: 0.9))
        let good = LabelRule.Verdict(good: 0.99, rude: -1)
        #expect(rule.outcome(isUp: false, vote: vote(false, posterior: 0.2), verdict: good) == .bad(weight: 0.9))
    }

    @Test("Without a vote the reward model decides where it is sure")
    func unvoted() {
        #expect(rule.outcome(verdict: .init(good: 0.9, rude: -1)).isGood(0.9))
        #expect(rule.outcome(verdict: .init(good: 0.15, rude: -1)).isBad(0.85))
        let unsure = LabelRule.Outcome.dropped("neither surely good nor surely bad")
        #expect(rule.outcome(verdict: .init(good: 0.8, rude: -1)) == unsure)
        #expect(rule.outcome(verdict: .init(good: 0.3, rude: -1)) == unsure)
    }

    @Test("What people would call rude is not learnt as good, whoever likes it, and is bad where they surely would")
    func rude() {
        let refused = LabelRule.Outcome.dropped("liked, but like what people call rude")
        let like = vote(true, posterior: 0.8)
        // Rude, but not surely so: not good, and not bad for that alone.
        #expect(rule.outcome(isUp: true, vote: like, verdict: .init(good: 0.7, rude: 0.1)) == refused)
        #expect(rule.outcome(verdict: .init(good: 0.9, rude: 0.1)) == refused)
        #expect(rule.outcome(verdict: .init(good: 0.1, rude: 0.1)).isBad(0.9))
        #expect(rule.outcome(verdict: .init(good: 0.9, rude: -0.1)).isGood(0.9))
        // Surely so: bad where the rest does not speak for it.
        #expect(rule.outcome(isUp: true, vote: like, verdict: .init(good: 0.45, rude: 0.6)).isBad(0.9))
        #expect(rule.outcome(verdict: .init(good: 0.45, rude: 0.6)).isBad(0.9))
        #expect(rule.outcome(verdict: .init(good: 0.9, rude: 0.6)) == refused)
        #expect(rule.outcome(verdict: .init(good: 0.05, rude: 0.6)).isBad(0.95))
        // After an insult that is enough.
        #expect(rule.cautious(0.9, .init(good: 0.9, rude: 0.6), isProvoked: true) == 0.1)
        #expect(rule.cautious(0.9, .init(good: 0.9, rude: 0.1), isProvoked: true) == 0.5)
    }

    @Test("Settings of runs from before the rule read as they did, without it")
    func older() throws {
        let old = #"""
            {"good_above":0.8,"bad_below":0.35,"trusted_from":0.5,"most_labelled":1,"generations":1,"copies":2}
            """#
        let settings = try JSONDecoder().decode(
            ImproveConfiguration.LabelSettings.self, from: Data(old.utf8))
        let rule = LabelRule(settings: settings)
        #expect(rule.outcome(verdict: .init(good: 0.9, rude: 9)) == .good(weight: 0.9))
    }

    @Test("Replies that nobody voted on are of a population of their own")
    func population() throws {
        let readings = [Double](repeating: 0.8, count: 74) + [Double](repeating: 0.2, count: 26)
        let population = Population(readings, of: try Self.model(goodShare: 0.5))
        #expect(abs(population.probability(0.2) - 9.0 / 13) < 1e-4)
        #expect(population.figures("of those without a vote").map(\.value) == ["90.0 %"])
        // Too few to tell, or a model that does not know of what share it learnt.
        #expect(Population([0.8, 0.2], of: try Self.model(goodShare: 0.5)).probability(0.2) == 0.2)
        let unknown = Population(readings, of: try Self.model(goodShare: nil))
        #expect(unknown.probability(0.2) == 0.2)
        #expect(unknown.figures("of those without a vote").isEmpty)
    }

    @Test("Replies to label are drawn among all, the same ones each time, in the log's order")
    func drawn() {
        var configuration = ImproveConfiguration(logs: [], format: "loam", store: "", model: "", encoder: "")
        configuration.labels.mostLabelled = 100
        let stage = LabelStage(configuration: configuration) { throw CancellationError() }
        let drawn = stage.drawn(Array(0..<1_000))
        #expect(drawn.count == 100)
        #expect(drawn == Array(Set(drawn)).sorted())
        #expect(drawn.count { $0 < 500 } > 25 && drawn.count { $0 >= 500 } > 25)
        #expect(stage.drawn(Array(0..<1_000)) == drawn)
        #expect(stage.drawn([3, 1, 2]) == [3, 1, 2])
    }

    /// A reward model that knows this figure and nothing else.
    private static func model(goodShare: Double?) throws -> RewardModel {
        let head = try LogisticRegression(
            Matrix(column: [0, 1, 2, 3]), labels: [0, 1, 0, 1], weights: [1, 1, 1, 1],
            options: .init(l2: 1, standardise: true, tolerance: 1e-4))
        return RewardModel(
            features: RewardFeatures(contextTurns: 1, dimension: 1, extraCount: 0), encoder: "none", head: head, l2: 1,
            slope: 1, offset: 0, reasons: [],
            training: .init(
                examples: 100, good: 50, people: 10, goodShare: goodShare, outOfFoldAUC: 0.9, losses: [:], seed: 0))
    }
}

extension LabelRule.Outcome {
    fileprivate func isGood(_ weight: Double) -> Bool {
        if case .good(let own) = self { abs(own - weight) < 1e-3 } else { false }
    }

    fileprivate func isBad(_ weight: Double) -> Bool {
        if case .bad(let own) = self { abs(own - weight) < 1e-3 } else { false }
    }
}
