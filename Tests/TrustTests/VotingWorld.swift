import Foundation
import Statistics
import Trust

/// A made-up deployment of which the truth is known: items with features, helpers and trolls who vote on them.
struct VotingWorld {
    enum Behaviour: String, CaseIterable {
        case helper, inverse, random, alwaysUp, alwaysDown
    }
    var votes: [Vote] = []
    var features: Matrix
    /// Truth per item name.
    var isGood: [String: Bool] = [:]
    var behaviour: [String: Behaviour] = [:]
    /// Items nobody voted on, with their truth.
    var testFeatures: Matrix
    var testLabels: [Bool] = []

    /// - Parameters:
    ///   - skill: How often a helper is right.
    ///   - trolls: Their share, spread evenly over `kinds`.
    ///   - votesPerItem: How many people see each item.
    ///   - clarity: How far the content gives the truth away; 2 lets a perfect reader reach an AUC of about .9.
    init(
        people: Int, votesPerPerson: Double = 10, trolls: Double, kinds: [Behaviour] = [.inverse], skill: Double = 0.8,
        votesPerItem: Int = 1, dimension: Int = 12, clarity: Double = 2, level: Double = 0.4, seed: UInt64
    ) throws {
        var generator = SeededGenerator(seed: seed).fork("world")
        let direction = (0..<dimension).map { _ in generator.normal() }
        let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
        func item() -> (features: [Float], isGood: Bool) {
            let x = (0..<dimension).map { _ in generator.normal() }
            let z = zip(x, direction).reduce(0) { $0 + $1.0 * $1.1 } / length
            return (x.map(Float.init), generator.chance(LogisticRegression.sigmoid(clarity * z + level)))
        }
        var slots: [String] = []
        let trollCount = Int((Double(people) * trolls).rounded())
        for person in 0..<people {
            let name = "person \(person)"
            behaviour[name] = person < trollCount ? kinds[person % kinds.count] : .helper
            let count = max(1, Int(generator.normal(mean: votesPerPerson, deviation: votesPerPerson / 3).rounded()))
            slots += Array(repeating: name, count: count)
        }
        generator.shuffle(&slots)
        var rows: [[Float]] = []
        for (position, name) in slots.enumerated() {
            let number = position / votesPerItem
            let id = "item \(number)"
            if number == rows.count {
                let new = item()
                rows.append(new.features)
                isGood[id] = new.isGood
            }
            let truth = isGood[id] ?? false
            let isUp =
                switch behaviour[name] ?? .helper {
                case .helper: generator.chance(skill) == truth
                case .inverse: generator.chance(skill) != truth
                case .random: generator.chance(0.5)
                case .alwaysUp: generator.chance(0.98)
                case .alwaysDown: generator.chance(0.02)
                }
            votes.append(Vote(user: name, item: id, isUp: isUp, row: number))
        }
        features = try Matrix(rows)
        var tests: [[Float]] = []
        for _ in 0..<1500 {
            let new = item()
            tests.append(new.features)
            testLabels.append(new.isGood)
        }
        testFeatures = try Matrix(tests)
    }

    func table(withContent: Bool = true) throws -> VoteTable {
        withContent
            ? try VoteTable(votes: votes, features: features)
            : try VoteTable(votes: votes.map { Vote(user: $0.user, item: $0.item, isUp: $0.isUp) })
    }

    /// How well trust tells helpers from trolls of some kinds.
    func separation(_ report: TrustReport, kinds: [Behaviour] = Behaviour.allCases) throws -> Double {
        let users = report.users.filter {
            behaviour[$0.user] == .helper || kinds.contains(behaviour[$0.user] ?? .helper)
        }
        return try ROC.auc(scores: users.map(\.trust), labels: users.map { behaviour[$0.user] == .helper })
    }

    /// Mean trust of this world's own people.
    func meanTrust(_ report: TrustReport) -> Double {
        let trust = report.users.filter { behaviour[$0.user] != nil }.map(\.trust)
        return trust.reduce(0, +) / Double(trust.count)
    }

    /// How well the labels found tell good items from bad.
    func labelArea(_ report: TrustReport) throws -> Double {
        try ROC.auc(scores: report.items.map(\.probability), labels: report.items.map { isGood[$0.item] ?? false })
    }

    enum Target { case raw, weighted, soft, softWeighted, truth }

    /// How well a classifier trained on what a report says does on items nobody voted on.
    func testArea(_ report: TrustReport?, _ target: Target) throws -> Double {
        let rows = votes.map { $0.row ?? 0 }
        let known = report?.votes ?? []
        let labels = votes.indices.map { index -> Double in
            switch target {
            case .raw, .weighted: votes[index].isUp ? 1 : 0
            case .soft, .softWeighted: known[index].probability
            case .truth: isGood[votes[index].item] ?? false ? 1 : 0
            }
        }
        let weights = votes.indices.map { index -> Double in
            switch target {
            case .raw, .soft, .truth: 1
            case .weighted: known[index].weight
            case .softWeighted: abs(2 * known[index].probability - 1)
            }
        }
        let model = try LogisticRegression(
            features.selecting(rows: rows), labels: labels, weights: weights, options: .init(l2: 10))
        return try ROC.auc(scores: model.margins(testFeatures), labels: testLabels)
    }
}
