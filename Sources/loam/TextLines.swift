import Conversations
import Foundation

/// The lines of a text file, without their ends and a byte order mark. `\r\n` is one character to Swift: a text that is
/// cut at the character `\n` stays a single line where a file has such ends.
enum TextLines {
    /// - Throws: `LogError` that names the file, and the line that is not UTF-8.
    static func read(_ path: String) throws -> [String] {
        var reader = try LineReader(URL(filePath: path))
        var lines: [String] = []
        while let line = try reader.next() {
            guard let text = line.text else {
                throw LogError(.invalidUTF8, file: path, line: line.number, reason: "too long, or not UTF-8")
            }
            lines.append(text)
        }
        return lines
    }
}
