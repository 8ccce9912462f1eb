import Foundation
import Simulation
import Statistics
import Trust

/// The SafetyMix measurements as the command line asks for them.
enum SafetyMixRun {
    /// What the encoder must read, one JSON string a line: the parts of each text in their order.
    static func texts(_ options: Options) throws {
        let texts = try SafetyTexts(options.text("set"), data: URL(filePath: options.text("data")))
        try write(parts: texts.parts, to: URL(filePath: options.text("out")))
    }

    static func write(parts: [[String]], to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let lines = try parts.flatMap { $0 }.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: url)
    }

    /// Vectors of the parts of each text side by side.
    static func vectors(_ texts: [[String]], _ url: URL) throws -> Matrix {
        let parts = try NumPyFile.matrix(url)
        let each = texts.first?.count ?? 1
        guard parts.rows == texts.count * each else {
            throw BenchmarkError(
                "\(url.lastPathComponent) has \(parts.rows) rows for \(texts.count) texts of \(each) parts")
        }
        return try Matrix(rows: texts.count, columns: each * parts.columns, values: parts.values)
    }

    private static func benchmark(_ options: Options) throws -> SafetyMixBenchmark {
        let texts = try SafetyTexts(options.text("set"), data: URL(filePath: options.text("data")))
        return SafetyMixBenchmark(
            texts: texts, vectors: try vectors(texts.parts, URL(filePath: options.text("vectors"))),
            size: .init(scale: try options.number("scale", default: 1)))
    }

    static func run(_ options: Options) throws {
        let benchmark = try benchmark(options)
        let seeds = try options.number("seeds", default: 10)
        let names = options.optional("methods")?.split(separator: ",").map(String.init)
        let methods = try names.map { try $0.map(TrustMethods.named) } ?? TrustMethods.withContent
        for text in (options.optional("shares") ?? "0,0.3,0.5").split(separator: ",") {
            guard let share = Double(text) else { throw BenchmarkError("“\(text)” is no share of trolls") }
            let groups = share > 0 ? SafetyMixBenchmark.groups : [("nobody", [])]
            print(
                "\(benchmark.texts.name), \(benchmark.size.training)/\(benchmark.size.validation) labels, "
                    + "\(Int(100 * share)) % by trolls, \(seeds) seeds: error on \(2 * benchmark.size.testTexts) clean texts"
            )
            let outcomes = try benchmark.run(share: share, seeds: seeds, methods: methods, groups: groups)
            let report = SafetyMixReport(
                outcomes: outcomes, groups: groups.map(\.name), arms: ["none"] + methods.map(\.name) + ["oracle"])
            for line in try report.lines(hasTrolls: share > 0) { print(line) }
            print("")
        }
    }

    /// Where most votes are contrary, votes alone say the contrary of the truth: what one anchor in a hundred items mends.
    static func anchors(_ options: Options) throws {
        let benchmark = try benchmark(options)
        let seeds = try options.number("seeds", default: 10)
        print("\(benchmark.texts.name), 60 % of votes by trolls, anchors on 1 % of items, \(seeds) seeds")
        printTable(
            [["trolls", "none", "joint", "joint, anchors", "oracle", "gain held"]]
                + (try SafetyMixBenchmark.groups.map { group in
                    var sums = [String: Double]()
                    for seed in 0..<seeds {
                        let problem = try benchmark.problem(group.kinds, share: 0.6, seed: seed)
                        for (arm, outcome) in try benchmark.outcomes(problem, methods: [JointModel()], seed: seed) {
                            sums[arm, default: 0] += outcome.error / Double(seeds)
                        }
                        var items: [String: Bool] = [:]
                        for (vote, isGood) in zip(problem.votes, problem.gold) { items[vote.item] = isGood }
                        var stream = SeededGenerator(seed: UInt64(seed)).fork("anchors")
                        let chosen = stream.shuffled(items.keys.sorted()).prefix(max(1, items.count / 100))
                        let known = Dictionary(uniqueKeysWithValues: chosen.map { ($0, items[$0] ?? false) })
                        let method = JointModel(anchors: TrustAnchors(items: known))
                        let anchored = try benchmark.outcomes(problem, methods: [method], seed: seed)
                        sums["anchors", default: 0] += (anchored["joint"]?.error ?? .nan) / Double(seeds)
                    }
                    func sum(_ arm: String) -> Double { sums[arm] ?? .nan }
                    let held = (sum("none") - sum("anchors")) / (sum("none") - sum("oracle"))
                    return [group.name]
                        + ["none", "joint", "anchors", "oracle"].map { figure(sum($0)) } + [figure(held, 2)]
                }))
    }
}
