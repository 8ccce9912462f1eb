import Evaluation
import Foundation
import Statistics

/// Whether the chosen round's model may replace the base, by the rule that the run's settings fixed before it began.
struct GateStage: Stage {
    let name = "gate"
    let configuration: ImproveConfiguration

    var settings: [String: String] { ["rule": "\(configuration.gate)"] }

    func run(_ work: StageWork) async throws -> StageOutcome {
        let arms = try RunFolder.read([ArmResult].self, from: work.file("arms.json", of: "evaluate"))
        let table = try ComparisonTable(
            arms, base: "base",
            bootstrap: Bootstrap(replicates: configuration.evaluation.bootstraps, seed: configuration.seed))
        let verdict = try PromotionGate(rule: configuration.gate).judge(
            table, candidate: "round \(work.chosenRound())")
        try RunFolder.write(table, to: work.own("table.json"))
        try RunFolder.write(verdict, to: work.own("verdict.json"))
        return StageOutcome(
            unit: "criteria", cameIn: verdict.criteria.count, wentOut: verdict.criteria.count { $0.passed },
            dropped: Dictionary(
                verdict.criteria.filter { !$0.passed }.map { ("not met: \($0.name)", 1) }, uniquingKeysWith: +),
            figures: [.init("verdict", verdict.passed ? "promote" : "keep the base")])
    }
}
