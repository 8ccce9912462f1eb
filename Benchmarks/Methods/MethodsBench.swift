import Conversations
import Foundation
import Generation
import LanguageModels
import Safety
import Statistics
import Torch
import Training

/// `methods-bench DATA BASE ENCODER WORK [methods|reward|table]`: every method on the same data and budget, and reward models
/// on held-out people. Whatever is done is kept in WORK, so a run that is cut off goes on. With `LOAM_QUICK=1` everything is
/// done on a few examples, to see that it works; the figures then say nothing.
@main
struct MethodsBench {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 5 else {
            print("usage: methods-bench DATA BASE ENCODER WORK [methods|reward|table]")
            exit(2)
        }
        let paths = arguments[1...4].map { URL(filePath: $0) }
        let part = arguments.count > 5 ? arguments[5] : "methods"
        let work = paths[3]
        try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
        let say: @Sendable (String) -> Void = { FileHandle.standardError.write(Data(($0 + "\n").utf8)) }
        try Engine.setThreadCount(2)
        let isQuick = ProcessInfo.processInfo.environment["LOAM_QUICK"] == "1"
        let data = try BenchData(paths[0], safetyExamples: isQuick ? 60 : 1_200, prompts: isQuick ? 12 : 160)
        let encoder = try SentenceEncoder(folder: paths[2], dtype: .bfloat16)
        var rewards = RewardBench(
            votes: isQuick ? Array(data.allVotes.prefix(90)) : data.allVotes, encoderFolder: paths[2], encoder: encoder,
            work: work, say: say)
        if let folds = ProcessInfo.processInfo.environment["FOLDS"].flatMap(Int.init), folds > 1 {
            rewards.folds = folds
        }
        if part == "reward" {
            try await rewards.run()
            print(try rewards.table())
            return
        }
        if part == "table" {
            print(try rewards.table())
            return
        }
        let safety = try await safetyHead(paths[0], encoder: encoder, work: work)
        let judge = try await judge(data, encoder: encoder, work: work)
        var comparison = Comparison(
            data: data, base: paths[1], encoder: encoder, safety: safety, judge: judge, work: work, say: say)
        if isQuick { (comparison.steps, comparison.perStep, comparison.drawn) = (3, 4, 24) }
        var rows: [ArmFigures] = []
        // Seed by seed, so that a run cut short still compares all arms.
        for seed in UInt64(1)...(isQuick ? 1 : 3) {
            for arm in Arm.allCases {
                let file = work.appending(path: "arm-\(arm.rawValue.replacing(" ", with: "-"))-\(seed).json")
                if let kept = try? Data(contentsOf: file),
                    let figures = try? JSONDecoder().decode(ArmFigures.self, from: kept)
                {
                    rows.append(figures)
                    continue
                }
                let figures = try await comparison.figures(arm, seed: seed)
                try JSONEncoder().encode(figures).write(to: file, options: .atomic)
                rows.append(figures)
                say(
                    "seed \(seed), \(arm.rawValue): \(Int(figures.seconds)) s, perplexity "
                        + String(format: "%.1f", figures.perplexity))
            }
        }
        print(table(rows))
    }

    /// Tells unsafe texts by data that no arm and no labeller sees: Davidson's and ConvAbuse.
    private static func safetyHead(_ data: URL, encoder: any TextEncoder, work: URL) async throws -> SafetyHead {
        let file = work.appending(path: "safety-head.json")
        if let kept = try? SafetyHead(contentsOf: file) { return kept }
        var generator = SeededGenerator(seed: 31)
        let tweets = try SafetyDataset.davidson(data.appending(path: "safety/davidson/labeled_data.csv"))
        let abuse = try SafetyDataset.convAbuse(data.appending(path: "safety/convabuse/train.csv"))
        let training = SafetyHeadTraining(kind: .person, encoder: encoder)
        let head = try await training.train(
            Array(generator.shuffled(tweets).prefix(4_000)) + abuse, trainedOn: ["davidson", "convabuse"])
        try head.write(to: file)
        return head
    }

    private static func judge(_ data: BenchData, encoder: any TextEncoder, work: URL) async throws -> RewardModel {
        let folder = work.appending(path: "judge")
        if let kept = try? RewardModel(folder: folder) { return kept }
        let judge = try await RewardModel.train(data.rewards, encoder: encoder, encoderName: "all-MiniLM-L6-v2")
        try judge.save(to: folder)
        return judge
    }

    private static func table(_ rows: [ArmFigures]) -> String {
        func cell(_ values: [Double], _ format: String) -> String {
            let mean = values.reduce(0, +) / Double(values.count)
            guard values.count > 1 else { return String(format: format, mean) }
            let spread = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
            return String(format: format, mean) + " ± " + String(format: format, spread)
        }
        var lines = [
            "| arm | ppl on good | margin, thumbs | margin, safety | unsafe % | distinct-2 | repeating % | words | s |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for arm in Arm.allCases {
            let mine = rows.filter { $0.arm == arm.rawValue }
            guard !mine.isEmpty else { continue }
            lines.append(
                "| \(arm.rawValue) | \(cell(mine.map(\.perplexity), "%.1f")) | \(cell(mine.map(\.voteMargin), "%.3f")) | "
                    + "\(cell(mine.map(\.safetyMargin), "%.3f")) | \(cell(mine.map { 100 * $0.unsafe }, "%.1f")) | "
                    + "\(cell(mine.map(\.distinct2), "%.3f")) | \(cell(mine.map { 100 * $0.repeating }, "%.1f")) | "
                    + "\(cell(mine.map(\.meanWords), "%.1f")) | \(cell(mine.map(\.seconds), "%.0f")) |")
        }
        return lines.joined(separator: "\n")
    }
}
