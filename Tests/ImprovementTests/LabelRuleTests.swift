import Foundation
import Testing

@testable import Improvement

@Suite("What a reply is learnt as")
struct LabelRuleTests {
    private let rule = LabelRule(settings: .init())

    private func vote(_ isUp: Bool, posterior: Double, weight: Double = 0.9) -> WeighedVote {
        WeighedVote(item: "c/1", user: "u", part: .learn, isUp: isUp, weight: weight, probability: posterior)
    }

    @Test("A trusted vote counts with its weight where posterior and reward model do not contradict it")
    func votes() {
        let unsure = LabelRule.Verdict(good: 0.5, rude: 0.1)
        #expect(rule.outcome(isUp: true, vote: vote(true, posterior: 0.8), verdict: unsure) == .good(weight: 0.9))
        #expect(rule.outcome(isUp: false, vote: vote(false, posterior: 0.2), verdict: unsure) == .bad(weight: 0.9))
        let other = LabelRule.Outcome.dropped("vote and content disagree")
        #expect(rule.outcome(isUp: true, vote: vote(true, posterior: 0.4), verdict: unsure) == other)
        #expect(rule.outcome(isUp: false, vote: vote(false, posterior: 0.6), verdict: unsure) == other)
    }

    @Test("A vote is left out where the reward model says the opposite")
    func confidence() {
        let sure = LabelRule.Outcome.dropped("the reward model says the opposite")
        let bad = LabelRule.Verdict(good: 0.49, rude: 0)
        let good = LabelRule.Verdict(good: 0.81, rude: 0)
        #expect(rule.outcome(isUp: true, vote: vote(true, posterior: 0.8), verdict: bad) == sure)
        #expect(rule.outcome(isUp: false, vote: vote(false, posterior: 0.2), verdict: good) == sure)
        #expect(rule.outcome(isUp: true, vote: vote(true, posterior: 0.8), verdict: good) == .good(weight: 0.9))
    }

    @Test("Where votes alone are learnt from, the reward model contradicts none of them")
    func votesAlone() {
        var settings = ImproveConfiguration.LabelSettings()
        settings.votesAlone = true
        let rule = LabelRule(settings: settings)
        let rude = LabelRule.Verdict(good: 0.1, rude: 0.9)
        #expect(rule.outcome(isUp: true, vote: vote(true, posterior: 0.8), verdict: rude) == .good(weight: 0.9))
        let good = LabelRule.Verdict(good: 0.99, rude: 0)
        #expect(rule.outcome(isUp: false, vote: vote(false, posterior: 0.2), verdict: good) == .bad(weight: 0.9))
    }

    @Test("Without a vote the reward model decides where it is sure")
    func unvoted() {
        #expect(rule.outcome(verdict: .init(good: 0.9, rude: 0)) == .good(weight: 0.9))
        #expect(rule.outcome(verdict: .init(good: 0.25, rude: 0)) == .bad(weight: 0.75))
        #expect(
            rule.outcome(verdict: .init(good: 0.8, rude: 0)) == .dropped("neither surely good nor surely bad"))
    }

    @Test("What people would call rude is not learnt as good, and still learnt as bad")
    func rude() {
        let verdict = LabelRule.Verdict(good: 0.7, rude: 0.6)
        let refused = LabelRule.Outcome.dropped("liked, but like what people call rude")
        #expect(rule.outcome(isUp: true, vote: vote(true, posterior: 0.8), verdict: verdict) == refused)
        #expect(rule.outcome(isUp: false, vote: vote(false, posterior: 0.2), verdict: verdict) == .bad(weight: 0.9))
        #expect(rule.outcome(verdict: .init(good: 0.9, rude: 0.6)) == refused)
    }

    @Test("Settings of runs from before the rule read as they did, without it")
    func older() throws {
        let old = #"""
            {"good_above":0.8,"bad_below":0.35,"trusted_from":0.5,"most_labelled":1,"generations":1,"copies":2}
            """#
        let settings = try JSONDecoder().decode(
            ImproveConfiguration.LabelSettings.self, from: Data(old.utf8))
        let rule = LabelRule(settings: settings)
        #expect(rule.outcome(verdict: .init(good: 0.9, rude: 0.6)) == .good(weight: 0.9))
    }
}
