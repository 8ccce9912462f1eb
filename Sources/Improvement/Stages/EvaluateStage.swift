import Conversations
import Evaluation
import Foundation
import Safety
import Simulation
import Statistics
import Training

/// Before and after, side by side: every arm answers the same histories of held-out people and is judged by the reward model
/// of people whose votes it never met.
struct EvaluateStage: Stage {
    let name = "evaluate"
    let configuration: ImproveConfiguration
    let makeEncoder: @Sendable () throws -> any TextEncoder

    var settings: [String: String] {
        let evaluation = configuration.evaluation
        return [
            "prompts": "\(evaluation.prompts)", "sampling": "\(evaluation.sampling)",
            "base_temperatures": "\(evaluation.baseTemperatures)", "world": "\(configuration.world)",
        ]
    }

    /// A model with a decoding: one row of the table.
    struct Arm: Sendable {
        var name: String
        var model: URL
        var sampling: Sampling
        /// Whether the row tells of another model than the base, or only of another decoding.
        var isModel: Bool
    }

    /// What one arm said and how it was judged: `answers-N.json`, kept so that a cut-off stage does not draw it again.
    struct Answers: Sendable, Codable {
        var arm: String
        var replies: [String]
        var good: [Double]
        var reasons: [String?]
        var unsafe: [Bool]
        var finished: [Bool]
        /// Category by the world's exact judge, where there is one: `good` or a flaw.
        var truth: [String]?
        /// Mean log-probability per token of each reply under the base model.
        var coherence: [Double?]
    }

    func arms(_ work: StageWork) throws -> [Arm] {
        let sampling = configuration.evaluation.sampling
        let base = URL(filePath: configuration.model)
        var arms = [Arm(name: "base", model: base, sampling: sampling, isModel: true)]
        for temperature in configuration.evaluation.baseTemperatures {
            var other = sampling
            other.temperature = temperature
            let name = temperature == 0 ? "base, greedy" : "base, temperature \(temperature)"
            arms.append(Arm(name: name, model: base, sampling: other, isModel: false))
        }
        arms.append(
            Arm(name: "SFT on good", model: try work.file("model", of: "sft"), sampling: sampling, isModel: true))
        for round in 1...configuration.iterations {
            let stage = "\(configuration.loss.rawValue)-\(round)"
            arms.append(
                Arm(name: "round \(round)", model: try work.file("model", of: stage), sampling: sampling, isModel: true)
            )
        }
        let chosen = "round \(try work.chosenRound())"
        if var greedy = arms.first(where: { $0.name == chosen }) {
            greedy.name = chosen + ", greedy"
            greedy.sampling.temperature = 0
            greedy.isModel = false
            arms.append(greedy)
        }
        return arms
    }

    /// Held-out people's histories that end with something they said.
    static func candidates(_ corpus: Corpus) -> [Corpus.Item] {
        corpus.items.filter { $0.part == .test && $0.context.last?.sender == .human }
    }

    /// Those that every arm answers: a random sample, the same for the same seed.
    static func chosen(_ corpus: Corpus, _ configuration: ImproveConfiguration) -> [Corpus.Item] {
        var generator = SeededGenerator(seed: configuration.seed).fork("evaluate")
        return Array(generator.shuffled(candidates(corpus)).prefix(configuration.evaluation.prompts))
    }

