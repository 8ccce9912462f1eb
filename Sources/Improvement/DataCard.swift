import Conversations
import Deidentification
import Foundation

/// The card beside a data set: what is in it, how it came about, what is missing. Markdown.
struct DataCard {
    var shape: DatasetExport.Shape
    var figures: DataFigures
    var parts: [String: DataFigures.Part]
    var isCleaned: Bool
    var since: Date?
    var trust: Double?
    var recall: DeidentificationScore?
    var createdAt: Date

    var text: String {
        var lines = ["# Conversations with a bot, and what people said of its replies", ""]
        lines.append(
            "Written by `loam export --to \(shape.rawValue)` on \(Timestamp.text(of: createdAt) ?? "an unknown day").")
        if let since {
            lines.append("Only conversations begun or changed since \(Timestamp.text(of: since) ?? "then").")
        }
        lines += ["", "## What is in it", "", "| what | number | rate |", "| --- | ---: | ---: |"]
        let (bot, human) = (figures.botMessages, figures.humanMessages)
        func row(_ what: String, _ number: Int, of total: Int? = nil) {
            let rate = total.map { $0 == 0 ? "–" : String(format: "%.2f %%", 100 * Double(number) / Double($0)) } ?? ""
            lines.append("| \(what) | \(number) | \(rate) |")
        }
        row("conversations", figures.conversations)
        row("messages", bot + human)
        row("of the bot", bot, of: bot + human)
        row("of people", human, of: bot + human)
        row("replies liked", figures.likes, of: bot)
        row("replies disliked", figures.dislikes, of: bot)
        row("replies corrected", figures.corrections, of: bot)
        row("messages that are feedback on a reply", figures.feedbackTexts, of: human)
        row("canned replies", figures.cannedReplies, of: bot)
        row("messages of people marked unsafe", figures.unsafeHumanMessages, of: human)
        row("messages of the bot marked unsafe", figures.unsafeBotMessages, of: bot)
        row("conversations with an unsafe message of the person", figures.adversarial, of: figures.conversations)
        row("messages with labels of raters or models", figures.annotatedMessages, of: bot + human)
        lines += ["", "Why replies were disliked: \(Self.list(figures.reasons))."]
        lines += ["", "## Parts", ""]
        lines.append(
            "By person, never by message, by a hash of the person's id: the same person is in the same part of every release."
        )
        if shape == .bb3x { lines.append("Chunks 00–02 are test, 03–05 valid, 06–99 train.") }
        lines += ["", "| part | lines | conversations | messages | people |", "| --- | ---: | ---: | ---: | ---: |"]
        for (name, part) in parts.sorted(by: { $0.key < $1.key }) {
            lines.append(
                "| \(name) | \(part.lines) | \(part.conversations) | \(part.messages) | \(part.people.count) |")
        }
        lines += ["", "## How it was made", ""]
        lines.append(
            "- Consent: only conversations whose person allowed `\(shape.consent.rawValue)`; \(figures.withoutConsent) left out."
        )
        lines.append(
            "- De-identification: what identifies people was replaced, the same by the same within one conversation and never across. Replaced: \(Self.list(figures.replaced))."
        )
        if let recall {
            lines.append(
                String(
                    format:
                        "- Measured on %d labelled spans before writing: recall %.3f, precision %.3f. No measure proves that nothing is left.",
                    recall.overall.marked, recall.overall.recall, recall.overall.precision))
        } else {
            lines.append("- Recall of the de-identification was not measured for this export (`--labelled FILE` does).")
        }
        if isCleaned {
            lines.append(
                "- Cleaning: conversations without a person's message, spam (one message again and again, one sign over and over) and near-copies (four fifths of word triples in common, by MinHash) were left out: \(Self.list(figures.cleaned))."
            )
        } else {
            lines.append("- Cleaning: none; spam and copies are in it.")
        }
        if let trust {
            lines.append(
                String(
                    format: "- Votes of people trusted below %.2f were left out: %d.", trust, figures.distrustedVotes))
        } else {
            lines.append("- All votes are in it, trolls' too.")
        }
        lines += ["", "## Known gaps", ""]
        lines.append(
            "- People chose themselves to talk and to vote: rates are not those of all replies, and most replies have no vote."
        )
        if shape == .bb3x {
            lines.append(
                "- The schema has one line of messages and one thumb: \(figures.droppedReplies) regenerated replies and \(figures.othersVotes) votes of others are not in it."
            )
        }
        lines.append(
            "- Safety marks are those of the layers that ran at the time; messages without a mark were not all judged.")
        lines.append("- Texts may offend, and may be wrong.")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func list(_ counts: [String: Int]) -> String {
        if counts.isEmpty { return "none" }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }
            .joined(separator: ", ")
    }
}
