import Foundation
import Torch

/// `proof-bench measure RUN FILE SEED [VARIANT] [--prompts N] [--brief]`: the exact judge on every arm of a finished run of the
/// loop, with `--replies` every reply and its verdict too, with `--best-of N` base and last round reranked by the run's reward model;
/// `proof-bench table FILE… [--plot SVG]`: all seeds together, as Markdown; `proof-bench compare FILE…`: a row for each variant of the recipe; `proof-bench labels RUN`: how often a run's labels are right; `proof-bench teacher`: where a perfect
/// pupil of the world's own bot starts. `Benchmarks/proof` runs them.
@main
struct ProofBench {
    static func main() async throws {
        var arguments = Array(CommandLine.arguments.dropFirst())
        func option(_ name: String) -> String? {
            guard let at = arguments.firstIndex(of: name), at + 1 < arguments.count else { return nil }
            defer { arguments.removeSubrange(at...at + 1) }
            return arguments[at + 1]
        }
        let prompts = option("--prompts").flatMap(Int.init) ?? 500
        let plot = option("--plot")
        let replies = option("--replies")
        let draws = option("--best-of").flatMap(Int.init) ?? 1
        let isBrief = arguments.contains("--brief")
        arguments.removeAll { $0 == "--brief" }
        do {
            switch arguments.first {
            case "measure" where (4...5).contains(arguments.count):
                guard let seed = UInt64(arguments[3]) else {
                    throw ProofError(description: "\(arguments[3]) is no seed")
                }
                try Engine.setThreadCount(2)
                try await ProofMeasurement(
                    run: URL(filePath: arguments[1]), file: URL(filePath: arguments[2]), seed: seed,
                    variant: arguments.count == 5 ? arguments[4] : nil, count: prompts, isBrief: isBrief, draws: draws,
                    replies: replies.map { URL(filePath: $0) },
                    say: { FileHandle.standardError.write(Data(($0 + "\n").utf8)) }
                ).measure()
            case "labels" where arguments.count == 2:
                print(try LabelTruth(run: URL(filePath: arguments[1])).lines().joined(separator: "\n"))
            case "teacher" where arguments.count == 1:
                print(
                    try await TeacherFigures(count: prompts).lines(scales: [1, 0.9, 0.8, 0.7, 0])
                        .joined(separator: "\n"))
            case "table" where arguments.count > 1:
                let seeds = try arguments.dropFirst().map {
                    try JSONDecoder().decode(ProofSeed.self, from: Data(contentsOf: URL(filePath: $0)))
                }
                let table = ProofTable(seeds: seeds)
                print(
                    "\(seeds.count) seeds, \(seeds.first?.cells.first?.count ?? 0) prompts of each kind\n",
                    table.goodTable, "", table.categoryTable, "", table.ruleText, separator: "\n")
                if let plot {
                    try Data(ProofPlot(table).svg.utf8).write(to: URL(filePath: plot), options: .atomic)
                }
            case "compare" where arguments.count > 1:
                let seeds = try arguments.dropFirst().map {
                    try JSONDecoder().decode(ProofSeed.self, from: Data(contentsOf: URL(filePath: $0)))
                }
                print(ProofComparison(seeds).markdown)
            default:
                print(
                    "usage: proof-bench measure RUN FILE SEED [VARIANT] [--prompts N] [--brief] [--best-of N] [--replies FILE] | labels RUN | teacher | table FILE… [--plot SVG] | compare FILE…"
                )
                exit(2)
            }
        } catch let error as ProofError {
            FileHandle.standardError.write(Data("proof-bench: \(error)\n".utf8))
            exit(1)
        }
    }
}
