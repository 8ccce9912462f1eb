import Conversations
import Foundation
import Simulation

/// How often the labels that a run trained on are right, by the exact judge, and which flaws they are of: what a round learns can be no
/// better.
struct LabelTruth: Sendable {
    let run: URL

    /// What is read of an example.
    private struct Labelled: Decodable {
        var context: [Turn]
        var reply: String
        var label: String
    }

    /// A line for the log's labels and one for what each round drew and labelled.
    /// - Throws: `ProofError` where the folder has no labels.
    func lines() throws -> [String] {
        let judge = WorldJudge(try World())
        let stages = try FileManager.default.contentsOfDirectory(atPath: run.path).sorted()
        var lines: [String] = []
        for stage in stages {
            for file in ["examples.jsonl", "generated.jsonl"] {
                let url = run.appending(path: stage).appending(path: file)
                guard let text = try? String(contentsOf: url, encoding: .utf8) else { continue }
                let examples = try text.split(separator: "\n").map {
                    try JSONDecoder().decode(Labelled.self, from: Data($0.utf8))
                }
                lines.append("\(stage): " + summary(of: examples, judge))
            }
        }
        guard !lines.isEmpty else { throw ProofError(description: "\(run.path): nothing is labelled") }
        return lines
    }

    private func summary(of examples: [Labelled], _ judge: WorldJudge) -> String {
        ["good", "bad"].map { label in
            let mine = examples.filter { $0.label == label }
            var right = 0
            var flaws: [String: Int] = [:]
            for example in mine {
                let verdict = judge.verdict(on: example.reply, after: example.context)
                if verdict.isGood == (label == "good") { right += 1 }
                if case .bad(let flaw) = verdict { flaws[flaw.rawValue, default: 0] += 1 }
            }
            let share = mine.isEmpty ? 0 : 100 * Double(right) / Double(mine.count)
            let named = flaws.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }
            return "\(mine.count) \(label), \(String(format: "%.1f", share)) % rightly"
                + (named.isEmpty ? "" : " (\(named.joined(separator: ", ")))")
        }.joined(separator: "; ")
    }
}
