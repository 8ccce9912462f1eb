import Foundation
import Statistics
import Trust

/// What one more vote costs when trust is kept up, beside working everything out anew, and how far the two are apart.
enum LedgerCost {
    static func run(_ options: Options) throws {
        let votes = try options.number("votes", default: 1_000_000)
        let new = try options.number("new", default: 10_000)
        let file = FileManager.default.temporaryDirectory.appending(path: "ledger \(UUID().uuidString).csv")
        defer { try? FileManager.default.removeItem(at: file) }
        try Scale.write(votes: votes + new, users: votes / 10, items: votes / 5, seed: 1, to: file)
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        let old = Data(lines.prefix(votes + 1).joined(separator: "\n").utf8)
        let later = lines.dropFirst(votes + 1).map { $0.split(separator: ",") }
        let method = PooledDawidSkene(maximumIterations: 500, tolerance: 1e-9)
        let clock = ContinuousClock()
        let first = try BallotFile(old, file: "votes").ballots
        var ledger = TrustLedger(first)
        if let text = options.optional("threshold"), let threshold = Double(text) { ledger.threshold = threshold }
        var visited = 0
        let coming = Scale.seconds(
            try clock.measure {
                for fields in later {
                    let label = fields[2] == "1" ? 1 : 0
                    visited += try ledger.add([(user: String(fields[0]), item: String(fields[1]), label: label)])
                        .itemsVisited
                }
            })
        let all = try BallotFile(file).ballots
        var solution: VoteSolution?
        let anew = Scale.seconds(
            try clock.measure { solution = try method.solve(all, generator: SeededGenerator(seed: 1)) })
        guard let solution else { return }
        var (mean, most, turned) = (0.0, 0.0, 0)
        for item in 0..<all.items.count {
            let full = solution.posterior[item * 2 + 1]
            let kept = ledger.probabilities(all.items[item])?[1] ?? .nan
            mean += abs(full - kept) / Double(all.items.count)
            most = max(most, abs(full - kept))
            if (full >= 0.5) != (kept >= 0.5) { turned += 1 }
        }
        print(
            "\(new) votes one by one on top of \(votes): \(figure(coming / Double(new) * 1e6, 1)) µs a vote, "
                + "\(figure(Double(visited) / Double(new), 1)) items looked at; anew \(figure(anew, 2)) s, "
                + "\(figure(anew / (coming / Double(new)), 0)) times as much as a vote"
        )
        print(
            "against working everything out anew: items differ by \(figure(mean, 5)) on average, \(figure(most, 3)) at most; "
                + "\(turned) of \(all.items.count) labels differ")
    }
}
