import Conversations
import Foundation
import Statistics
import Training

/// What the previous round's model says, labelled: the new examples of a later round.
extension RoundStage {
    /// Replies to the training prompts, each labelled by the reward model of the learning people where it is sure; and to prompts that end in
    /// an insult several replies, held against each other.
    func generated(from model: URL, _ work: StageWork) async throws -> [Example] {
        guard configuration.labels.votesAlone != true else { return [] }
        let file = work.own("generated.jsonl")
        if FileManager.default.fileExists(atPath: file.path) {
            return try RunFolder.readLines(Example.self, from: file)
        }
        let corpus = try Corpus(work.file("conversations.jsonl", of: "deidentify"), seed: configuration.seed)
        let mine = corpus.items.filter { $0.part == .learn && $0.context.last?.sender == .human }.map(\.context)
        var generator = SeededGenerator(seed: configuration.seed).fork("prompts", round)
        let prompts = Array(generator.shuffled(mine).prefix(configuration.labels.generations))
        let judge = try Judge(
            folder: work.file("learn", of: "reward"),
            bench: ModelBench(URL(filePath: configuration.model), today: work.today),
            encoder: makeEncoder())
        work.report("\(prompts.count) replies from the model of round \(round - 1)")
        let drawn = try await draw(1, to: prompts, from: model, judge, work)
        let spoken = prompts.indices.filter { !drawn[$0].replies[0].allSatisfy(\.isWhitespace) }
        let labels = configuration.labels
        let rule = LabelRule(settings: labels)
        let population = Population(spoken.map { drawn[$0].verdicts[0].good }, of: judge.model)
        let single = try CRINGERound.label(
            spoken.map { (context: prompts[$0], reply: drawn[$0].replies[0]) },
            scores: spoken.map {
                let verdict = drawn[$0].verdicts[0]
                return rule.cautious(population.probability(verdict.good), verdict)
            },
            goodShare: 0.5, badShare: 0.25, goodAbove: labels.goodAbove, badBelow: labels.badBelow)
        let compared = try await comparedAfterInsults(mine, from: model, judge, work)
        let made = CRINGERound.capCopies(compared + single, limit: labels.copies)
        try RunFolder.write(lines: made, to: file)
        return made
    }

    /// After an insult the reward model's level is of little use: what is rude there was liked by those who provoked it. The order of
    /// replies to one and the same insult still is of use. Such prompts are rare and matter most, so that each round takes all of them.
    private func comparedAfterInsults(
        _ contexts: [[Turn]], from model: URL, _ judge: Judge, _ work: StageWork
    ) async throws -> [Example] {
        guard let most = configuration.labels.provokedPrompts, let draws = configuration.labels.provokedDraws, draws > 1
        else { return [] }
        let conduct = try RunFolder.read(Conduct.self, from: work.file(Conduct.file, of: "trust"))
        let insults = Set(conduct.insults)
        var generator = SeededGenerator(seed: configuration.seed).fork("insults", round)
        let provoked = Array(
            generator.shuffled(contexts.filter { $0.last.map { insults.contains($0.text) } ?? false }).prefix(most))
        guard !provoked.isEmpty else { return [] }
        work.report("\(provoked.count) prompts after an insult, \(draws) replies to each")
        let drawn = try await draw(draws, to: provoked, from: model, judge, work)
        let rule = LabelRule(settings: configuration.labels)
        return try CRINGERound.compare(
            zip(provoked, drawn).map { (context: $0, replies: $1.replies) },
            scores: drawn.map { $0.verdicts.map { rule.cautious($0.good, $0, isProvoked: true) } })
    }

    /// Replies to each prompt, and what the reward model makes of them.
    private func draw(
        _ count: Int, to prompts: [[Turn]], from model: URL, _ judge: Judge, _ work: StageWork
    ) async throws -> [(replies: [String], verdicts: [LabelRule.Verdict])] {
        var drawn = prompts.map { _ in (replies: [String](), verdicts: [LabelRule.Verdict]()) }
        for number in 0..<count {
            var sampling = configuration.evaluation.sampling
            sampling.seed = configuration.seed &* 1_000_003 &+ UInt64(round) &+ UInt64(number) &* 65_537
            let replies = try await ReplyDrawing.replies(of: model, to: prompts, sampling: sampling, today: work.today)
                .map(\.text)
            let verdicts = try await judge.verdicts(zip(prompts, replies).map { (context: $0, reply: $1) })
            for place in prompts.indices {
                drawn[place].replies.append(replies[place])
                drawn[place].verdicts.append(.init(verdicts[place]))
            }
        }
        return drawn
    }
}
