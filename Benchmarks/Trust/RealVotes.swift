import Foundation
import Statistics
import Trust

/// Votes of real people.
enum RealVotes {
    /// One set of votes with gold.
    struct GoldSet {
        var ballots: Ballots
        /// Class per item, where it is known.
        var gold: [Int?]
    }

    static func read(_ folder: URL) throws -> GoldSet {
        func rows(_ name: String) throws -> [[String]] {
            let url = folder.appending(path: name)
            return try CSV.records(Data(contentsOf: url), file: name).dropFirst().map(\.fields)
        }
        let votes = try rows("answer.csv")
        let classes = Set(votes.map { $0[2] }).sorted()
        var builder = BallotBuilder(classes: classes)
        for vote in votes {
            guard let label = classes.firstIndex(of: vote[2]) else { continue }
            try builder.add(user: vote[1], item: vote[0], label: label)
        }
        let ballots = try builder.ballots()
        var gold = [Int?](repeating: nil, count: ballots.items.count)
        for row in try rows("truth.csv") {
            if let item = ballots.items.number(of: row[0]) { gold[item] = classes.firstIndex(of: row[1]) }
        }
        return GoldSet(ballots: ballots, gold: gold)
    }

    static func accuracy(_ solution: VoteSolution, _ gold: [Int?]) -> Double {
        let known = gold.indices.filter { gold[$0] != nil }
        return Double(known.count { solution.label(of: $0) == gold[$0] }) / Double(known.count)
    }

    /// Accuracy of every method on both sets, beside those of a peer.
    static func gold(_ options: Options) throws {
        let folder = URL(filePath: try options.text("data"))
        var peers: [String: [String: Double]] = [:]
        if let file = options.optional("peer") {
            peers = try JSONDecoder().decode(
                [String: [String: Double]].self, from: Data(contentsOf: URL(filePath: file)))
        }
        for name in ["jn-product", "face_sentiment_identification"] {
            let set = try read(folder.appending(path: "votes/\(name)"))
            print(
                "\(name): \(set.ballots.count) votes, \(set.ballots.users.count) people, \(set.ballots.items.count) items, "
                    + "\(set.ballots.classCount) classes, gold for \(set.gold.count { $0 != nil })")
            var rows = [["method", "accuracy", "log-likelihood", "iterations", "seconds"]]
            var best = ("", 0.0)
            for method in TrustMethods.withoutContent {
                var solution: VoteSolution?
                let time = try ContinuousClock().measure {
                    solution = try method.solve(set.ballots, generator: SeededGenerator(seed: 1))
                }
                guard let solution else { continue }
                let value = accuracy(solution, set.gold)
                if value > best.1 { best = (method.name, value) }
                rows.append([
                    method.name, figure(value, 4), solution.logLikelihood.map { figure($0, 1) } ?? "–",
                    "\(solution.iterations)", figure(Scale.seconds(time)),
                ])
            }
            for (peer, value) in (peers[name] ?? [:]).sorted(by: { $0.value > $1.value }) {
                rows.append(["crowd-kit \(peer)", figure(value, 4)])
            }
            printTable(rows)
            if let theirs = peers[name]?.max(by: { $0.value < $1.value }) {
                print("best: \(best.0) \(figure(best.1, 4)) against crowd-kit \(theirs.key) \(figure(theirs.value, 4))")
            }
            print()
        }
    }

    /// How an annotator who was replaced votes, given the others' view of the item.
    enum Troll: String, CaseIterable {
        case inverse, random
        case alwaysUp = "always up"
        case alwaysDown = "always down"
        case gaslight, mixed

        /// - Parameter own: What the annotator really said, 1 for offensive; an "up" vote is 1.
        func vote(_ own: Bool, majority: Bool, _ generator: inout SeededGenerator) -> Bool {
            switch self {
            case .inverse: generator.chance(0.8) ? !own : own
            case .random: generator.chance(0.5)
            case .alwaysUp: true
            case .alwaysDown: false
            // Calls what most find offensive (1) harmless, and is honest about the rest.
            case .gaslight: majority ? false : own
            case .mixed: own
            }
        }
    }

