import Evaluation
import Foundation
import Statistics
import Testing

@Suite struct PromotionGateTests {
    func verdict(_ base: ArmResult, _ candidate: ArmResult, rule: GateRule = GateRule()) throws -> GateVerdict {
        let table = try ComparisonTable([base, candidate], base: base.name, bootstrap: Bootstrap(replicates: 400))
        return try PromotionGate(rule: rule).judge(table, candidate: candidate.name)
    }

    func failed(_ verdict: GateVerdict) -> [String] { verdict.criteria.filter { !$0.passed }.map(\.name) }

    @Test func aBetterModelPasses() throws {
        let verdict = try verdict(Examples.arm("base", good: 0.6), Examples.arm("new", good: 0.85, seed: 2))
        #expect(verdict.passed)
        #expect(
            verdict.criteria.map(\.name) == ["evidence", "quality", "safety", "coherence", "variety", "repetition"])
        #expect(verdict.summary == "“new” may replace “base”: it meets all 6 criteria.")
        let quality = verdict.criteria[1]
        #expect((quality.figures["lower"] ?? 0) > 0)
        #expect(quality.sentence.contains("wholly above"))
        #expect(verdict.criteria[2].sentence.contains("can miss a rate up to"))
        #expect(verdict.text.split(separator: "\n").count == 7)
    }

    @Test func theSameModelDoesNotPass() throws {
        let base = try Examples.arm("base", good: 0.6)
        var twin = base
        twin.name = "twin"
        #expect(try failed(verdict(base, twin)) == ["quality"])
    }

    /// A gain that chance could have made is none.
    @Test func aSmallGainIsNotEnough() throws {
        let verdict = try verdict(Examples.arm("base", good: 0.6), Examples.arm("new", good: 0.63, seed: 4))
        #expect(failed(verdict) == ["quality"])
        #expect(verdict.summary.contains("fails on quality"))
    }

    @Test func eachCriterionCanFailAlone() throws {
        let base = try Examples.arm("base", good: 0.5)
        #expect(try failed(verdict(base, Examples.arm("rude", good: 0.9, unsafe: 0.06, seed: 2))) == ["safety"])
        #expect(try failed(verdict(base, Examples.arm("odd", good: 0.9, coherence: -2.5, seed: 2))) == ["coherence"])
        #expect(
            try failed(verdict(base, Examples.arm("dull", good: 0.9, reply: { "yes I do \($0 % 3)" }, seed: 2)))
                == ["variety"])
        let parrot = try Examples.arm(
            "parrot", good: 0.9,
            reply: { $0 % 10 == 0 ? "a quiet day at the lake" : Examples.words[$0 % 5] + " \($0)" }, seed: 2)
        #expect(try failed(verdict(base, parrot)) == ["repetition"])
        let (few, fewer) = try (
            Examples.arm("base", good: 0.2, prompts: 60), Examples.arm("new", good: 0.95, prompts: 60, seed: 2)
        )
        #expect(try failed(verdict(few, fewer)) == ["evidence"])
        // Enough prompts of too few people: an interval that draws fifteen of them means little.
        let crowded = try verdict(few, fewer, rule: GateRule(minimumPrompts: 60))
        #expect(failed(crowded) == ["evidence"] && crowded.criteria[0].sentence.contains("15 people"))
        #expect(try verdict(few, fewer, rule: GateRule(minimumPrompts: 60, minimumPeople: 15)).passed)
        // A rule from before it asked for people.
        let old = try verdict(few, fewer, rule: GateRule(minimumPrompts: 60, minimumPeople: nil))
        #expect(old.passed && !old.criteria[0].sentence.contains("people"))
    }

    @Test(
        "odd replies fail the gate although they are likely on the whole, and an unlikely whole fails it without an odd reply"
    )
    func oddReplies() throws {
        let base = try Examples.arm("base", good: 0.5, oddBelow: -2.25)
        // e^−2.2 to e^−2 is 1.22 times: within the limit.
        let plain = try Examples.arm("new", good: 0.9, coherence: -2.2, oddBelow: -2.25, seed: 2)
        #expect(plain.odd == 0)
        #expect(try verdict(base, plain).passed)
        let odd = try Examples.arm("new", good: 0.9, coherence: -2.3, oddBelow: -2.25, seed: 2)
        #expect(odd.odd == 1)
        let failure = try verdict(base, odd)
        #expect(failed(failure) == ["coherence"])
        #expect((failure.criteria[3].figures["ratio"] ?? 9) < 1.5)
        let unlikely = try Examples.arm("new", good: 0.9, coherence: -2.5, oddBelow: -2.6, seed: 2)
        #expect(unlikely.odd == 0)
        #expect(try failed(verdict(base, unlikely)) == ["coherence"])
    }

    @Test("an arm that falls silent is odd, not ordinary")
    func silenceIsOdd() throws {
        func judged(_ coherence: Double?) -> ArmResult.Judged {
            ArmResult.Judged(
                cluster: "one", sample: .init(reply: coherence == nil ? "" : "a word", earlier: []), good: 1,
                isUnsafe: false, coherence: coherence)
        }
        let replies = [judged(-1), judged(-3), judged(nil), judged(-Double.infinity)]
        let arm = try ArmResult(
            name: "new", isModel: true, replies: replies, oddBelow: -2, bootstrap: Bootstrap(replicates: 20))
        // One is below the limit, one has no word, one cannot be: three of four.
        #expect(arm.odd == 0.75)
        // The mean is over what has a likelihood: −1 and −3.
        #expect(abs((arm.coherencePerplexity ?? 0) - exp(2)) < 1e-12)
        let unmeasured = try ArmResult(
            name: "new", isModel: true, replies: [judged(nil)], oddBelow: -2, bootstrap: Bootstrap(replicates: 20))
        #expect(unmeasured.odd == nil && unmeasured.coherencePerplexity == nil)
    }

    @Test func whatWasNotMeasuredIsNotMet() throws {
        var candidate = try Examples.arm("new", good: 0.9, seed: 2)
        candidate.coherencePerplexity = nil
        let verdict = try verdict(Examples.arm("base", good: 0.5), candidate)
        #expect(failed(verdict) == ["coherence"])
        #expect(verdict.criteria[3].sentence.contains("not measured"))
    }

    @Test func pairingAndPeopleDecideTheInterval() throws {
        let base = try Examples.arm("base", good: 0.5, prompts: 400)
        // The same verdicts but for every tenth person, all of whose prompts become good.
        var candidate = base
        candidate.name = "new"
        candidate.goodByPrompt = base.goodByPrompt.enumerated().map { ($0 / 4) % 10 == 0 ? 1 : $1 }
        let row = try #require(
            ComparisonTable([base, candidate], base: "base", bootstrap: Bootstrap(replicates: 2000))["new"])
        let interval = try #require(row.goodDifference)
        let gain = zip(base.goodByPrompt, candidate.goodByPrompt).reduce(0) { $0 + $1.1 - $1.0 } / 400
        #expect(abs(interval.estimate - gain) < 1e-12)
        // Unpaired, the difference would have a half-width of 1.96 √(2 · ¼ / 400) = .069.
        #expect(interval.halfWidth < 0.05)
        let unclustered = try Bootstrap().pairedDifference(base.goodByPrompt, candidate.goodByPrompt)
        #expect(interval.halfWidth > 1.2 * unclustered.halfWidth)
    }

    @Test func tablesNameWhatIsWrong() throws {
        let base = try Examples.arm("base", good: 0.5)
        let other = try Examples.arm("new", good: 0.5, prompts: 100)
        #expect {
            try ComparisonTable([base, other], base: "base")
        } throws: {
            "\($0)".contains("“new” answered other prompts (100) than “base” (200)")
        }
        #expect(throws: EvaluationError.self) { try ComparisonTable([base], base: "missing") }
        #expect(throws: EvaluationError.self) { try ComparisonTable([base, base], base: "base") }
        let table = try ComparisonTable([base], base: "base")
        #expect(throws: EvaluationError.self) { try PromotionGate().judge(table, candidate: "base") }
        #expect(throws: EvaluationError.self) { try PromotionGate().judge(table, candidate: "missing") }
        #expect(throws: EvaluationError.self) { try ArmResult(name: "none", isModel: true, replies: []) }
    }

    @Test func ruleAndVerdictSurviveJSON() throws {
        let rule = GateRule(maximumUnsafeIncrease: 0.005)
        let data = try JSONEncoder().encode(rule)
        #expect(try JSONDecoder().decode(GateRule.self, from: data) == rule)
        #expect(try #require(String(data: data, encoding: .utf8)).contains("\"maximum_unsafe_increase\":0.005"))
        // Runs from before the rule asked for people still read.
        var old = rule
        old.minimumPeople = nil
        let kept = try JSONEncoder().encode(old)
        #expect(!String(decoding: kept, as: UTF8.self).contains("minimum_people"))
        #expect(try JSONDecoder().decode(GateRule.self, from: kept).minimumPeople == nil)
    }

    @Test func sharesOfNothingKeepAWidth() throws {
        let arm = try Examples.arm("base", good: 1)
        // 50 people: the upper bound of 0 of 50.
        #expect(arm.unsafe.estimate == 0 && abs(arm.unsafe.upper - 0.0713) < 1e-3)
        #expect(arm.good.lower < 1)
        #expect(arm.coherencePerplexity.map { abs($0 - exp(2)) < 1e-9 } == true)
        #expect(try Examples.arm("base", good: 0.5).sortedReasons.map(\.reason) == ["nonsensical", "off_topic"])
    }

    @Test func theTextTableLinesUp() throws {
        let table = try ComparisonTable(
            [Examples.arm("base", good: 0.6), Examples.arm("a longer name", good: 0.8, seed: 2)], base: "base",
            bootstrap: Bootstrap(replicates: 200))
        let lines = table.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0].hasPrefix("arm"))
        #expect(lines[1].allSatisfy { $0 == "─" } && lines[1].count == lines[0].count)
        #expect(lines[3].hasPrefix("a longer name") && lines[3].count == lines[0].count)
        #expect(table.text.contains("200 prompts of 50 people"))
        #expect(table.text.contains("nonsensical"))
        #expect(TextTable(header: ["a", "bb"], rows: [["ccc", "d"], ["e"]]).text == "a    bb\n───────\nccc   d\ne")
    }
}
