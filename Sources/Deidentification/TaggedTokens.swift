import Foundation

/// Reads lines `token TAB tag` with an empty line between texts, as Broad Twitter has them.
enum TaggedTokens {
    static let kinds = ["PER": "PERSON", "LOC": "LOCATION", "ORG": "ORGANIZATION"]

    /// Texts with single spaces between tokens, but none behind an `@`. The user name behind an `@` is no name here: it is found as
    /// a user name, whatever it is tagged as.
    static func read(_ url: URL) throws(DeidentificationError) -> [LabelledText] {
        guard let content = try? String(contentsOf: url, encoding: .utf8) else {
            throw DeidentificationError(.labels, "\(url.path): the file cannot be read")
        }
        var texts: [LabelledText] = []
        var text: [Unicode.Scalar] = []
        var spans: [LabelledText.Span] = []
        func end() {
            if !text.isEmpty { texts.append(LabelledText(text: string(text), spans: spans)) }
            text = []
            spans = []
        }
        // `\r\n` is one character to Swift, and no `\n`.
        let lines = content.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (number, line) in lines.enumerated() {
            guard !line.allSatisfy(\.isWhitespace) else {
                end()
                continue
            }
            guard let tab = line.lastIndex(of: "\t") else {
                throw DeidentificationError(
                    .labels, "\(url.path): line \(number + 1): expected a token, a tab and a tag")
            }
            let token = Array(line[..<tab].unicodeScalars)
            let tag = line[line.index(after: tab)...]
            let isHandle = text.last == "@"
            if !text.isEmpty, !isHandle { text.append(" ") }
            let start = text.count
            text += token
            guard tag != "O", !isHandle, token.first != "@", token.first != "#" else { continue }
            guard let kind = kinds[String(tag.dropFirst(2))], tag.hasPrefix("B-") || tag.hasPrefix("I-") else {
                throw DeidentificationError(.labels, "\(url.path): line \(number + 1): unknown tag '\(tag)'")
            }
            if tag.hasPrefix("I-"), let last = spans.last, last.entity == kind, last.end == start - 1 {
                spans[spans.count - 1].end = text.count
            } else {
                spans.append(.init(entity: kind, start: start, end: text.count))
            }
        }
        end()
        return texts
    }

    private static func string(_ scalars: [Unicode.Scalar]) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }
}