    struct Entry: Decodable {
        var annotations: String
        var annotators: String
    }

    /// `md_agreement` with 30 % of its annotators replaced by trolls: how often the label found is still the majority of the
    /// real annotations, and how far the probability is from their share.
    static func replaced(_ options: Options) throws {
        let folder = URL(filePath: try options.text("data")).appending(path: "votes/md_agreement")
        var votes: [(user: String, item: String, isUp: Bool)] = []
        var share: [String: Double] = [:]
        for part in ["train", "dev", "test"] {
            let data = try Data(contentsOf: folder.appending(path: "MD-Agreement_\(part).json"))
            for (key, entry) in try JSONDecoder().decode([String: Entry].self, from: data).sorted(by: {
                $0.key < $1.key
            }) {
                let labels = entry.annotations.split(separator: ",").map {
                    $0.trimmingCharacters(in: .whitespaces) == "1"
                }
                let people = entry.annotators.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
                let item = "\(part)-\(key)"
                share[item] = Double(labels.count { $0 }) / Double(labels.count)
                for (person, label) in zip(people, labels) { votes.append((person, item, label)) }
            }
        }
        let people = Set(votes.map(\.user)).sorted()
        print("md_agreement: \(votes.count) votes, \(people.count) annotators, \(share.count) texts; 30 % replaced")
        let seeds = try options.number("seeds", default: 3)
        let methods = TrustMethods.withoutContent.filter { $0.name != "mace-em" }
        var agreement = [["agreement with the majority"] + ["nobody"] + Troll.allCases.map(\.rawValue)]
        var distance = [["mean |probability − share|"] + ["nobody"] + Troll.allCases.map(\.rawValue)]
        var agreed = methods.map { _ in [Double](repeating: 0, count: Troll.allCases.count + 1) }
        var far = agreed
        for seed in 0..<seeds {
            var generator = SeededGenerator(seed: UInt64(seed)).fork("md agreement")
            let trolls = Set(generator.shuffled(people).prefix(people.count * 3 / 10))
            let kinds = Troll.allCases.filter { $0 != .mixed }
            let kindOf = Dictionary(
                uniqueKeysWithValues: trolls.sorted().map { ($0, kinds[generator.index(below: kinds.count)]) })
            for (column, troll) in ([nil] + Troll.allCases.map { $0 }).enumerated() {
                var builder = BallotBuilder()
                for vote in votes {
                    var isUp = vote.isUp
                    if let troll, let own = kindOf[vote.user] {
                        isUp = (troll == .mixed ? own : troll).vote(
                            vote.isUp, majority: (share[vote.item] ?? 0) > 0.5, &generator)
                    }
                    try builder.add(user: vote.user, item: vote.item, label: isUp ? 1 : 0)
                }
                let ballots = try builder.ballots()
                let real = ballots.items.strings.map { share[$0] ?? 0 }
                for (row, method) in methods.enumerated() {
                    let solution = try method.solve(ballots, generator: SeededGenerator(seed: 1))
                    let right = real.indices.count { (solution.posterior[$0 * 2 + 1] >= 0.5) == (real[$0] > 0.5) }
                    let gap = real.indices.reduce(0.0) { $0 + abs(solution.posterior[$1 * 2 + 1] - real[$1]) }
                    agreed[row][column] += Double(right) / Double(real.count) / Double(seeds)
                    far[row][column] += gap / Double(real.count) / Double(seeds)
                }
            }
        }
        for (row, method) in methods.enumerated() {
            agreement.append([method.name] + agreed[row].map { figure($0) })
            distance.append([method.name] + far[row].map { figure($0) })
        }
        printTable(agreement)
        print()
        printTable(distance)
    }
}
