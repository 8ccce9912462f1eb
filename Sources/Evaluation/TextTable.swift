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
        header += ["distinct-1/2", "repeating", "coherence ppl", "odd", "words"]
        // Where a made-up world knows the truth, it stands beside the judge's opinion.
        let hasTruth = rows.contains { $0.arm.truth != nil }
        if hasTruth { header.insert("really good", at: 2) }
        let cells = rows.map { Self.cells($0, withTruth: hasTruth) }
        let faults = reasons.isEmpty ? "" : "\n\n" + reasonText
        let people = clusters == prompts ? "" : " of \(Figures.count(clusters)) people or conversations"
        return TextTable(header: header, rows: cells).text
            + "\n\(Figures.count(prompts)) prompts\(people); brackets hold "
            + "95 % intervals; differences are in points, prompt by prompt." + faults
    }

    private static func cells(_ row: Row, withTruth: Bool) -> [String] {
        let metrics = row.arm.metrics
        var cells = [row.arm.name, Figures.percent(row.arm.good)]
        if withTruth { cells.append(row.arm.truth.map { Figures.percent($0) } ?? "–") }
        if let gain = row.goodDifference {
            let bounds = "(\(Figures.points(gain.lower)) … \(Figures.points(gain.upper)))"
            cells.append(Figures.points(gain.estimate) + " " + bounds)
        } else {
            cells.append("")
        }
        cells.append(Figures.percent(row.arm.unsafe.estimate))
        cells.append(row.arm.likedPerplexity.map { Figures.number($0, 2) } ?? "–")
        cells.append(row.arm.margin.map { Figures.signed($0, 3) } ?? "–")
        let distinct = [metrics.distinct1, metrics.distinct2].map { $0.map { Figures.number($0, 3) } ?? "–" }
        cells.append(distinct.joined(separator: " / "))
        cells.append(Figures.percent(metrics.repeating))
        cells.append(row.arm.coherencePerplexity.map { Figures.number($0, 2) } ?? "–")
        cells.append(row.arm.odd.map { Figures.percent($0) } ?? "–")
        cells.append(Figures.number(metrics.meanLength, 1))
        return cells
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
