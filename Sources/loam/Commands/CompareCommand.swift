import ArgumentParser
import Evaluation
import Foundation
import Statistics

struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "What blind votes between models come to: who wins, how surely, and how many votes are missing.",
        discussion: """
            Reads JSON lines of votes: conversation, rater, first, second (the models, in the order shown), choice (first,
            second or tie), and, where length is to be told apart from quality, first_length and second_length. Prints the
            exact test of each pair, Bradley–Terry strengths with intervals over conversations, and the effect of standing
            first.

            Example: loam compare --votes votes.jsonl
            """)

    @Option(name: .long, help: "Votes, one JSON object per line.")
    var votes: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let console = common.console
        let comparison = try PairedComparison(PairVoteFile.read(URL(filePath: votes)))
        try console.result(comparison)
        var lines = ["\(comparison.votes) votes of \(comparison.raters) raters"]
        for duel in comparison.duels {
            let needed =
                switch duel.votesNeeded {
                case 0?: "settled"
                case let count?: "about \(count) more votes needed"
                case nil: "no number of votes settles a tie"
                }
            lines.append(
                "\(duel.one) against \(duel.other): \(duel.wins) won, \(duel.losses) lost, \(duel.ties) tied; "
                    + "\(percent(duel.winRate)), p = \(String(format: "%.4f", duel.pValue)), \(needed)")
        }
        for arm in comparison.strengths {
            lines.append("strength of \(arm.arm): \(logits(arm.strength))")
        }
        lines.append("standing first: \(logits(comparison.positionEffect))")
        if let length = comparison.lengthEffect { lines.append("twice the length: \(logits(length))") }
        console.show(lines.joined(separator: "\n"))
    }

    private func percent(_ value: Interval) -> String {
        String(format: "%.1f %% (%.1f–%.1f)", 100 * value.estimate, 100 * value.lower, 100 * value.upper)
    }

    private func logits(_ value: Interval) -> String {
        String(format: "%+.2f (%+.2f … %+.2f) logits", value.estimate, value.lower, value.upper)
    }
}
