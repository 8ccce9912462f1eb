import Conversations
import Foundation
import ModelFormats
import Statistics
import Training

/// Reward models on held-out people: a logistic head on frozen features, and the encoder fine-tuned end to end, both without
/// and with the person's next message; and the frozen features in a file for other tools (gradient boosting).
struct RewardBench {
    let votes: [RewardExample]
    let encoderFolder: URL
    let encoder: any TextEncoder
    let work: URL
    let say: @Sendable (String) -> Void
    var folds = 5

    /// Scores of every vote by a model that saw no vote of its person.
    struct Scores: Codable {
        var name: String
        var scores: [Double]
    }

    private func parts() throws -> [(train: [Int], test: [Int])] {
        var generator = SeededGenerator(seed: 11).fork("folds")
        return try KFold.parts(of: votes.map(\.userID), count: folds, generator: &generator).map { ($0.train, $0.test) }
    }

    /// The folds, labels and people, and the frozen features without and with the next message: `reward-features.json`.
    func export() async throws {
        let file = work.appending(path: "reward-features.json")
        guard !FileManager.default.fileExists(atPath: file.path) else { return }
        let features = RewardFeatures(dimension: encoder.dimension)
        let rows = try await features.rows(votes.map { ($0.context, $0.reply) }, encoder: encoder)
        let next = try await encoder.encode(votes.map { $0.nextMessage ?? "" })
        struct Export: Encodable {
            var labels: [Bool]
            var people: [String]
            var folds: [[Int]]
            var frozen: [[Float]]
            var next: [[Float]]
        }
        let export = Export(
            labels: votes.map(\.isGood), people: votes.map(\.userID), folds: try parts().map(\.test),
            frozen: (0..<rows.rows).map { Array(rows[row: $0]) }, next: next)
        try JSONEncoder().encode(export).write(to: file, options: .atomic)
    }

    /// Trains and scores what is not done yet; each fold is kept as it is done.
    func run() async throws {
        try await export()
        try await keep("frozen features, logistic") { train, test in
            let model = try await RewardModel.train(train, encoder: encoder, encoderName: "all-MiniLM-L6-v2")
            return try await model.probabilities(test.map { ($0.context, $0.reply) }, encoder: encoder)
        }
        for usesNext in [false, true] {
            try await keep("encoder fine-tuned" + (usesNext ? ", next message" : "")) { train, test in
                var shape = EncoderRewardModel.Shape()
                shape.usesNextMessage = usesNext
                var training = EncoderRewardTraining()
                training.seed = 5
                let outcome = try training.train(train, encoder: encoderFolder, shape: shape)
                say("passes \(outcome.epochs), log losses \(outcome.losses)")
                return try outcome.model.margins(test.map { .init($0) })
            }
        }
    }

    private func keep(
        _ name: String, _ scores: ([RewardExample], [RewardExample]) async throws -> [Double]
    ) async throws {
        let stem = "reward-" + name.replacing(", ", with: "-").replacing(" ", with: "-")
        var all = [Double](repeating: 0, count: votes.count)
        for (fold, part) in try parts().enumerated() {
            let file = work.appending(path: "\(stem)-\(fold).json")
            let values: [Double]
            if let data = try? Data(contentsOf: file), let kept = try? JSONDecoder().decode([Double].self, from: data),
                kept.count == part.test.count
            {
                values = kept
            } else {
                say("\(name): fold \(fold + 1) of \(folds)")
                values = try await scores(part.train.map { votes[$0] }, part.test.map { votes[$0] })
                try JSONEncoder().encode(values).write(to: file, options: .atomic)
            }
            for (index, value) in zip(part.test, values) { all[index] = value }
        }
        try JSONEncoder().encode(Scores(name: name, scores: all)).write(
            to: work.appending(path: "\(stem).scores.json"), options: .atomic)
    }

    /// Area under the ROC curve over pairs of votes of one fold, with an interval over people, for every file of scores.
    func table() throws -> String {
        let parts = try parts()
        var foldOf = [Int](repeating: -1, count: votes.count)
        for (fold, part) in parts.enumerated() { for index in part.test { foldOf[index] = fold } }
        let labels = votes.map(\.isGood)
        let names = try FileManager.default.contentsOfDirectory(atPath: work.path)
            .filter { $0.hasSuffix(".scores.json") }.sorted()
        var lines = [
            "\(votes.count) thumbs of \(Set(votes.map(\.userID)).count) people, \(votes.count(where: \.isGood)) up; "
                + "\(votes.count { $0.nextMessage != nil }) have a next message"
        ]
        for name in names {
            let found = try JSONDecoder().decode(Scores.self, from: Data(contentsOf: work.appending(path: name)))
            let interval = try Bootstrap(replicates: 500, seed: 3).interval(
                count: votes.count, clusters: votes.map(\.userID)
            ) { picked in
                var (sum, pairs) = (0.0, 0.0)
                for fold in 0..<folds {
                    let mine = picked.filter { foldOf[$0] == fold }
                    let good = Double(mine.count { labels[$0] })
                    let count = good * (Double(mine.count) - good)
                    guard count > 0,
                        let auc = try? ROC.auc(scores: mine.map { found.scores[$0] }, labels: mine.map { labels[$0] })
                    else { continue }
                    sum += auc * count
                    pairs += count
                }
                return pairs > 0 ? sum / pairs : nil
            }
            lines.append(
                String(format: "%.3f (%.3f–%.3f)  %@", interval.estimate, interval.lower, interval.upper, found.name))
        }
        return lines.joined(separator: "\n")
    }
}
