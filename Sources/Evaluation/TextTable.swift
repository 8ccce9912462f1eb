import Foundation
import Statistics

/// A table in plain text: columns as wide as their widest cell.
public struct TextTable: Sendable, Hashable {
    public var header: [String]
    public var rows: [[String]]

    public init(header: [String], rows: [[String]] = []) {
        self.header = header
        self.rows = rows
    }

    /// Lines without a trailing line end. The first column is set left, the others right.
    public var text: String {
        let all = [header] + rows
        let columns = all.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            all.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let padded = (0..<columns).map { column -> String in
                let cell = cells.indices.contains(column) ? cells[column] : ""
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }
            var text = padded.joined(separator: "  ")
            while text.last == " " { text.removeLast() }
            return text
        }
        let rule = String(repeating: "─", count: widths.reduce(0, +) + 2 * max(0, columns - 1))
        return ([line(header), rule] + rows.map(line)).joined(separator: "\n")
    }
}

extension ComparisonTable {
    /// The comparison for a terminal, with a line per arm.
    public var text: String {
        var header = ["arm", "good (95 %)", "vs \(base)", "unsafe", "liked ppl", "margin"]
        header += ["distinct-1/2", "repeating", "coherence ppl", "words"]
        // Where a made-up world knows the truth, it stands beside the judge's opinion.
        let hasTruth = rows.contains { $0.arm.truth != nil }
        if hasTruth { header.insert("really good", at: 2) }
        let rows = rows.map { row in
            [row.arm.name, Figures.percent(row.arm.good)]
                + (hasTruth ? [row.arm.truth.map { Figures.percent($0) } ?? "–"] : []) + [
                    row.goodDifference.map {
                        "\(Figures.points($0.estimate)) (\(Figures.points($0.lower)) … \(Figures.points($0.upper)))"
                    } ?? "",
                    Figures.percent(row.arm.unsafe.estimate),
                    row.arm.likedPerplexity.map { Figures.number($0, 2) } ?? "–",
                    row.arm.margin.map { Figures.signed($0, 3) } ?? "–",
                    "\(row.arm.metrics.distinct1.map { Figures.number($0, 3) } ?? "–") / "
                        + "\(row.arm.metrics.distinct2.map { Figures.number($0, 3) } ?? "–")",
                    Figures.percent(row.arm.metrics.repeating),
                    row.arm.coherencePerplexity.map { Figures.number($0, 2) } ?? "–",
                    Figures.number(row.arm.metrics.meanLength, 1),
                ]
        }
        let faults = reasons.isEmpty ? "" : "\n\n" + reasonText
        let people = clusters == prompts ? "" : " of \(Figures.count(clusters)) people or conversations"
        return TextTable(header: header, rows: rows).text
            + "\n\(Figures.count(prompts)) prompts\(people); brackets hold "
            + "95 % intervals; differences are in points, prompt by prompt." + faults
    }

    private var reasonText: String {
        TextTable(
            header: ["share with the fault"] + reasons,
            rows: rows.map { row in
                [row.arm.name] + reasons.map { Figures.percent(row.arm.reasons[$0]?.estimate ?? 0) }
            }
        ).text
    }
}
