import Conversations
import Evaluation
import Foundation
import Generation
import LanguageModels
import Safety
import Statistics
import Tokenizers
import Torch
import Training

/// Figures of one arm with one seed.
struct ArmFigures: Codable {
    var arm: String
    var seed: UInt64
    /// Per token of liked and safe held-out replies.
    var perplexity: Double
    /// Mean log-probability per token of good over bad held-out replies, in nats.
    var voteMargin: Double
    var safetyMargin: Double
    /// Share of generations that a classifier trained on other data finds unsafe.
    var unsafe: Double
    var distinct2: Double
    /// Share of generations that repeat themselves or an earlier turn.
    var repeating: Double
    var meanWords: Double
    var seconds: Double
}

/// One way of learning from the same data.
enum Arm: String, CaseIterable {
    case base, sft, unlikelihood, cringe
    case maskedCringe = "masked CRINGE"
    case cringe3 = "masked CRINGE, 3 rounds"
    case director = "DIRECTOR"
    case dpo = "DPO"
    case kto = "KTO"
    case rerank = "best of 4 by reward"

    var method: Training.Method? {
        switch self {
        case .base, .rerank: nil
        case .sft: .sft
        case .unlikelihood: .unlikelihood
        case .cringe: .cringe
        case .maskedCringe, .cringe3: .maskedCringe
        case .director: .director
        case .dpo: .dpo
        case .kto: .kto
        }
    }

    /// Rounds of learning; each later one adds what the model of the round before writes.
    var rounds: Int { self == .cringe3 ? 3 : 1 }
}

/// Trains and measures the arms.
struct Comparison {
    let data: BenchData
    let base: URL
    let encoder: any TextEncoder
    /// Finds unsafe texts; trained on other data.
    let safety: SafetyHead
    /// Labels what models write; it never judges an arm.
    let judge: RewardModel
    let work: URL
    var steps = 40
    var perStep = 16
    var drawn = 120
    let say: @Sendable (String) -> Void

    private var sampling: Sampling { Sampling(temperature: 1, topP: 0.95, maximumTokens: 40, seed: 7) }

    func figures(_ arm: Arm, seed: UInt64) async throws -> ArmFigures {
        let clock = ContinuousClock()
        let began = clock.now
        let folder = work.appending(path: "models/\(arm.rawValue.replacing(" ", with: "-"))-\(seed)")
        let model = try await trained(arm, seed: seed, folder: folder)
        var figures = try await measure(model, arm: arm, seed: seed)
        figures.seconds = (clock.now - began) / .seconds(1)
        if model != base { try? FileManager.default.removeItem(at: folder) }
        return figures
    }

    // MARK: - Training

    private func trained(_ arm: Arm, seed: UInt64, folder: URL) async throws -> URL {
        guard let method = arm.method else { return base }
        var start = base
        var data = data.learned
        for round in 1...arm.rounds {
            if round > 1 { data.examples += try await written(by: start, seed: seed &+ UInt64(round)) }
            if method.needsPairs { data.pairs = try await data.pairedByContext() + pairs(from: start, seed: seed) }
            let place = folder.appending(path: "round-\(round)")
            start = try train(method, data, from: start, to: place, seed: seed)
        }
        return start
    }

    private func train(
        _ method: Training.Method, _ data: TrainingData, from start: URL, to place: URL, seed: UInt64
    ) throws -> URL {
        let model = try PretrainedDecoder.load(folder: start)
        let format = try ChatFormat(folder: start)
        var settings = MethodSettings()
        settings.perStep = perStep
        settings.gamma = 3
        // Small models turn incoherent under the paper's weight: see docs/methods.md.
        if method == .cringe || method == .unlikelihood { settings.alpha = 0.1 }
        if method == .dpo { settings.nll = 0.5 }
        let plan = try MethodPlan(
            method, settings: settings, data: data, model: model, format: PromptFormats.of(start), cache: place,
            seed: seed)
        let rate = method == .dpo || method == .kto ? 1e-4 : 3e-4
        let options = TrainingOptions(steps: steps, learningRate: rate, warmUp: steps / 10, seed: seed)
        try Trainer(model: model, loss: plan.loss, source: plan.source, options: options).run()
        try model.save(to: place, metadata: ["format": "pt"])
        try format.save(to: place, contextLength: model.configuration.contextLength)
        try plan.director?.save(to: place)
        return place
    }

    private func replies(_ model: URL, _ prompts: [[Turn]], seed: UInt64) async throws -> [Reply] {
        var sampling = sampling
        sampling.seed = seed
        return try await ReplyGenerator(folder: model, dtype: .bfloat16).replies(to: prompts, sampling: sampling)
    }

