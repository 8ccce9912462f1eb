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

    /// Labels several replies to one history against each other: the best is good and the worst bad, where the scorer is sure enough
    /// that they differ, the best is more probably good than not and the worst more probably bad.
    ///
    /// For histories after which the model does badly, where one threshold for all replies fails: there the level of a score says more
    /// of the history than of the reply, the order of the scores still says which reply is better (pairs from one model's draws, as in
    /// pairwise CRINGE, Xu and others 2023, arXiv 2312.16682).
    /// - Parameters:
    ///   - scores: one per reply, probabilities of good.
    ///   - sureBy: by how much best and worst must differ.
    /// - Throws: `TrainingError` where scores and replies do not match or a score is no finite number.
    public static func compare(
        _ drawn: [(context: [Turn], replies: [String])], scores: [[Double]], sureBy: Double = 0.2
    ) throws -> [Example] {
        guard drawn.count == scores.count, zip(drawn, scores).allSatisfy({ $0.replies.count == $1.count }) else {
            throw TrainingError(.data, "\(drawn.count) histories with drawn replies have other numbers of scores")
        }
        guard scores.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw TrainingError(.data, "the score of a drawn reply is not a finite number")
        }
        return zip(drawn, scores).flatMap { drawn, scores -> [Example] in
            let places = scores.indices.filter { !drawn.replies[$0].allSatisfy(\.isWhitespace) }
            guard let best = places.max(by: { (scores[$0], $1) < (scores[$1], $0) }),
                let worst = places.min(by: { (scores[$0], $0) < (scores[$1], $1) }),
                scores[best] - scores[worst] >= sureBy, scores[best] > 0.5, scores[worst] < 0.5
            else { return [] }
            return [
                Example(context: drawn.context, reply: drawn.replies[best], label: .good),
                Example(context: drawn.context, reply: drawn.replies[worst], label: .bad),
            ]
        }
    }
}
