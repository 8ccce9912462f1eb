import Foundation

/// Readers of public safety data sets, as their authors publish them. The texts are offensive: print none of them.
public enum SafetyDataset {
    private struct DiaSafetyRow: Decodable {
        var context: String
        var response: String
        var label: String
        var category: String?
    }

    /// DiaSafety (Sun et al. 2022), a JSON array: `context`, `response`, `label` (`Safe`, `Unsafe`), `category`.
    public static func diaSafety(_ url: URL) throws -> [SafetyExample] {
        let rows: [DiaSafetyRow]
        do {
            rows = try JSONDecoder().decode([DiaSafetyRow].self, from: Data(contentsOf: url))
        } catch {
            throw SafetyError(.file, "\(url.path): not the JSON of DiaSafety")
        }
        return try rows.enumerated().map { index, row in
            guard row.label == "Safe" || row.label == "Unsafe" else {
                throw SafetyError(.file, "\(url.path), item \(index): field label is neither Safe nor Unsafe")
            }
            return SafetyExample(
                turn: row.context, text: row.response, isUnsafe: row.label == "Unsafe", judgedFor: row.category)
        }
    }

    /// Whether a table is ConvAbuse's, by its columns.
    public static func isConvAbuse(_ url: URL) throws -> Bool {
        try table(url).header.contains { $0.contains("_is_abuse.") }
    }

    /// ConvAbuse (Cercas Curry et al. 2021): the person's message `user` after the bot's `agent`, and per annotator five columns `…_is_abuse.1` to
    /// `…_is_abuse.-3` of which one is set. Abuse where the mean vote is below 0; rows without a vote are left out.
    public static func convAbuse(_ url: URL) throws -> [SafetyExample] {
        let table = try table(url)
        let user = try column("user", table, url)
        let agent = table.header.firstIndex(of: "agent")
        let votes = table.header.enumerated().compactMap { index, name in
            name.range(of: "_is_abuse.").flatMap { Double(name[$0.upperBound...]) }.map { (index, value: $0) }
        }
        guard !votes.isEmpty else { throw SafetyError(.file, "\(url.path): no column …_is_abuse.…") }
        return table.rows.compactMap { row in
            let cast = votes.filter { (Double(row[$0.0]) ?? 0) > 0 }.map(\.value)
            guard !cast.isEmpty else { return nil }
            return SafetyExample(
                turn: agent.map { row[$0] }.flatMap { $0.isEmpty ? nil : $0 }, text: row[user],
                isUnsafe: cast.reduce(0, +) / Double(cast.count) < 0)
        }
    }

    /// Davidson et al. (2017): `tweet` and `class` (0 hate, 1 offensive, 2 neither). Its labels are known to be unfair to
    /// African American English (Davidson, Bhattacharya and Weber 2019): give it little weight.
    public static func davidson(_ url: URL) throws -> [SafetyExample] {
        let table = try table(url)
        let label = try column("class", table, url)
        let text = try column("tweet", table, url)
        return try table.rows.enumerated().map { index, row in
            guard ["0", "1", "2"].contains(row[label]) else {
                throw SafetyError(.file, "\(url.path), record \(index + 2): field class is not 0, 1 or 2")
            }
            return SafetyExample(text: row[text], isUnsafe: row[label] != "2")
        }
    }

    private static func table(_ url: URL) throws -> CSVTable {
        guard let data = try? Data(contentsOf: url), let text = String(data: data, encoding: .utf8) else {
            throw SafetyError(.file, "\(url.path): cannot be read as UTF-8 text")
        }
        return try CSVTable(text, file: url.path)
    }

    private static func column(_ name: String, _ table: CSVTable, _ url: URL) throws -> Int {
        guard let index = table.header.firstIndex(of: name) else {
            throw SafetyError(.file, "\(url.path): no column \(name)")
        }
        return index
    }
}
