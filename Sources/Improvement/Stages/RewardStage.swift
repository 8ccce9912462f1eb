import Conversations
import Foundation
import Statistics
import Training
import Trust

/// Two reward models from trusted votes, one to label for the learner and one, of other people, to judge it; and how well
/// such a model tells good from bad on people it never saw, beside three simple baselines.
struct RewardStage: Stage {
    let name = "reward"
    let configuration: ImproveConfiguration
    let makeEncoder: @Sendable () throws -> any TextEncoder

    /// Folder of the reward model that reads what people said next too.
    static let answered = "answered"

    var settings: [String: String] {
        // Runs from before probabilities were those of what replies are had those of what people say of them.
        var settings = ["trusted_from": "\(configuration.labels.trustedFrom)", "calibrated": "through doubt"]
        if configuration.labels.nextMessage == true { settings["next_message"] = "true" }
        return settings
    }

    /// The file with what is thought of each voted reply of the learning people by a model that heard no vote of the person.
    static let readings = "out-of-fold.jsonl"

    /// A line of it.
    struct Reading: Sendable, Codable {
        /// `Corpus.Item.id`.
        var item: String
        /// Probability of good, among replies that people vote on.
        var good: Double
    }

    /// What `auc.json` holds.
    struct Figures: Sendable, Codable {
        struct Row: Sendable, Codable {
            var name: String
            var auc: Double
            var lower: Double
            var upper: Double
        }
        /// The reward model first, then the baselines.
        var rows: [Row]
        var votes: Int
        var likes: Int
        var people: Int
        var folds: Int
    }

    func run(_ work: StageWork) async throws -> StageOutcome {
        let corpus = try Corpus(work.file("conversations.jsonl", of: "deidentify"), seed: configuration.seed)
        let votes = try RunFolder.readLines(WeighedVote.self, from: work.file("votes.jsonl", of: "trust"))
        let weights = Dictionary(votes.map { ($0.item, $0) }, uniquingKeysWith: { first, _ in first })
        let encoder = try makeEncoder()
        let bench = try ModelBench(URL(filePath: configuration.model), today: work.today)
        let places = corpus.voted()
        let pairs = places.map { (context: corpus.items[$0].context, reply: corpus.items[$0].reply) }
        work.report("states of \(places.count) voted replies")
        let states = try bench.states(pairs)

        func example(_ index: Int, raw: Bool = false) -> RewardExample {
            let item = corpus.items[places[index]]
            let vote = weights[item.id]
            // A vote whose reply is more probably the contrary of what it says counts as the contrary, as far as that is sure.
            let says = item.rating == .like
            let isGood = raw ? says : (vote.map { $0.weight >= 0.5 ? says : $0.probability >= 0.5 } ?? says)
            let weight = raw ? 1 : (vote.map { $0.weight >= 0.5 ? $0.weight : abs(2 * $0.probability - 1) * 0.5 } ?? 1)
            // Half of what trust doubts: labels that content contradicts were turned or weigh less by now, so that those that are left go with
            // content more than the votes did. On four simulated logs half is what fits the truth (docs/proof.md, "Calibration").
            let right = vote.map { $0.weight >= 0.5 ? $0.weight : max($0.probability, 1 - $0.probability) }
            let doubt = raw ? 0 : (1 - (right ?? 1)) / 2
            return RewardExample(
                context: item.context, reply: item.reply, isGood: isGood, weight: weight,
                doubt: min(max(doubt, 0), 1), userID: item.userID, reasons: item.feedback?.reasons ?? [])
        }
        var options = RewardModel.Options()
        options.seed = configuration.seed
        var kept = 0
        var readings: [Reading] = []
        var figuresOfNext: [StageOutcome.Figure] = []
        for part in [Corpus.Part.learn, .judge] {
            let indices = places.indices.filter { corpus.items[places[$0]].part == part && example($0).weight > 0 }
            work.report("\(part.rawValue): \(indices.count) votes")
            let (model, alone) = try await RewardModel.fit(
                indices.map { example($0) }, encoder: encoder, encoderName: "all-MiniLM-L6-v2",
                extra: indices.map { states[$0] }, options: options)
            var outOfFold = alone
            try model.save(to: work.own(part.rawValue))
            try RunFolder.write(
                StatefulReward.Source(of: configuration.model),
                to: work.own(part.rawValue).appending(path: StatefulReward.Source.file))
            kept += indices.count
            guard part == .learn else { continue }
            defer { readings = zip(indices, outOfFold).map { Reading(item: corpus.items[places[$0]].id, good: $1) } }
            guard configuration.labels.nextMessage == true else { continue }
            let heard = NextMessages.heard(
                corpus.items, votes: votes, trustedFrom: configuration.labels.trustedFrom)
            let next = indices.map { heard[places[$0]] }
            work.report("\(part.rawValue): with what people said next, of \(next.count { $0 != nil }) replies")
            let rows = try await NextMessages(encoder: encoder).rows(next)
            let (reader, answered) = try await RewardModel.fit(
                indices.map { example($0) }, encoder: encoder, encoderName: "all-MiniLM-L6-v2",
                extra: zip(indices, rows).map { states[$0] + $1 }, options: options)
            try reader.save(to: work.own(Self.answered))
            outOfFold = indices.indices.map { next[$0] == nil ? alone[$0] : answered[$0] }
            figuresOfNext = [("without", model), ("with", reader)].map {
                .init(
                    "AUC \($0) what people said next, by trusted votes, out of fold",
                    String(format: "%.3f", $1.training.outOfFoldAUC))
            }
        }
        try RunFolder.write(lines: readings, to: work.own(Self.readings))
        let figures = try await heldOut(
            work, corpus, places, encoder: encoder, states: states, options: options, example: { example($0, raw: $1) })
        try RunFolder.write(figures, to: work.own("auc.json"))
        return StageOutcome(
            unit: "votes", cameIn: places.count, wentOut: kept,
            dropped: [
                "kept for the test": corpus.voted(in: .test).count,
                "no trust": places.count - kept - corpus.voted(in: .test).count,
            ],
            figures: figures.rows.map {
                .init("AUC \($0.name)", String(format: "%.3f (%.3f–%.3f)", $0.auc, $0.lower, $0.upper))
            } + figuresOfNext)
    }

