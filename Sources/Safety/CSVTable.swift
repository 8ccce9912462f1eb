/// Rows of a comma-separated file as RFC 4180 has it: quoted fields may hold commas, line ends and doubled quotes.
struct CSVTable {
    let header: [String]
    /// Rows below the header, as many fields each as it has.
    let rows: [[String]]

    /// - Throws: `SafetyError` naming `file` and the record with too few or too many fields.
    init(_ text: String, file: String) throws {
        var records = Self.records(text)
        guard let first = records.first else { throw SafetyError(.file, "\(file): the file is empty") }
        records.removeFirst()
        if let bad = records.firstIndex(where: { $0.count != first.count }) {
            throw SafetyError(
                .file, "\(file), record \(bad + 2): \(records[bad].count) fields where the header has \(first.count)")
        }
        header = first
        rows = records
    }

    private static func records(_ text: String) -> [[String]] {
        var records: [[String]] = []
        var record: [String] = []
        var field = String.UnicodeScalarView()
        var isQuoted = false
        var isEmpty = true
        var wasQuote = false
        for scalar in text.unicodeScalars {
            if isQuoted {
                if wasQuote {
                    wasQuote = false
                    if scalar == "\"" {
                        field.append(scalar)
                        continue
                    }
                    isQuoted = false
                } else {
                    if scalar == "\"" { wasQuote = true } else { field.append(scalar) }
                    continue
                }
            }
            switch scalar {
            case "\"":
                isQuoted = true
                isEmpty = false
            case ",":
                record.append(String(field))
                field.removeAll()
                isEmpty = false
            case "\r": break
            case "\n":
                if !isEmpty { records.append(record + [String(field)]) }
                record = []
                field.removeAll()
                isEmpty = true
            default:
                field.append(scalar)
                isEmpty = false
            }
        }
        if !isEmpty { records.append(record + [String(field)]) }
        return records
    }
}