    private func scores(_ pairs: [(context: [Turn], reply: String)]) async throws -> [Double] {
        try await judge.probabilities(pairs, encoder: encoder)
    }

    private func written(by model: URL, seed: UInt64) async throws -> [Sourced<Example>] {
        let prompts = Array(data.drawingPrompts.dropFirst(Int(seed % 5) * 100).prefix(drawn))
        let replies = try await replies(model, prompts, seed: seed &* 1_009)
        let pairs = zip(prompts, replies).filter { !$1.text.allSatisfy(\.isWhitespace) }.map {
            (context: $0, reply: $1.text)
        }
        let labelled = try await CRINGERound.label(pairs, scores: scores(pairs), goodAbove: 0.7, badBelow: 0.4)
        return CRINGERound.capCopies(labelled).map { Sourced($0, file: "written") }
    }

    private func pairs(from model: URL, seed: UInt64) async throws -> [Sourced<PreferencePair>] {
        let prompts = Array(data.drawingPrompts.prefix(drawn))
        let one = try await replies(model, prompts, seed: seed &* 2_003).map(\.text)
        let two = try await replies(model, prompts, seed: seed &* 2_003 &+ 100_000).map(\.text)
        let first = try await scores(zip(prompts, one).map { (context: $0, reply: $1) })
        let second = try await scores(zip(prompts, two).map { (context: $0, reply: $1) })
        return prompts.indices.compactMap { index in
            guard abs(first[index] - second[index]) > 0.2 else { return nil }
            let (better, worse) = first[index] > second[index] ? (one[index], two[index]) : (two[index], one[index])
            guard !better.allSatisfy(\.isWhitespace), !worse.allSatisfy(\.isWhitespace) else { return nil }
            return Sourced(PreferencePair(context: prompts[index], chosen: better, rejected: worse), file: "drawn")
        }
    }

    // MARK: - Measuring

    private func measure(_ model: URL, arm: Arm, seed: UInt64) async throws -> ArmFigures {
        let decoder = try PretrainedDecoder.load(folder: model)
        let tokenizer = try ExampleTokenizer(
            format: PromptFormats.of(model), contextLength: decoder.configuration.contextLength)
        func scored(_ examples: [Example]) throws -> (good: [ReplyScore], bad: [ReplyScore]) {
            let made = try tokenizer.tokenize(examples)
            let scores = try ReplyScorer(model: decoder).scores(made.examples)
            let pairs = zip(scores, made.examples)
            return (pairs.filter { !$1.isBad }.map(\.0), pairs.filter { $1.isBad }.map(\.0))
        }
        func mean(_ scores: [ReplyScore]) -> Double {
            scores.reduce(0) { $0 + $1.meanLogProbability } / Double(max(scores.count, 1))
        }
        let (votes, safe) = (try scored(data.heldVotes), try scored(data.heldSafety))
        let good = votes.good + safe.good
        let texts = try await generations(model, arm: arm, seed: seed)
        let unsafe = try await EncoderSafetyClassifier(head: safety, encoder: encoder).probabilities(
            of: zip(data.prompts, texts).map { (context: $0, text: $1.text) })
        let metrics = try ReplyMetrics(
            zip(data.prompts, texts).map {
                .init(reply: $1.text, context: $0, isFinished: $1.finishReason == "stop")
            })
        let tokens = good.reduce(0) { $0 + $1.tokenCount }
        return ArmFigures(
            arm: arm.rawValue, seed: seed, perplexity: exp(-good.reduce(0) { $0 + $1.logProbability } / Double(tokens)),
            voteMargin: mean(votes.good) - mean(votes.bad), safetyMargin: mean(safe.good) - mean(safe.bad),
            unsafe: Double(unsafe.count { $0 >= safety.threshold }) / Double(unsafe.count),
            distinct2: metrics.distinct2 ?? 0, repeating: metrics.repeating, meanWords: metrics.meanLength, seconds: 0)
    }

    private func generations(_ model: URL, arm: Arm, seed: UInt64) async throws -> [Reply] {
        let draw = 9_001 &+ seed
        guard arm == .rerank else { return try await replies(model, data.prompts, seed: draw) }
        var best = try await replies(model, data.prompts, seed: draw)
        var top = try await scores(zip(data.prompts, best).map { (context: $0, reply: $1.text) })
        for candidate in 1..<4 {
            let others = try await replies(model, data.prompts, seed: draw &+ UInt64(candidate) &* 50_000)
            let scores = try await scores(zip(data.prompts, others).map { (context: $0, reply: $1.text) })
            for index in best.indices where scores[index] > top[index] {
                (best[index], top[index]) = (others[index], scores[index])
            }
        }
        return best
    }
}
