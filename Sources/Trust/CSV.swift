import Foundation

/// Comma-separated values as RFC 4180 has them: quoted fields, doubled quotes, line ends of both kinds inside and outside
/// quotes, and a byte-order mark that is ignored.
public enum CSV {
    /// One record with the line it begins on, counted from 1.
    public struct Record: Sendable, Hashable {
        public var line: Int
        public var fields: [String]
    }

    /// Splits bytes into records. Empty lines are left out.
    /// - Throws: `TrustError` naming file and line for text that is not UTF-8 or a quote that is never closed.
    public static func records(_ data: Data, file: String) throws -> [Record] {
        var records: [Record] = []
        try forEach(data, file: file) { records.append($0) }
        return records
    }

    /// Hands each record on as it is read, so that a large file needs no second copy.
    public static func forEach(_ data: Data, file: String, _ body: (Record) throws -> Void) throws {
        try data.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
            var position = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
            var line = 1
            var record = Record(line: 1, fields: [])
            var field: [UInt8] = []
            func close() throws {
                guard let text = String(validating: field, as: UTF8.self) else {
                    throw TrustError(.file, "\(file), line \(line), field \(record.fields.count + 1): not valid UTF-8")
                }
                record.fields.append(text)
                field.removeAll(keepingCapacity: true)
            }
            func finish() throws {
                if record.fields.isEmpty, field.isEmpty { return }
                try close()
                try body(record)
                record.fields = []
            }
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                switch byte {
                case UInt8(ascii: "\""):
                    var closed = false
                    while position < bytes.count {
                        let inner = bytes[position]
                        position += 1
                        if inner == UInt8(ascii: "\"") {
                            guard position < bytes.count, bytes[position] == inner else {
                                closed = true
                                break
                            }
                            position += 1
                        }
                        if inner == UInt8(ascii: "\n") { line += 1 }
                        field.append(inner)
                    }
                    guard closed else {
                        throw TrustError(
                            .file,
                            "\(file), line \(record.line): a quote in field \(record.fields.count + 1) is never closed")
                    }
                case UInt8(ascii: ","):
                    try close()
                case UInt8(ascii: "\r") where position < bytes.count && bytes[position] == UInt8(ascii: "\n"):
                    continue
                case UInt8(ascii: "\n"):
                    try finish()
                    line += 1
                    record.line = line
                default:
                    field.append(byte)
                }
            }
            try finish()
        }
    }

    /// One line, with quotes where they are needed, ended by CR LF.
    public static func line(_ fields: [String]) -> String {
        fields.map(quoted).joined(separator: ",") + "\r\n"
    }

    private static func quoted(_ field: String) -> String {
        let needsQuotes = field.utf8.contains { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }
        return needsQuotes ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
    }
}
