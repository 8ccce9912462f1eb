import Conversations
import Foundation
import LanguageModels
import Statistics
import Torch
import Training

extension ImproveConfiguration.Loss {
    /// The method, for those whose loss needs more than a sampler of good and bad replies.
    var planned: Training.Method? {
        switch self {
        case .director: .director
        case .dpo: .dpo
        case .kto: .kto
        case .sft, .cringe, .maskedCringe, .unlikelihood: nil
        }
    }
}

/// Rounds of methods with a reference model, with pairs or with a head of their own.
extension RoundStage {
    func planned(
        _ method: Training.Method, _ examples: [Example], from start: URL, bench: ModelBench,
        weights: WeightInterpolation, _ work: StageWork,
        figures: [StageOutcome.Figure], fromLog: Int
    ) async throws -> StageOutcome {
        let training = configuration.training
        var figures = figures
        var data = TrainingData()
        data.examples = examples.map { Sourced($0, file: "label") }
        if method.needsPairs {
            data.pairs = data.pairedByContext()
            let drawn = try await drawnPairs(from: start, work)
            figures.append(.init("drawn pairs", StageOutcome.grouped(drawn.count)))
            data.pairs += drawn.map { Sourced($0, file: "drawn") }
        }
        var settings = MethodSettings()
        settings.perStep = training.half
        let head =
            DirectorHead.isPresent(in: start) ? try DirectorHead(folder: start, for: bench.decoder.configuration) : nil
        let seed = configuration.seed &+ UInt64(round)
        let plan = try MethodPlan(
            method, settings: settings, data: data, model: bench.decoder,
            anchor: isAnchored ? ModelBench(URL(filePath: configuration.model), today: work.today).decoder : nil,
            format: bench.format, head: head, cache: work.folder, seed: seed, onProgress: { work.report($0) })
        // A head reads the model's states: it goes as far as they do.
        var weights = weights
        try weights.add(plan.loss.namedParameters)
        let options = TrainingOptions(
            steps: training.steps, learningRate: training.learningRate, warmUp: training.warmUp, clip: training.clip,
            checkpointEvery: training.checkpointEvery, seed: seed)
        let summary = try Trainer(
            model: bench.decoder, loss: plan.loss, source: plan.source, options: options, folder: work.folder
        ).run(onStep: { step in
            guard step.step % 10 == 0 else { return }
            work.report("step \(step.step) of \(training.steps), loss \(String(format: "%.3f", step.loss))")
        })
        try weights.end(after: training.interpolation ?? 1)
        let place = work.own("model")
        try bench.save(to: place, like: URL(filePath: configuration.model))
        try plan.director?.save(to: place)
        try? FileManager.default.removeItem(at: work.own("checkpoints"))
        if let last = summary.last {
            figures.append(.init("loss", String(format: "%.3f", last.loss)))
            if let margin = last.margin { figures.append(.init("margin", String(format: "%.3f", margin))) }
        }
        figures.append(.init("steps", "\(summary.steps)"))
        let cameIn = method.needsPairs ? data.pairs.count : examples.count
        let dropped = plan.skipped.reduce(into: [String: Int]()) {
            $0[$1.key.rawValue.replacingOccurrences(of: "_", with: " ")] = $1.value
        }
        return StageOutcome(
            unit: method.needsPairs ? "pairs" : "examples", cameIn: cameIn,
            wentOut: cameIn - plan.skipped.values.reduce(0, +), dropped: dropped,
            figures: [.init("from the log", StageOutcome.grouped(fromLog))] + figures)
    }

    /// Two replies of the starting model to each training prompt, the better against the worse in the eyes of the learning
    /// people's reward model, where it is sure that one is better.
    private func drawnPairs(from model: URL, _ work: StageWork) async throws -> [PreferencePair] {
        guard configuration.labels.votesAlone != true else { return [] }
        let file = work.own("pairs.jsonl")
        if FileManager.default.fileExists(atPath: file.path) {
            return try RunFolder.readLines(PreferencePair.self, from: file)
        }
        let corpus = try Corpus(work.file("conversations.jsonl", of: "deidentify"), seed: configuration.seed)
        var generator = SeededGenerator(seed: configuration.seed).fork("pair-prompts", round)
        let mine = corpus.items.filter { $0.part == .learn && $0.context.last?.sender == .human }.map(\.context)
        let prompts = Array(generator.shuffled(mine).prefix(configuration.labels.generations))
        let judge = try Judge(
            folder: work.file("learn", of: "reward"),
            bench: ModelBench(URL(filePath: configuration.model), today: work.today),
            encoder: makeEncoder())
        var drawn: [(replies: [String], scores: [Double])] = []
        for side in 0..<2 {
            work.report("\(prompts.count) replies, draw \(side + 1) of 2")
            var sampling = configuration.evaluation.sampling
            sampling.seed = configuration.seed &* 1_000_003 &+ UInt64(2 * round + side) &* 65_537
            let replies = try await ReplyDrawing.replies(of: model, to: prompts, sampling: sampling, today: work.today)
                .map(\.text)
            let scores = try await judge.probabilities(zip(prompts, replies).map { (context: $0, reply: $1) })
            drawn.append((replies, scores))
        }
        let pairs = prompts.indices.compactMap { index -> PreferencePair? in
            let (a, b) = (drawn[0].scores[index], drawn[1].scores[index])
            guard abs(a - b) >= Self.sureBy else { return nil }
            let (better, worse) = a > b ? (0, 1) : (1, 0)
            let chosen = drawn[better].replies[index]
            guard !chosen.allSatisfy(\.isWhitespace), !drawn[worse].replies[index].allSatisfy(\.isWhitespace) else {
                return nil
            }
            return PreferencePair(context: prompts[index], chosen: chosen, rejected: drawn[worse].replies[index])
        }
        try RunFolder.write(lines: pairs, to: file)
        return pairs
    }

    /// By how much the probabilities of two replies must differ to make a pair.
    private static var sureBy: Double { 0.2 }
}
