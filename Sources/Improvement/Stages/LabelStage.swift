import Conversations
import Foundation
import Statistics
import Training

/// The training set: good and bad replies of the learning people, by their trusted votes where the reward model is not sure of the
/// opposite, by corrections, and, where nobody voted, by the reward model where it is sure.
struct LabelStage: Stage {
    let name = "label"
    let configuration: ImproveConfiguration
    let makeEncoder: @Sendable () throws -> any TextEncoder

    var settings: [String: String] {
        let labels = configuration.labels
        var settings = [
            "good_above": "\(labels.goodAbove)", "bad_below": "\(labels.badBelow)",
            "most_labelled": "\(labels.mostLabelled)",
            "copies": "\(labels.copies)", "rude_from": labels.rudeFrom.map { "\($0)" } ?? "none",
        ]
        if labels.votesAlone == true { settings["votes_alone"] = "true" }
        if labels.nextMessage == true { settings["next_message"] = "true" }
        return settings
    }

    func run(_ work: StageWork) async throws -> StageOutcome {
        let corpus = try Corpus(work.file("conversations.jsonl", of: "deidentify"), seed: configuration.seed)
        let votes = try RunFolder.readLines(WeighedVote.self, from: work.file("votes.jsonl", of: "trust"))
        let weights = Self.weighed(votes, corpus.items)
        let judge = try Judge(
            folder: work.file("learn", of: "reward"),
            bench: ModelBench(URL(filePath: configuration.model), today: work.today),
            encoder: makeEncoder())
        let labels = configuration.labels
        var examples: [Example] = []
        var dropped: [String: Int] = [:]
        let mine = corpus.items.indices.filter { corpus.items[$0].part == .learn }
        func isTrusted(_ place: Int) -> Bool {
            let item = corpus.items[place]
            return (weights[item.id]?.weight ?? 0) >= labels.trustedFrom
        }
        let reader = try reader(work, beside: judge)
        let heard = NextMessages.heard(corpus.items, votes: votes, trustedFrom: labels.trustedFrom)
        /// By what the person said next where they said something and are believed, by the reply alone elsewhere.
        func verdicts(_ places: [Int]) async throws -> [LabelRule.Verdict] {
            func pairs(_ places: [Int]) -> [(context: [Turn], reply: String)] {
                places.map { (context: corpus.items[$0].context, reply: corpus.items[$0].reply) }
            }
            let answered = places.filter { reader != nil && heard[$0] != nil }
            let alone = places.filter { reader == nil || heard[$0] == nil }
            let read = try await judge.verdicts(pairs(alone)).map(LabelRule.Verdict.init)
            var found = Dictionary(uniqueKeysWithValues: zip(alone, read))
            if let reader {
                let read = try await reader.verdicts(pairs(answered), next: answered.map { heard[$0] })
                    .map(LabelRule.Verdict.init)
                found.merge(zip(answered, read)) { first, _ in first }
            }
            return places.compactMap { found[$0] }
        }
        func take(_ outcome: LabelRule.Outcome, _ item: Corpus.Item) -> Bool {
            switch outcome {
            case .good(let weight):
                examples.append(Example(context: item.context, reply: item.reply, label: .good, weight: weight))
            case .bad(let weight):
                examples.append(Example(context: item.context, reply: item.reply, label: .bad, weight: weight))
            case .dropped(let why):
                dropped[why, default: 0] += 1
                return false
            }
            return true
        }
        let rule = LabelRule(settings: labels)
        let (voted, unvoted) = (mine.filter(isTrusted), mine.filter { !isTrusted($0) })
        var (byVote, corrections) = (0, 0)
        work.report("the reward model reads \(voted.count) replies with a trusted vote")
        let alone = try Self.readings(work)
        for (place, read) in zip(voted, try await verdicts(voted)) {
            let item = corpus.items[place]
            guard let vote = weights[item.id] else { continue }
            let verdict = LabelRule.Verdict(good: alone[item.id] ?? read.good, rude: read.rude)
            if take(rule.outcome(isUp: item.rating == .like, vote: vote, verdict: verdict), item) { byVote += 1 }
        }
        for place in mine {
            let item = corpus.items[place]
            guard let correction = Self.correction(of: item), let weight = weights[item.id]?.weight,
                weight >= labels.trustedFrom
            else { continue }
            examples.append(Example(context: item.context, reply: correction, label: .good, weight: weight))
            corrections += 1
        }
        let asked = labels.votesAlone == true ? [] : drawn(unvoted)
        if unvoted.count > asked.count {
            let why = labels.votesAlone == true ? "no trusted vote" : "above the cap of replies to label"
            dropped[why] = unvoted.count - asked.count
        }
        work.report("the reward model labels \(asked.count) replies")
        let read = try await verdicts(asked)
        let unheard = asked.indices.filter { corpus.items[asked[$0]].rating == nil }
        let population = Population(unheard.map { read[$0].good }, of: judge.model)
        for (place, verdict) in zip(asked, read) {
            // People vote on bad replies far more often than on good ones: of those they passed over more are good.
            let isPassedOver = corpus.items[place].rating == nil
            _ = take(rule.outcome(verdict: verdict, in: isPassedOver ? population : nil), corpus.items[place])
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
            ] + population.figures("of those without a vote"))
    }

    /// What is thought of the voted replies by a model that heard no vote of the person.
    private static func readings(_ work: StageWork) throws -> [String: Double] {
        let file = try work.file(RewardStage.readings, of: "reward")
        // A run that was begun before there was such a file goes on without.
        guard FileManager.default.fileExists(atPath: file.path) else { return [:] }
        let lines = try RunFolder.readLines(RewardStage.Reading.self, from: file)
        return Dictionary(lines.map { ($0.item, $0.good) }, uniquingKeysWith: { first, _ in first })
    }

    /// As many replies as may be labelled, of whichever people and days, in the log's order: the first ones would be those of the first
    /// few people who talked.
    func drawn(_ places: [Int]) -> [Int] {
        guard places.count > configuration.labels.mostLabelled else { return places }
        var generator = SeededGenerator(seed: configuration.seed).fork("labelled")
        return generator.shuffled(places).prefix(configuration.labels.mostLabelled).sorted()
    }

    /// The votes by their replies. Who says what they would rather have been told, without a thumb, disliked the reply: they are
    /// believed as their other votes are in the mean, and not at all where they have none.
    static func weighed(_ votes: [WeighedVote], _ items: [Corpus.Item]) -> [String: WeighedVote] {
        var weights = Dictionary(votes.map { ($0.item, $0) }, uniquingKeysWith: { first, _ in first })
        let means = Dictionary(grouping: votes, by: \.user).mapValues { mine in
            mine.reduce(0) { $0 + $1.weight } / Double(mine.count)
        }
        for item in items where item.part == .learn && item.rating == nil && correction(of: item) != nil {
            let user = item.feedback?.userID ?? item.userID
            guard let mean = means[user], weights[item.id] == nil else { continue }
            weights[item.id] = WeighedVote(
                item: item.id, user: user, part: item.part, isUp: false, weight: mean, probability: 0)
        }
        return weights
    }

    /// What a person would rather have been told; the reply itself, sent back as it was, is none.
    static func correction(of item: Corpus.Item) -> String? {
        guard let correction = item.feedback?.correction, !correction.allSatisfy(\.isWhitespace),
            correction != item.reply
        else { return nil }
        return correction
    }

    /// The reward model that reads what people said next, on the same dialogue model's states; `nil` where none was asked for.
    private func reader(_ work: StageWork, beside judge: Judge) throws -> Judge? {
        guard configuration.labels.nextMessage == true else { return nil }
        return try Judge(
            folder: work.file(RewardStage.answered, of: "reward"), bench: judge.bench, encoder: judge.encoder)
    }
}
