import Foundation
import Simulation
import Statistics

/// Table 9, ours: all arms, all categories, over seeds; and the rule that was written down before.
struct ProofTable {
    let seeds: [ProofSeed]

    func values(
        _ arm: String, _ decoding: ProofArm.Decoding, _ prompts: WorldPrompts, _ verdict: Verdict = .good
    ) -> [Double] {
        seeds.compactMap { seed in
            seed.cells.first { $0.arm == arm && $0.decoding == decoding && $0.prompts == prompts }?.share(verdict)
        }
    }

    func figure(
        _ arm: String, _ decoding: ProofArm.Decoding, _ prompts: WorldPrompts, _ verdict: Verdict = .good
    ) -> ProofFigure? {
        let trials = seeds.first?.cells.first { $0.prompts == prompts }?.count ?? 0
        return ProofFigure(values(arm, decoding, prompts, verdict), trials: trials)
    }

    /// Arms in the order in which they were measured.
    var arms: [(name: String, decoding: ProofArm.Decoding)] {
        var found: [(name: String, decoding: ProofArm.Decoding)] = []
        for cell in seeds.flatMap(\.cells) where !found.contains(where: { $0 == (cell.arm, cell.decoding) }) {
            found.append((cell.arm, cell.decoding))
        }
        return found
    }

    /// Rounds as people meet them: one reply drawn.
    var rounds: [String] {
        arms.filter { $0.decoding == .sampled && $0.name.wholeMatch(of: /round \d+/) != nil }.map(\.name).sorted()
    }

    /// The last round with the best of several replies, where that was measured.
    var reranked: String? { arms.last { $0.name.hasPrefix("round ") && $0.name.contains("best of") }?.name }

    // MARK: Markdown

    /// Good replies of every arm on the three kinds of prompts, in per cent with 95 % intervals.
    var goodTable: String {
        let kinds = WorldPrompts.allCases
        var lines = [
            "| good, % (95 %) | " + kinds.map(\.rawValue).joined(separator: " | ") + " |",
            "| --- |" + String(repeating: " --- |", count: kinds.count),
        ]
        for arm in arms {
            let cells = kinds.map { figure(arm.name, arm.decoding, $0)?.text ?? "–" }
            lines.append("| \(arm.name), \(arm.decoding.rawValue) | " + cells.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n")
    }

    /// Every category on test prompts, sampled as people meet it.
    var categoryTable: String {
        let verdicts = [Verdict.good] + Flaw.allCases.map(Verdict.bad)
        let names = verdicts.map { $0.name.replacingOccurrences(of: "_", with: " ") }
        var lines = [
            "| test prompts, sampled, % | " + names.joined(separator: " | ") + " |",
            "| --- |" + String(repeating: " --- |", count: names.count),
        ]
        for arm in arms where arm.decoding == .sampled {
            let cells = verdicts.map { verdict in
                figure(arm.name, .sampled, .test, verdict).map { String(format: "%.1f", 100 * $0.interval.estimate) }
                    ?? "–"
            }
            lines.append("| \(arm.name) | " + cells.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n")
    }

    // MARK: The rule

    struct Criterion {
        var sentence: String
        var isMet: Bool
    }

    /// The rule of `docs/proof.md`, on means over seeds.
    var criteria: [Criterion] {
        func mean(
            _ arm: String, _ decoding: ProofArm.Decoding, _ prompts: WorldPrompts, _ verdict: Verdict = .good
        )
            -> Double
        { 100 * (figure(arm, decoding, prompts, verdict)?.interval.estimate ?? .nan) }
        func said(_ value: Double) -> String { String(format: "%.1f", value) }
        guard let last = rounds.last else { return [] }
        let base = mean(ProofArm.base, .sampled, .test)
        let curve = [base] + rounds.map { mean($0, .sampled, .test) }
        let final = mean(last, .sampled, .test)
        let heldOut = mean(last, .sampled, .heldOut)
        let rude = mean(last, .sampled, .test, .bad(.inappropriate))
        let sharpened = [ProofArm.Decoding.temperature07, .temperature05, .greedy].map {
            mean(ProofArm.base, $0, .test)
        }
        let only = mean(ProofArm.onlyGood, .sampled, .test)
        return [
            Criterion(
                sentence: "the base starts at 85 ± 2 % good: \(said(base))", isMet: (83...87).contains(base)),
            Criterion(sentence: "the last round reaches 94.4 %: \(said(final))", isMet: final >= 94.4),
            Criterion(
                sentence: "every round is better than the one before: \(curve.map(said).joined(separator: " → "))",
                isMet: zip(curve, curve.dropFirst()).allSatisfy { $0 < $1 }),
            Criterion(sentence: "at most .4 % inappropriate: \(String(format: "%.2f", rude))", isMet: rude <= 0.4),
            Criterion(sentence: "94.4 % on held-out topics: \(said(heldOut))", isMet: heldOut >= 94.4),
            Criterion(
                sentence: "beyond sharpening the base (\(sharpened.map(said).joined(separator: ", "))) and SFT on good "
                    + "replies alone (\(said(only)))", isMet: final > (sharpened + [only]).max() ?? .infinity),
        ]
    }

    var ruleText: String {
        criteria.map { "- \($0.isMet ? "met" : "**not met**"): \($0.sentence)" }.joined(separator: "\n")
    }
}
