import Foundation
import Statistics

/// How people write, as numbers: what gives away somebody who fills pages without saying anything.
///
/// Measured on texts alone, with no vote and no label: turns that repeat each other, turns that others wrote word for word,
/// turns taken from one text to the next, very short turns, few different words.
public struct WritingHabits: Sendable, Hashable {
    /// Names of the columns of `figures`.
    public static let names = [
        "words_per_turn", "deviation_of_words", "turns", "distinct_words", "words", "repeated_turns", "common_turns",
        "reused_turns", "punctuation", "questions", "short_turns", "texts_log",
    ]
    /// Per writer and name the mean over their texts.
    public let figures: Matrix
    /// Per writer how unusual it is to repeat, copy and reuse as much: the sum of −ln of the share of writers who do so at
    /// least as much (Fisher's way to join tests). Larger is more suspect.
    public let oddity: [Double]

    /// - Parameter writers: Per writer their texts, each as turns.
    /// - Throws: `StatisticsError` when there is nobody.
    public init(_ writers: [[[String]]]) throws {
        let folded = writers.map { $0.map { $0.map { $0.lowercased().trimmingCharacters(in: .whitespaces) } } }
        // In how many texts a turn stands, of everybody and of one writer.
        var everywhere: [String: Int] = [:]
        for text in folded.joined() { for turn in Set(text) { everywhere[turn, default: 0] += 1 } }
        let rows = folded.map { texts -> [Double] in
            var own: [String: Int] = [:]
            for text in texts { for turn in Set(text) { own[turn, default: 0] += 1 } }
            var sum = [Double](repeating: 0, count: Self.names.count - 1)
            for text in texts where !text.isEmpty {
                for (column, value) in Self.figures(of: text, everywhere: everywhere, own: own).enumerated() {
                    sum[column] += value
                }
            }
            return sum.map { $0 / Double(max(texts.count, 1)) } + [log(Double(max(texts.count, 1)))]
        }
        guard !rows.isEmpty else { throw StatisticsError(.tooFew, "there are no writers") }
        figures = try Matrix(rows.map { $0.map(Float.init) })
        var total = [Double](repeating: 0, count: rows.count)
        for name in ["repeated_turns", "common_turns", "reused_turns"] {
            guard let column = Self.names.firstIndex(of: name) else { continue }
            for (writer, tail) in Self.tails(rows.map { $0[column] }).enumerated() { total[writer] -= log(tail) }
        }
        oddity = total
    }

    private static func figures(of turns: [String], everywhere: [String: Int], own: [String: Int]) -> [Double] {
        let count = Double(turns.count)
        let words = turns.map { turn in turn.split { !($0.isLetter || $0.isNumber || $0 == "_") } }
        let lengths = words.map { Double($0.count) }
        let mean = lengths.reduce(0, +) / count
        let variance = lengths.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let all = words.joined()
        let marks = turns.reduce(0) { $0 + $1.count { ".,!?".contains($0) } }
        let characters = turns.reduce(0) { $0 + $1.count + 1 }
        func share(_ matches: (String) -> Bool) -> Double { Double(turns.count(where: matches)) / count }
        return [
            mean, variance.squareRoot(), count, Double(Set(all).count) / Double(max(all.count, 1)), Double(all.count),
            1 - Double(Set(turns).count) / count, share { (everywhere[$0] ?? 0) > 1 }, share { (own[$0] ?? 0) > 1 },
            Double(marks) / Double(characters), share { $0.hasSuffix("?") },
            Double(words.count { $0.count <= 2 }) / count,
        ]
    }

    /// Per value the share of values that are as large, itself and equal ones counted half.
    static func tails(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { (values[$0], $0) > (values[$1], $1) }
        var tails = values
        var start = 0
        while start < order.count {
            var end = start
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for place in start..<end { tails[order[place]] = Double(start + end) / 2 / Double(order.count) }
            start = end
        }
        return tails
    }
}
