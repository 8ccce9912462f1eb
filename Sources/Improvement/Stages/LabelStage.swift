import Conversations
import Foundation
import Training

/// The training set: good and bad replies of the learning people, by their trusted votes, by corrections, and, where nobody
/// voted, by the reward model where it is sure.
struct LabelStage: Stage {
    let name = "label"
    let configuration: ImproveConfiguration
    let makeEncoder: @Sendable () throws -> any TextEncoder

    var settings: [String: String] {
        let labels = configuration.labels
        return [
            "good_above": "\(labels.goodAbove)", "bad_below": "\(labels.badBelow)",
            "most_labelled": "\(labels.mostLabelled)",
            "copies": "\(labels.copies)",
        ]
    }

    func run(_ work: StageWork) async throws -> StageOutcome {
        let corpus = try Corpus(work.file("conversations.jsonl", of: "deidentify"), seed: configuration.seed)
        let votes = try RunFolder.readLines(WeighedVote.self, from: work.file("votes.jsonl", of: "trust"))
        let weights = Dictionary(votes.map { ($0.item, $0) }, uniquingKeysWith: { first, _ in first })
        let judge = try Judge(
            folder: work.file("learn", of: "reward"),
            bench: ModelBench(URL(filePath: configuration.model), today: work.today),
            encoder: makeEncoder())
        let labels = configuration.labels
        var examples: [Example] = []
        var dropped: [String: Int] = [:]
        let mine = corpus.items.indices.filter { corpus.items[$0].part == .learn }
        var unvoted: [Int] = []
        var (byVote, corrections) = (0, 0)
        for place in mine {
            let item = corpus.items[place]
            let vote = weights[item.id]
            if let correction = item.feedback?.correction, !correction.allSatisfy(\.isWhitespace),
                (vote?.weight ?? 0) >= labels.trustedFrom
            {
                examples.append(
                    Example(context: item.context, reply: correction, label: .good, weight: vote?.weight ?? 1))
                corrections += 1
            }
            guard let vote, vote.weight >= labels.trustedFrom, let rating = item.rating else {
                unvoted.append(place)
                continue
            }
            // One person's thumb is a noisy sign: the posterior of vote and content must point the same way.
            let agrees = rating == .like ? vote.probability >= 0.5 : vote.probability < 0.5
            guard agrees else {
                dropped["vote and content disagree", default: 0] += 1
                continue
            }
            examples.append(
                Example(
                    context: item.context, reply: item.reply, label: rating == .like ? .good : .bad, weight: vote.weight
                ))
            byVote += 1
        }
        let asked = Array(unvoted.prefix(labels.mostLabelled))
        if unvoted.count > asked.count { dropped["above the cap of replies to label"] = unvoted.count - asked.count }
        work.report("the reward model labels \(asked.count) replies")
        let good = try await judge.probabilities(
            asked.map { (context: corpus.items[$0].context, reply: corpus.items[$0].reply) })
        for (place, probability) in zip(asked, good) {
            let item = corpus.items[place]
            if probability > labels.goodAbove {
                examples.append(Example(context: item.context, reply: item.reply, label: .good, weight: probability))
            } else if probability < labels.badBelow {
                examples.append(Example(context: item.context, reply: item.reply, label: .bad, weight: 1 - probability))
            } else {
                dropped["neither surely good nor surely bad", default: 0] += 1
            }
        }
        let capped = CRINGERound.capCopies(examples, limit: max(labels.copies, 1) * 10)
        dropped["copies of a common reply"] = examples.count - capped.count
        let counts = (good: capped.count { $0.label == .good }, bad: capped.count { $0.label == .bad })
        guard counts.good > 0, counts.bad > 0 else {
            throw ImprovementError.noData(
                configuration.logs.joined(separator: ", "),
                "after trust and labelling \(counts.good) good and \(counts.bad) bad replies are left; both are needed")
        }
        try RunFolder.write(lines: capped, to: work.own("examples.jsonl"))
        return StageOutcome(
            unit: "replies", cameIn: mine.count, wentOut: capped.count - corrections, dropped: dropped,
            figures: [
                .init("good", StageOutcome.grouped(counts.good)), .init("bad", StageOutcome.grouped(counts.bad)),
                .init("by vote", StageOutcome.grouped(byVote)), .init("corrections", StageOutcome.grouped(corrections)),
            ])
    }
}
