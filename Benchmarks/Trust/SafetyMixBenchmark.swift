import Foundation
import Simulation
import Statistics
import Synchronization
import Trust

/// SafetyMix on real texts: people label, some of them are trolls, a method cleans, a classifier learns, and its error on
/// clean test texts is compared with learning from the labels as given and from the truth.
///
/// Ju and others 2022 (arXiv 2208.03295). The classifier is a logistic regression on frozen sentence vectors for every arm
/// alike. Neither set has an adversarial round, so both sources are halves of the same texts.
struct SafetyMixBenchmark {
    /// Sizes of the parts.
    struct Size {
        /// 1 is the paper's: 200 labels for training, 24 for validation out of 800 texts of each class; 10 is ten times that.
        var scale: Int
        var training: Int { 200 * scale }
        var validation: Int { 24 * scale }
        /// Texts of each class: for the test, and to draw from.
        var testTexts: Int { 1000 }
        var validationTexts: Int { scale == 1 ? 100 : 400 }
        var trainingTexts: Int { 800 * scale }
    }

    /// What one arm did in one run.
    struct Outcome {
        var error: Double
        var seconds: Double
        /// Area under the curve of trust as a detector of helpers; `nil` where there is nobody to detect.
        var detection: Double?
    }

    /// The trolls of one experiment: one kind, or all in equal parts.
    static let groups: [(name: String, kinds: [SafetyMix.Kind])] =
        SafetyMix.Kind.trolls.map { ($0.rawValue, [$0]) } + [("mix", SafetyMix.Kind.trolls)]

    let texts: SafetyTexts
    let vectors: Matrix
    let size: Size

    /// One drawn data set.
    struct Problem {
        var votes: [Vote]
        var gold: [Bool]
        var isHelper: [String: Bool]
        var test: [Int]
    }

    func problem(_ kinds: [SafetyMix.Kind], share: Double, seed: Int) throws -> Problem {
        // The texts are dealt alike for every kind and share of one seed.
        var deal = SeededGenerator(seed: UInt64(seed)).fork("deal")
        let order = deal.shuffled(Array(texts.utterances.indices))
        let classes = [true, false].map { isSafe in order.filter { texts.utterances[$0].isSafe == isSafe } }
        func slice(_ start: Int, _ count: Int) -> [[Int]] {
            classes.map { Array($0.dropFirst(start).prefix(count)) }
        }
        let parts = [
            ("train", slice(size.testTexts + size.validationTexts, size.trainingTexts), size.training),
            ("valid", slice(size.testTexts, size.validationTexts), size.validation),
        ]
        let group = kinds.map(\.rawValue).joined(separator: "+")
        var stream = SeededGenerator(seed: UInt64(seed)).fork("draw \(group) \(share)")
        var generator = SplitMix64(seed: stream.next())
        var problem = Problem(votes: [], gold: [], isHelper: [:], test: Array(slice(0, size.testTexts).joined()))
        for (name, rows, count) in parts {
            let halves = (0...1).map { half in
                rows.flatMap { $0.enumerated().filter { $0.offset % 2 == half }.map(\.element) }
            }
            let mix = SafetyMix(
                standard: halves[0].map { texts.utterances[$0] }, adversarial: halves[1].map { texts.utterances[$0] })
            for sample in mix.draw(count, trolls: kinds, share: share, prefix: name + " ", generator: &generator) {
                let row = halves[sample.source == .standard ? 0 : 1][sample.place]
                problem.votes.append(Vote(user: sample.user, item: "\(row)", isUp: sample.isSafe, row: row))
                problem.gold.append(sample.gold)
                problem.isHelper[sample.user] = sample.kind == .helper
            }
        }
        // People come in no order: as votes come in.
        var places = SeededGenerator(seed: UInt64(seed)).fork("order")
        let shuffled = places.shuffled(Array(problem.votes.indices))
        problem.votes = shuffled.map { problem.votes[$0] }
        problem.gold = shuffled.map { problem.gold[$0] }
        return problem
    }

    /// Error on the clean test texts of a classifier that learnt these targets.
    func error(_ problem: Problem, rows: [Int], targets: [TrainingTarget]) throws -> Double {
        guard targets.contains(where: { $0.weight > 0 }) else { return 0.5 }
        let model = try LogisticRegression(
            vectors.selecting(rows: rows), labels: targets.map(\.label), weights: targets.map(\.weight),
            options: .init(l2: 1, tolerance: 1e-5))
        let margins = try model.margins(vectors.selecting(rows: problem.test))
        let wrong = zip(problem.test, margins).count { ($1 > 0) != texts.utterances[$0].isSafe }
        return Double(wrong) / Double(problem.test.count)
    }

    /// All arms on one problem: "none", "oracle" and the methods by name.
    func outcomes(_ problem: Problem, methods: [any TrustMethod], seed: Int) throws -> [String: Outcome] {
        let rows = problem.votes.map { $0.row ?? 0 }
        func plain(_ labels: [Bool]) throws -> Outcome {
            let targets = labels.map { TrainingTarget(label: $0 ? 1 : 0, weight: 1) }
            return Outcome(error: try error(problem, rows: rows, targets: targets), seconds: 0)
        }
        var outcomes = ["none": try plain(problem.votes.map(\.isUp)), "oracle": try plain(problem.gold)]
        // The methods see the rows of this problem alone.
        let used = Array(Set(rows)).sorted()
        let places = Dictionary(uniqueKeysWithValues: zip(used, 0...))
        let votes = problem.votes.map { vote in
            Vote(user: vote.user, item: vote.item, isUp: vote.isUp, row: places[vote.row ?? 0])
        }
        let table = try VoteTable(votes: votes, features: vectors.selecting(rows: used))
        let tableRows = table.votes.map { used[$0.row ?? 0] }
        for method in methods {
            let clock = ContinuousClock()
            let start = clock.now
            let report = try method.weigh(table, generator: SeededGenerator(seed: UInt64(seed)))
            let seconds = (clock.now - start) / .seconds(1)
            let labels = report.users.map { problem.isHelper[$0.user] ?? false }
            outcomes[method.name] = Outcome(
                error: try error(problem, rows: tableRows, targets: report.trainingTargets), seconds: seconds,
                detection: try? ROC.auc(scores: report.users.map(\.trust), labels: labels))
        }
        return outcomes
    }

    /// Outcomes by group of trolls, in the order of the seeds.
    func run(
        share: Double, seeds: Int, methods: [any TrustMethod], groups: [(name: String, kinds: [SafetyMix.Kind])]
    ) throws -> [String: [[String: Outcome]]] {
        let jobs = groups.flatMap { group in (0..<seeds).map { (group, $0) } }
        let found = Mutex<[Int: Result<[String: Outcome], any Error>]>([:])
        DispatchQueue.concurrentPerform(iterations: jobs.count) { number in
            let (group, seed) = jobs[number]
            let result = Result {
                try outcomes(problem(group.kinds, share: share, seed: seed), methods: methods, seed: seed)
            }
            found.withLock { $0[number] = result }
        }
        var table: [String: [[String: Outcome]]] = [:]
        for (number, job) in jobs.enumerated() {
            guard let result = found.withLock({ $0[number] }) else { continue }
            table[job.0.name, default: []].append(try result.get())
        }
        return table
    }
}