    func run(_ work: StageWork) async throws -> StageOutcome {
        let corpus = try Corpus(work.file("conversations.jsonl", of: "deidentify"), seed: configuration.seed)
        let candidates = Self.candidates(corpus)
        let chosen = Self.chosen(corpus, configuration)
        guard !chosen.isEmpty else {
            throw ImprovementError.noData(configuration.storeName, "the held-out people left no history to answer")
        }
        let prompts = chosen.map(\.context)
        try RunFolder.write(lines: prompts, to: work.own("prompts.jsonl"))
        let bench = try ModelBench(URL(filePath: configuration.model), today: work.today)
        let judge = try Judge(folder: work.file("judge", of: "reward"), bench: bench, encoder: makeEncoder())
        let arms = try arms(work)
        var results: [ArmResult] = []
        var oddBelow: Double?
        let held = try HeldOutReplies(
            corpus, votes: RunFolder.readLines(WeighedVote.self, from: work.file("votes.jsonl", of: "trust")))
        for (index, arm) in arms.enumerated() {
            let file = work.own("answers-\(index).json")
            let answers: Answers
            if let kept = try? RunFolder.read(Answers.self, from: file), kept.arm == arm.name {
                answers = kept
            } else {
                work.report("\(arm.name): \(prompts.count) replies")
                answers = try await self.answers(of: arm, to: prompts, judge: judge, today: work.today)
                try RunFolder.write(answers, to: file)
            }
            let likelihood = arm.isModel ? try held.figures(ModelBench(arm.model, today: work.today)) : nil
            // The first arm is the base: what it finds odd counts for all.
            if index == 0 { oddBelow = likelihood?.oddBelow }
            results.append(
                try ArmAssembly.result(
                    arm, answers, chosen: chosen, likelihood: likelihood, oddBelow: oddBelow,
                    configuration: configuration))
        }
        try RunFolder.write(results, to: work.own("arms.json"))
        return StageOutcome(
            unit: "histories", cameIn: candidates.count, wentOut: chosen.count,
            dropped: ["above the number asked for": candidates.count - chosen.count],
            figures: results.filter { $0.isModel }.map {
                .init(
                    "good, \($0.name)",
                    String(
                        format: "%.1f %% (%.1f–%.1f)", 100 * $0.good.estimate, 100 * $0.good.lower, 100 * $0.good.upper)
                )
            })
    }

    func answers(of arm: Arm, to prompts: [[Turn]], judge: Judge, today: Date) async throws -> Answers {
        var sampling = arm.sampling
        sampling.seed = configuration.seed &* 7_919 &+ 17
        let replies = try await ReplyDrawing.replies(of: arm.model, to: prompts, sampling: sampling, today: today)
        let pairs = zip(prompts, replies).map { (context: $0, reply: $1.text) }
        let verdicts = try await judge.verdicts(pairs)
        let pipeline = try SafetyPipeline.standard(encoder: judge.encoder)
        let unsafe = try await pipeline.areUnsafe(pairs)
        let coherence = try judge.bench.scores(pairs)
        let world = configuration.world ? try WorldJudge(World()) : nil
        return Answers(
            arm: arm.name, replies: replies.map(\.text), good: verdicts.map(\.good),
            reasons: verdicts.map { verdict in
                verdict.reasons.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key.rawValue
            },
            unsafe: unsafe, finished: replies.map { $0.finishReason == "stop" },
            truth: world.map { judge in pairs.map { judge.verdict(on: $0.reply, after: $0.context).name } },
            coherence: coherence.map { $0?.meanLogProbability })
    }
}

/// Liked and disliked replies of held-out people: what a better model should find likelier, and less likely.
struct HeldOutReplies {
    let liked: [(context: [Turn], reply: String)]
    let disliked: [(context: [Turn], reply: String)]

    /// Trusted votes only: a troll's thumb says nothing of what people want.
    init(_ corpus: Corpus, votes: [WeighedVote]) {
        let trusted = Dictionary(votes.map { ($0.item, $0.weight >= 0.5) }, uniquingKeysWith: { first, _ in first })
        let test = corpus.items.filter { $0.part == .test && trusted[$0.id] == true }
        liked = test.filter { $0.rating == .like }.map { ($0.context, $0.reply) }
        disliked = test.filter { $0.rating == .dislike }.map { ($0.context, $0.reply) }
    }

    struct Figures: Sendable, Codable {
        /// Per token of liked replies.
        var perplexity: Double
        /// Mean log-probability per token of liked replies less that of disliked ones, in nats.
        var margin: Double
        /// Mean log-probability per token that 19 in 20 liked replies reach; `nil` with fewer than 20 of them.
        var oddBelow: Double?
    }

    func figures(_ bench: ModelBench) throws -> Figures {
        let likes = try bench.scores(liked).compactMap(\.self)
        let dislikes = try bench.scores(disliked).compactMap(\.self)
        let tokens = likes.reduce(0) { $0 + $1.tokenCount }
        let sum = likes.reduce(0) { $0 + $1.logProbability }
        func mean(_ scores: [ReplyScore]) -> Double {
            scores.isEmpty ? .nan : scores.reduce(0) { $0 + $1.meanLogProbability } / Double(scores.count)
        }
        let sorted = likes.map(\.meanLogProbability).sorted()
        return Figures(
            perplexity: tokens > 0 ? exp(-sum / Double(tokens)) : .nan, margin: mean(likes) - mean(dislikes),
            oddBelow: sorted.count < 20 ? nil : sorted[sorted.count / 20])
    }
}
