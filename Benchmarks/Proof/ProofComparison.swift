import Foundation
import Simulation

/// What runs of several variants came to, a row each: of trust, of losses, of what feedback was given.
struct ProofComparison {
    /// Variants in the order of the files, each with its seeds.
    let variants: [(name: String, table: ProofTable)]

    init(_ seeds: [ProofSeed]) {
        var names: [String] = []
        for seed in seeds where !names.contains(seed.variant ?? "") { names.append(seed.variant ?? "") }
        variants = names.map { name in (name, ProofTable(seeds: seeds.filter { ($0.variant ?? "") == name })) }
    }

    /// Good replies as people meet them, in per cent with 95 % intervals, and the last round's rude ones.
    var markdown: String {
        var lines = [
            "| good, % (95 %) | seeds | base, test | SFT on good, test | last round, test | last round, held-out topics "
                + "| last round, best of several, test | last round, inappropriate, test |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for (name, table) in variants {
            guard let last = table.rounds.last else { continue }
            func cell(_ arm: String?, _ prompts: WorldPrompts, _ verdict: Verdict = .good) -> String {
                arm.flatMap { table.figure($0, .sampled, prompts, verdict)?.text } ?? "–"
            }
            let cells = [
                name, "\(table.seeds.count)", cell(ProofArm.base, .test), cell(ProofArm.onlyGood, .test),
                cell(last, .test), cell(last, .heldOut), cell(table.reranked, .test),
                cell(last, .test, .bad(.inappropriate)),
            ]
            lines.append("| " + cells.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n")
    }
}