    /// Cross-validated over people: every vote is scored by a model that saw no vote of its person, and trust is worked out
    /// anew from the training people alone. Scores of different folds are never compared with each other.
    private func heldOut(
        _ work: StageWork, _ corpus: Corpus, _ places: [Int], encoder: any TextEncoder, states: [[Float]],
        options: RewardModel.Options, example: (Int, Bool) -> RewardExample
    ) async throws -> Figures {
        let users = places.map { corpus.items[$0].userID }
        let count = configuration.evaluation.folds
        var generator = SeededGenerator(seed: configuration.seed).fork("held-out")
        let parts: [(train: [Int], test: [Int])]
        if count > 1 {
            parts = try KFold.parts(of: users, count: count, generator: &generator).map { ($0.train, $0.test) }
        } else {
            let isTest = places.map { corpus.items[$0].part == .test }
            parts = [(isTest.indices.filter { !isTest[$0] }, isTest.indices.filter { isTest[$0] })]
        }
        // As the run weighs votes, what raters judged included: else the figure would be of another method.
        let (method, _) = try TrustStage.method(configuration)
        let conduct = try RunFolder.read(Conduct.self, from: work.file(Conduct.file, of: "trust"))
        var names: [String] = []
        var scores: [[Double]] = []
        var foldOf = [Int](repeating: -1, count: places.count)
        for (fold, part) in parts.enumerated() {
            work.report("held-out people, fold \(fold + 1) of \(parts.count)")
            let table = try await VoteWeighing.table(
                corpus, part.train.map { places[$0] }, groups: conduct.groups, encoder: encoder)
            let report = try method.weigh(
                table, generator: SeededGenerator(seed: configuration.seed).fork("fold-\(fold)"))
            let weights = Dictionary(report.votes.map { ($0.item, $0) }, uniquingKeysWith: { first, _ in first })
            let train = part.train.compactMap { index -> (Int, RewardExample)? in
                var one = example(index, true)
                guard let vote = weights[corpus.items[places[index]].id] else { return nil }
                one.isGood = vote.weight >= 0.5 ? one.isGood : vote.probability >= 0.5
                one.weight = vote.weight >= 0.5 ? vote.weight : abs(2 * vote.probability - 1) * 0.5
                return one.weight > 0 ? (index, one) : nil
            }
            let test = part.test.map { example($0, true) }
            let model = try await RewardModel.train(
                train.map(\.1), encoder: encoder, encoderName: "all-MiniLM-L6-v2", extra: train.map { states[$0.0] },
                options: options)
            var found = [
                (
                    name: "reward model",
                    scores: try await model.probabilities(
                        test.map { (context: $0.context, reply: $0.reply) }, encoder: encoder,
                        extra: part.test.map { states[$0] })
                )
            ]
            // The baselines get every vote as it stands: what one would do without Loam.
            for (name, values) in try await RewardBaselines.scores(
                train: part.train.map { example($0, true) }, test: test, encoder: encoder, seed: configuration.seed)
            {
                found.append((name: name, scores: values))
            }
            if names.isEmpty {
                names = found.map(\.name)
                scores = [[Double]](repeating: [Double](repeating: 0, count: places.count), count: found.count)
            }
            for (row, one) in found.enumerated() {
                for (index, value) in zip(part.test, one.scores) { scores[row][index] = value }
            }
            for index in part.test { foldOf[index] = fold }
        }
        let tested = places.indices.filter { foldOf[$0] >= 0 }
        let labels = places.map { corpus.items[$0].rating == .like }
        let bootstrap = Bootstrap(replicates: configuration.evaluation.bootstraps, seed: configuration.seed)
        let rows = try names.enumerated().map { row, name in
            let interval = try bootstrap.interval(count: tested.count, clusters: tested.map { users[$0] }) { picked in
                Self.withinFolds(picked.map { tested[$0] }, scores[row], labels, foldOf, parts.count)
            }
            return Figures.Row(name: name, auc: interval.estimate, lower: interval.lower, upper: interval.upper)
        }
        return Figures(
            rows: rows, votes: tested.count, likes: tested.count { labels[$0] },
            people: Set(tested.map { users[$0] }).count,
            folds: parts.count)
    }

    /// Area under the ROC curve over pairs of the same fold; `nil` when no fold has both kinds.
    private static func withinFolds(
        _ picked: [Int], _ scores: [Double], _ labels: [Bool], _ foldOf: [Int], _ folds: Int
    ) -> Double? {
        var (sum, pairs) = (0.0, 0.0)
        for fold in 0..<folds {
            let mine = picked.filter { foldOf[$0] == fold }
            let good = Double(mine.count { labels[$0] })
            let count = good * (Double(mine.count) - good)
            guard count > 0, let auc = try? ROC.auc(scores: mine.map { scores[$0] }, labels: mine.map { labels[$0] })
            else { continue }
            sum += auc * count
            pairs += count
        }
        return pairs > 0 ? sum / pairs : nil
    }
}
