import Conversations
import Foundation
import Simulation

/// What the world's own bot, the base's teacher, would answer to the proof's prompts: where a base that learnt it perfectly starts,
/// by how flawed it is. Sets the scale of flaws at which the base starts near 85 % good.
struct TeacherFigures: Sendable {
    let count: Int

    func lines(scales: [Double]) async throws -> [String] {
        let world = try World()
        let judge = WorldJudge(world)
        let prompts = WorldPrompts.allCases.map { ($0, $0.histories(of: world, count: count)) }
        var lines: [String] = []
        for scale in scales {
            let bot = WorldBot(world, flawScale: scale)
            for (kind, histories) in prompts {
                let replies = try await bot.replies(
                    to: histories, sampling: ProofArm.Decoding.sampled.sampling(seed: 29))
                let good = zip(histories, replies).count { judge.verdict(on: $1.text, after: $0) == .good }
                let share = 100 * Double(good) / Double(max(histories.count, 1))
                lines.append("flaws × \(scale), \(kind.rawValue): \(String(format: "%.1f", share)) % good")
            }
        }
        return lines
    }
}
