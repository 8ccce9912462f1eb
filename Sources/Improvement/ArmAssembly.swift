import Conversations
import Evaluation
import Foundation
import Simulation
import Statistics

/// One arm's replies and verdicts as the row that `Evaluation` compares.
enum ArmAssembly {
    /// A reply counts as good when the judge finds that more probable than not.
    static func result(
        _ arm: EvaluateStage.Arm, _ answers: EvaluateStage.Answers, chosen: [Corpus.Item],
        likelihood: HeldOutReplies.Figures?, oddBelow: Double?,
        configuration: ImproveConfiguration
    ) throws -> ArmResult {
        let replies = chosen.enumerated().map { index, item in
            let isGood = answers.good[index] >= 0.5
            return ArmResult.Judged(
                cluster: item.userID,
                sample: ReplyMetrics.Sample(
                    reply: answers.replies[index], context: item.context, isFinished: answers.finished[index]),
                good: isGood ? 1 : 0, reason: isGood ? nil : (answers.reasons[index] ?? "unknown"),
                isUnsafe: answers.unsafe[index], coherence: answers.coherence[index],
                truth: answers.truth.map { $0[index] == Verdict.good.name })
        }
        return try ArmResult(
            name: arm.name, isModel: arm.isModel, replies: replies, likedPerplexity: likelihood?.perplexity,
            margin: likelihood?.margin, oddBelow: oddBelow,
            bootstrap: Bootstrap(replicates: configuration.evaluation.bootstraps, seed: configuration.seed))
    }
}
