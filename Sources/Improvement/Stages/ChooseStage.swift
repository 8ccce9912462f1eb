import Conversations
import Foundation
import Statistics

/// Which round becomes the candidate, decided before anything is tested: the one whose replies to the judge's own people
/// please the judge most.
///
/// More rounds are not always better: a later one may have followed the labelling reward model where people do not go, and
/// iterating costs quality on topics that were held out (`CRINGE iterated`, 2211.05826). The histories here come from the
/// people that the judge learnt from; the test's people, by whom the gate decides, take no part in the choice.
struct ChooseStage: Stage {
    let name = "choose"
    let configuration: ImproveConfiguration
    let makeEncoder: @Sendable () throws -> any TextEncoder

    var settings: [String: String] { ["validation_prompts": "\(configuration.evaluation.validationPrompts)"] }

    /// What `choice.json` holds.
    struct Choice: Sendable, Codable, Equatable {
        /// 1 …: the round that goes on.
        var round: Int
        /// Mean probability of good by round, as the judge sees it.
        var good: [Double]
        var prompts: Int

        /// The best round; of equal ones the earlier, which has moved less from the base.
        init(good: [Double], prompts: Int) {
            self.good = good
            self.prompts = prompts
            round = good.indices.reduce(0) { good[$1] > good[$0] ? $1 : $0 } + 1
        }
    }

    func run(_ work: StageWork) async throws -> StageOutcome {
        let corpus = try Corpus(work.file("conversations.jsonl", of: "deidentify"), seed: configuration.seed)
        let candidates = corpus.items.filter { $0.part == .judge && $0.context.last?.sender == .human }.map(\.context)
        var generator = SeededGenerator(seed: configuration.seed).fork("validate")
        let prompts = Array(generator.shuffled(candidates).prefix(configuration.evaluation.validationPrompts))
        guard !prompts.isEmpty else {
            throw ImprovementError.noData(configuration.storeName, "the judge's people left no history to answer")
        }
        let judge = try Judge(
            folder: work.file("judge", of: "reward"),
            bench: ModelBench(URL(filePath: configuration.model), today: work.today),
            encoder: makeEncoder())
        var sampling = configuration.evaluation.sampling
        sampling.seed = configuration.seed &* 15_485_863 &+ 29
        var good: [Double] = []
        for round in 1...configuration.iterations {
            work.report("round \(round): \(prompts.count) replies to people of the judge")
            let model = try work.file("model", of: "\(configuration.loss.rawValue)-\(round)")
            let replies = try await ReplyDrawing.replies(of: model, to: prompts, sampling: sampling, today: work.today)
            let verdicts = try await judge.probabilities(
                zip(prompts, replies).map { (context: $0, reply: $1.text) })
            good.append(verdicts.reduce(0, +) / Double(verdicts.count))
        }
        let choice = Choice(good: good, prompts: prompts.count)
        try RunFolder.write(choice, to: work.own("choice.json"))
        return StageOutcome(
            unit: "histories", cameIn: candidates.count, wentOut: prompts.count,
            dropped: ["above the number asked for": candidates.count - prompts.count],
            figures: good.enumerated().map { .init("round \($0 + 1)", String(format: "%.1f %%", 100 * $1)) }
                + [.init("chosen", "round \(choice.round)")])
    }
}

extension StageWork {
    /// The round that the choose stage picked.
    func chosenRound() throws -> Int {
        try RunFolder.read(ChooseStage.Choice.self, from: file("choice.json", of: "choose")).round
    }
}
