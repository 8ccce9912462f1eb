import Foundation
import Statistics

/// How far a model's probabilities can be taken at their word, measured without knowing any truth: one vote of ten is hidden,
/// and the chance that the model gives to each label of it is held against what the person said.
public enum HeldOutReliability {
    /// Votes that are looked at, at most: of larger sets a part of the items is taken.
    static let voteLimit = 500_000

    /// - Returns: `nil` where no item has two votes, so that nothing can be hidden.
    public static func measure(
        _ method: some VoteModel, on ballots: Ballots, generator: SeededGenerator
    ) throws -> Reliability? {
        let classes = ballots.classCount
        var stream = generator.fork("hidden votes")
        let part = min(1, Double(voteLimit) / Double(ballots.count))
        var columns = Ballots.Columns()
        var hidden: [(user: Int, item: Int, label: Int)] = []
        // People and items that are left with votes get new numbers, in order of appearance.
        var (users, items) = (NameTable(), NameTable())
        // Where a vote that is left stands among the columns, by person, class and item.
        var columnOf: [UInt64: Int] = [:]
        for item in 0..<ballots.items.count {
            if part < 1, !stream.chance(part) { continue }
            let range = Int(ballots.itemStart[item])..<Int(ballots.itemStart[item + 1])
            var left = range.count
            for vote in range {
                let (user, label) = Int(ballots.cellOfVote[vote]).quotientAndRemainder(dividingBy: classes)
                if left > 1, stream.chance(0.1) {
                    hidden.append((user, item, label))
                    left -= 1
                    continue
                }
                if ballots.times != nil {
                    columnOf[UInt64(ballots.cellOfVote[vote]) << 32 | UInt64(item)] = columns.users.count
                }
                columns.users.append(UInt32(ballots.users.withBytes(of: user) { users.number(adding: $0) }))
                columns.items.append(UInt32(ballots.items.withBytes(of: item) { items.number(adding: $0) }))
                columns.labels.append(UInt8(label))
            }
        }
        guard !hidden.isEmpty, !columns.users.isEmpty else { return nil }
        // A method may go by times, as by floods of new accounts: without them another method would be measured.
        if let times = ballots.times {
            columns.times = [Double](repeating: .nan, count: columns.users.count)
            for cell in 0..<ballots.users.count * classes {
                for place in Int(ballots.cellStart[cell])..<Int(ballots.cellStart[cell + 1]) {
                    let key = UInt64(cell) << 32 | UInt64(ballots.itemOfVote[place])
                    if let column = columnOf[key] { columns.times[column] = times[place] }
                }
            }
        }
        let rest = try Ballots(classes: ballots.classes, users: users, items: items, columns: columns)
        let solution = try method.solve(rest, generator: generator)
        var probabilities: [Double] = []
        var happened: [Bool] = []
        for vote in hidden {
            guard let item = items.number(of: ballots.items[vote.item]),
                let user = users.number(of: ballots.users[vote.user])
            else { continue }
            var chances = (0..<classes).map { label in
                (0..<classes).reduce(0.0) { sum, truth in
                    sum + solution.posterior[item * classes + truth]
                        * exp(solution.logChance[(user * classes + label) * classes + truth])
                }
            }
            let total = chances.reduce(0, +)
            for label in chances.indices {
                chances[label] = total > 0 ? min(chances[label] / total, 1) : 1 / Double(classes)
            }
            // Of two classes one says it all.
            for label in (classes == 2 ? 1 : 0)..<classes {
                probabilities.append(chances[label])
                happened.append(vote.label == label)
            }
        }
        return probabilities.isEmpty ? nil : try Reliability(probabilities: probabilities, labels: happened)
    }

    /// How far a method that foretells each vote from all the others can be taken at its word: nothing has to be hidden.
    /// - Returns: `nil` where the method foretells nothing.
    public static func measure(_ report: TrustReport) throws -> Reliability? {
        guard let foretold = report.foretold, !foretold.isEmpty else { return nil }
        return try Reliability(
            probabilities: foretold.map { min(max($0, 0), 1) }, labels: report.votes.map(\.isUp))
    }

    /// Against known classes: the probability of every class of the items that are known, and whether it is so.
    /// - Parameter gold: Names of items and of their classes.
    /// - Returns: Also how many items were known, and how many of them have the right label; `nil` where none is known.
    public static func measure(
        _ findings: VoteFindings, gold: [String: String]
    ) throws -> (reliability: Reliability, known: Int, right: Int)? {
        let ballots = findings.ballots
        let classes = ballots.classCount
        var probabilities: [Double] = []
        var happened: [Bool] = []
        var (known, right) = (0, 0)
        for (name, label) in gold.sorted(by: { $0.key < $1.key }) {
            var truth = ballots.classes.firstIndex(of: label)
            if truth == nil, ballots.classes == ["0", "1"] { truth = VoteFile.isUp(label).map { $0 ? 1 : 0 } }
            guard let item = ballots.items.number(of: name), let truth else { continue }
            known += 1
            if findings.solution.label(of: item) == truth { right += 1 }
            for k in (classes == 2 ? 1 : 0)..<classes {
                probabilities.append(min(max(findings.solution.posterior[item * classes + k], 0), 1))
                happened.append(k == truth)
            }
        }
        guard known > 0 else { return nil }
        return (try Reliability(probabilities: probabilities, labels: happened), known, right)
    }
}
