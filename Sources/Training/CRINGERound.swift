import Conversations
import Statistics

/// What a round of iterative CRINGE does between generating and training (Adolphs et al. 2022, arXiv 2211.05826, section 3.2
/// of its code's recipe): cap copies, balance, join. The rest of a round is generating, scoring and training.
public enum CRINGERound {
    /// At most `limit` good examples with one and the same reply, the first ones; bad ones are never thinned out, as in the
    /// authors' code. Keeps a model from collapsing onto its safest reply.
    public static func capCopies(_ examples: [Example], limit: Int = 2) -> [Example] {
        var seen: [String: Int] = [:]
        return examples.filter { example in
            guard example.label == .good else { return true }
            let count = seen[example.reply, default: 0]
            seen[example.reply] = count + 1
            return count < limit
        }
    }

    /// As many good as bad, `n = min(good, bad)` of each, a random sample; the authors take the first `n` in log order.
    /// Unlabelled examples are left out. The order of the rest is kept.
    public static func balance(_ examples: [Example], using generator: inout SeededGenerator) -> [Example] {
        let good = examples.indices.filter { examples[$0].label == .good }
        let bad = examples.indices.filter { examples[$0].label == .bad }
        let count = min(good.count, bad.count)
        let kept = generator.shuffled(good).prefix(count) + generator.shuffled(bad).prefix(count)
        return kept.sorted().map { examples[$0] }
    }

    /// Labels generated replies by their scores: the lowest share is bad, the highest good, the middle left out.
    ///
    /// A fixed share of negatives turns good replies into negatives as the model improves, so a bad reply must also score
    /// below `badBelow`, and a good one above `goodAbove`; with calibrated scores these are probabilities of being good.
    public static func label(
        _ replies: [(context: [Turn], reply: String)], scores: [Double], goodShare: Double = 0.5,
        badShare: Double = 0.25, goodAbove: Double = 0.5, badBelow: Double = 0.5
    ) throws -> [Example] {
        guard replies.count == scores.count else {
            throw TrainingError(.data, "\(replies.count) replies have \(scores.count) scores")
        }
        if let odd = scores.firstIndex(where: { !$0.isFinite }) {
            throw TrainingError(.data, "the score of reply \(odd) is not a finite number")
        }
        guard goodShare >= 0, badShare >= 0, goodShare + badShare <= 1 else {
            throw TrainingError(.options, "good_share \(goodShare) and bad_share \(badShare) must be 0 to 1 together")
        }
        let order = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
        let bad = Set(order.prefix(Int(Double(order.count) * badShare)).filter { scores[$0] < badBelow })
        let good = Set(order.suffix(Int(Double(order.count) * goodShare)).filter { scores[$0] > goodAbove })
        return replies.indices.compactMap { index in
            let (context, reply) = replies[index]
            if bad.contains(index) { return Example(context: context, reply: reply, label: .bad) }
            return good.contains(index) ? Example(context: context, reply: reply, label: .good) : nil
        }
    }
}
