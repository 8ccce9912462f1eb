import Conversations
import Foundation
import ModelFormats
import Statistics
import Training

/// Reward models on held-out people: a logistic probe of frozen features, and the encoder fine-tuned from there, both without
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
        for usesNext in [false, true] {
            let suffix = usesNext ? ", next message" : ""
            try keep("probe of frozen features" + suffix, "encoder fine-tuned" + suffix) { train, test in
                var shape = EncoderRewardModel.Shape()
                shape.usesNextMessage = usesNext
                var training = EncoderRewardTraining()
                training.seed = 5
                let outcome = try training.train(train, encoder: encoderFolder, shape: shape)
                say("passes \(outcome.epochs), log losses \(outcome.losses)")
                let inputs = test.map { EncoderRewardModel.Input($0) }
                return (try outcome.model.probeMargins(inputs), try outcome.model.margins(inputs))
            }
        }
    }

    /// Two sets of scores of every vote, by a model that saw no vote of its person; each fold is kept as it is done.
    private func keep(
        _ first: String, _ second: String, _ scores: ([RewardExample], [RewardExample]) throws -> ([Double], [Double])
    ) throws {
        func stem(_ name: String) -> String { "reward-" + name.replacing(", ", with: "-").replacing(" ", with: "-") }
        var all = [[Double]](repeating: [Double](repeating: 0, count: votes.count), count: 2)
        for (fold, part) in try parts().enumerated() {
            let file = work.appending(path: "\(stem(second))-\(fold).json")
            let values: [[Double]]
            if let data = try? Data(contentsOf: file),
                let kept = try? JSONDecoder().decode([[Double]].self, from: data),
                kept.count == 2, kept.allSatisfy({ $0.count == part.test.count })
            {
                values = kept
            } else {
                say("\(second): fold \(fold + 1) of \(folds)")
                let pair = try scores(part.train.map { votes[$0] }, part.test.map { votes[$0] })
                values = [pair.0, pair.1]
                try JSONEncoder().encode(values).write(to: file, options: .atomic)
            }
            for which in 0..<2 { for (index, value) in zip(part.test, values[which]) { all[which][index] = value } }
        }
        for (name, scores) in zip([first, second], all) {
            try JSONEncoder().encode(Scores(name: name, scores: scores)).write(
                to: work.appending(path: "\(stem(name)).scores.json"), options: .atomic)
        }
    }

    /// Area under the ROC curve over pairs of votes of one fold, with an interval over people, for every file of scores.
    func table() throws -> String {
        let parts = try parts()
        var foldOf = [Int](repeating: -1, count: votes.count)
        for (fold, part) in parts.enumerated() { for index in part.test { foldOf[index] = fold } }
        let labels = votes.map(\.isGood)
        let names = try FileManager.default.contentsOfDirectory(atPath: work.path)
            .filter { $0.hasSuffix(".scores.json") }.sorted()
        /// Over pairs of votes of one fold: models of different folds have scales of their own.
        func auc(_ scores: [Double], _ picked: [Int]) -> Double? {
            var (sum, pairs) = (0.0, 0.0)
            for fold in 0..<folds {
                let mine = picked.filter { foldOf[$0] == fold }
                let good = Double(mine.count { labels[$0] })
                let count = good * (Double(mine.count) - good)
                guard count > 0,
                    let auc = try? ROC.auc(scores: mine.map { scores[$0] }, labels: mine.map { labels[$0] })
                else { continue }
                sum += auc * count
                pairs += count
            }
            return pairs > 0 ? sum / pairs : nil
        }
        let bootstrap = Bootstrap(replicates: 500, seed: 3)
        let people = votes.map(\.userID)
        let found = try names.map {
            try JSONDecoder().decode(Scores.self, from: Data(contentsOf: work.appending(path: $0)))
        }
        var lines = [
            "\(votes.count) thumbs of \(Set(people).count) people, \(votes.count(where: \.isGood)) up; "
                + "\(votes.count { $0.nextMessage != nil }) have a next message"
        ]
        for one in found {
            let interval = try bootstrap.interval(count: votes.count, clusters: people) { auc(one.scores, $0) }
            lines.append(
                String(format: "%.3f (%.3f–%.3f)  %@", interval.estimate, interval.lower, interval.upper, one.name))
        }
        // Against gradient boosting on what the model knows, on the same votes drawn anew.
        for one in found where one.name.hasPrefix("encoder") {
            let peer =
                "frozen features, gradient boosting" + (one.name.hasSuffix("next message") ? ", next message" : "")
            guard let other = found.first(where: { $0.name == peer }) else { continue }
            let interval = try bootstrap.interval(count: votes.count, clusters: people) { picked in
                auc(one.scores, picked).flatMap { mine in auc(other.scores, picked).map { mine - $0 } }
            }
            lines.append(
                String(
                    format: "%+.3f (%+.3f to %+.3f)  %@ over %@", interval.estimate, interval.lower, interval.upper,
                    one.name, peer))
        }
        return lines.joined(separator: "\n")
    }
}
