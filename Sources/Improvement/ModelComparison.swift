import Conversations
import Evaluation
import Foundation
import Generation
import Statistics
import Torch

/// Two models side by side on the held-out histories of a finished run, judged by that run's judge and by its rule.
public struct ModelComparison: Sendable {
    /// The run whose prompts, judge and rule are used.
    public var run: URL
    /// The model that is asked about.
    public var model: URL
    /// What it is compared with.
    public var against: URL

    public init(run: URL, model: URL, against: URL) {
        self.run = run
        self.model = model
        self.against = against
    }

    /// - Throws: `ImprovementError` when the folder holds no finished run.
    public func compare(onProgress: @escaping @Sendable (String) -> Void = { _ in }) async throws -> (
        table: ComparisonTable, verdict: GateVerdict
    ) {
        let configuration = try RunFolder.read(ImproveConfiguration.self, from: run.appending(path: "run.json"))
        let today = try RunDay.of(run, now: Date())
        try Engine.setThreadCount(configuration.threads)
        func place(_ name: String) throws -> URL {
            let folders = try FileManager.default.contentsOfDirectory(at: run, includingPropertiesForKeys: nil)
            guard let found = folders.first(where: { $0.lastPathComponent.hasSuffix("-" + name) }),
                FileManager.default.fileExists(atPath: found.appending(path: "done.json").path)
            else {
                throw ImprovementError.noData(run.path, "no finished stage `\(name)` here; run `loam improve` first")
            }
            return found
        }
        let corpus = try Corpus(place("deidentify").appending(path: "conversations.jsonl"), seed: configuration.seed)
        let chosen = EvaluateStage.chosen(corpus, configuration)
        let encoder = try SentenceEncoder(folder: URL(filePath: configuration.encoder), dtype: Device.cpu.matrixType)
        let judge = try Judge(
            folder: place("reward").appending(path: "judge"),
            bench: ModelBench(URL(filePath: configuration.model), today: today),
            encoder: encoder)
        let held = HeldOutReplies(
            corpus,
            votes: try RunFolder.readLines(WeighedVote.self, from: place("trust").appending(path: "votes.jsonl")))
        let stage = EvaluateStage(configuration: configuration) { encoder }
        // What the run's own base finds odd, as its coherence is measured: whatever is compared with.
        let oddBelow = try held.figures(judge.bench).oddBelow
        var results: [ArmResult] = []
        for (name, folder) in [("base", against), ("model", model)] {
            onProgress("\(name): \(chosen.count) replies")
            let arm = EvaluateStage.Arm(
                name: name, model: folder, sampling: configuration.evaluation.sampling, isModel: true)
            let answers = try await stage.answers(of: arm, to: chosen.map(\.context), judge: judge, today: today)
            let likelihood = try held.figures(ModelBench(folder, today: today))
            results.append(
                try ArmAssembly.result(
                    arm, answers, chosen: chosen, likelihood: likelihood, oddBelow: oddBelow,
                    configuration: configuration))
        }
        let table = try ComparisonTable(
            results, base: "base",
            bootstrap: Bootstrap(replicates: configuration.evaluation.bootstraps, seed: configuration.seed))
        return (table, try PromotionGate(rule: configuration.gate).judge(table, candidate: "model"))
    }
}
