import Conversations
import Evaluation
import Foundation
import Simulation
import Statistics

/// BB3x's Table 9 (arXiv 2306.04707) in the world of the simulation, on the prompts of docs/proof.md: how many of a model's replies
/// an exact judge calls good, and what is wrong with the others. It tells of models that talk about that world; what people think of a
/// model that talks about ours, raters say (`loam annotate`).
struct TableNine: Encodable {
    struct Row: Encodable {
        var model: String
        var decoding: String
        var prompts: WorldPrompts
        var verdicts: VerdictCounts
    }

    var rows: [Row] = []

    /// A model with a way of drawing its replies.
    struct Arm {
        var name: String
        var generator: any TextGenerator
        var sampling: Sampling
    }

    /// Lets each arm answer prompts about what logs speak of, and about what none does: as it draws, and greedily, so that a lower
    /// temperature is not mistaken for learning.
    /// - Parameters:
    ///   - count: Prompts of each kind.
    ///   - say: Told each row.
    init(_ arms: [Arm], count: Int, say: (String) -> Void) async throws {
        let world = try World()
        let judge = WorldJudge(world)
        let prompts = [WorldPrompts.test, .heldOut].map { ($0, $0.histories(of: world, count: count)) }
        for arm in arms {
            var greedy = arm.sampling
            greedy.temperature = 0
            for (decoding, sampling) in [("drawn", arm.sampling), ("greedy", greedy)]
            where decoding == "greedy" || sampling.temperature > 0 {
                for (kind, histories) in prompts {
                    let replies = try await arm.generator.replies(to: histories, sampling: sampling).map(\.text)
                    let verdicts = judge.counts(of: replies, after: histories)
                    rows.append(Row(model: arm.name, decoding: decoding, prompts: kind, verdicts: verdicts))
                    say(
                        "\(arm.name), \(decoding), \(kind.rawValue): \(verdicts.count(.good)) of \(verdicts.total) good"
                    )
                }
            }
        }
    }

    /// Shares in per cent, the good ones with Wilson's 95 % interval.
    var text: String {
        func percent(_ share: Double) -> String { String(format: "%.1f", 100 * share) }
        let flaws = Flaw.allCases.map { $0.rawValue.replacingOccurrences(of: "_", with: " ") }
        let lines = rows.map { row in
            let good = Proportion.wilson(
                successes: Double(row.verdicts.count(.good)), trials: Double(row.verdicts.total))
            return ["\(row.model), \(row.decoding), \(row.prompts.rawValue)", "\(row.verdicts.total)"]
                + ["\(percent(good.estimate)) (\(percent(good.lower))–\(percent(good.upper)))"]
                + Flaw.allCases.map { percent(row.verdicts.share(.bad($0))) }
        }
        return TextTable(header: ["%", "replies", "good (95 %)"] + flaws, rows: lines).text
    }
}
