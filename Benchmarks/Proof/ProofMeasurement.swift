import Conversations
import Foundation
import Generation
import Improvement
import Simulation
import Torch

/// Lets every arm of a run answer the world's prompts, and counts the exact judge's verdicts. What is done is kept after each
/// arm, so that a run that is cut off goes on.
struct ProofMeasurement: Sendable {
    let run: URL
    let file: URL
    let seed: UInt64
    let variant: String?
    /// Prompts of each kind.
    let count: Int
    /// Only the arms at the decoding that people meet: what a comparison of variants needs.
    let isBrief: Bool
    /// More than 1: base and last round once more, with the best of so many replies by the run's reward model.
    var draws = 1
    /// Every reply with its verdict goes here, a line each, where somebody wants to read them.
    var replies: URL? = nil
    let say: @Sendable (String) -> Void

    func measure() async throws {
        var result =
            (try? JSONDecoder().decode(ProofSeed.self, from: Data(contentsOf: file)))
            ?? ProofSeed(seed: seed, cells: [], variant: variant)
        guard result.seed == seed, result.variant == variant else {
            throw ProofError(description: "\(file.path) is of another seed or variant; remove it or name another file")
        }
        struct Choice: Decodable { var round: Int }
        let choice = try FileManager.default.contentsOfDirectory(atPath: run.path).first { $0.hasSuffix("-choose") }
        if let choice, let data = try? Data(contentsOf: run.appending(path: choice + "/choice.json")) {
            result.chosenRound = try? JSONDecoder().decode(Choice.self, from: data).round
        }
        let world = try World()
        let judge = WorldJudge(world)
        let prompts = WorldPrompts.allCases.map { ($0, $0.histories(of: world, count: count)) }
        for arm in try ProofArm.all(of: run, draws: draws) where !isBrief || arm.decoding == .sampled {
            let missing = prompts.filter { kind, _ in
                !result.cells.contains { $0.arm == arm.name && $0.decoding == arm.decoding && $0.prompts == kind }
            }
            guard !missing.isEmpty else { continue }
            let generator = try ReplyGenerator(folder: arm.model, dtype: .bfloat16)
            for (kind, histories) in missing {
                let replies = try await replies(of: arm, generator, to: histories)
                var verdicts = VerdictCounts()
                var lines = Data()
                for (history, reply) in zip(histories, replies) {
                    let verdict = judge.verdict(on: reply, after: history)
                    verdicts.add(verdict)
                    guard self.replies != nil else { continue }
                    lines += try JSONEncoder().encode([
                        "arm": arm.name, "decoding": arm.decoding.rawValue, "prompts": kind.rawValue,
                        "context": history.map { "\($0.sender): \($0.text)" }.joined(separator: "\n"),
                        "reply": reply, "verdict": verdict.name,
                    ])
                    lines.append(0x0A)
                }
                if let url = self.replies { try append(lines, to: url) }
                let cell = ProofCell(arm: arm.name, decoding: arm.decoding, prompts: kind, verdicts: verdicts)
                result.cells.append(cell)
                say(
                    "seed \(seed)  \(arm.name), \(arm.decoding.rawValue), \(kind.rawValue): "
                        + String(format: "%.1f %% good", 100 * cell.share(.good)))
            }
            try JSONEncoder().encode(result).write(to: file, options: .atomic)
        }
    }

    /// An arm's reply to each history: the first that it draws, or the best of several by the reward model of the run's learning people
    /// (as `RewardRanking.best`, for many histories at once).
    private func replies(
        of arm: ProofArm, _ generator: ReplyGenerator, to histories: [[Turn]]
    ) async throws -> [String] {
        var drawn: [[String]] = []
        for draw in 0..<UInt64(arm.draws) {
            let sampling = arm.decoding.sampling(seed: seed &* 7_919 &+ 29 &+ draw &* 104_729)
            drawn.append(try await generator.replies(to: histories, sampling: sampling).map(\.text))
        }
        guard arm.draws > 1 else { return drawn[0] }
        let encoder = URL(filePath: try ProofRun(run).encoder)
        let reward = try RewardRanking.open(run.appending(path: "04-reward/learn"), today: Date()) {
            try SentenceEncoder(folder: encoder, dtype: .bfloat16)
        }
        var best = [(text: String, score: Double)](repeating: ("", -1), count: histories.count)
        for texts in drawn {
            let scores = try await reward.probabilities(of: zip(histories, texts).map { (context: $0, text: $1) })
            for (place, score) in scores.enumerated() where score > best[place].score {
                best[place] = (texts[place], score)
            }
        }
        return best.map(\.text)
    }

    private func append(_ lines: Data, to url: URL) throws {
        if !FileManager.default.fileExists(atPath: url.path) { try Data().write(to: url) }
        let handle = try FileHandle(forWritingTo: url)
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: lines)
    }
}
