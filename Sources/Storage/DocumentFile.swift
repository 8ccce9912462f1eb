import Conversations
import Foundation

/// A file of the operator's own on its way into the index.
public enum DocumentFile {
    /// What became of a file.
    public enum Outcome: Sendable, Hashable {
        case document(IndexedDocument)
        case skipped(String)
    }

    /// Most bytes of a file.
    public static let largest = 10_000_000
    /// Words of a passage.
    static let passageWords = 100

    /// The txt, md and html files below a folder with their names there, in order. Hidden files and links are passed over.
    public static func files(in folder: URL) -> [(name: String, file: URL)] {
        let keys: [URLResourceKey] = [.isRegularFileKey, .isSymbolicLinkKey]
        let files = FileManager.default.enumerator(
            at: folder, includingPropertiesForKeys: keys, options: [.skipsHiddenFiles])
        let root = folder.standardizedFileURL.path
        return (files?.allObjects as? [URL] ?? []).compactMap { file in
            guard ["txt", "md", "html", "htm"].contains(file.pathExtension.lowercased()),
                let values = try? file.resourceValues(forKeys: Set(keys)), values.isRegularFile == true,
                values.isSymbolicLink != true
            else { return nil }
            let path = file.standardizedFileURL.path
            let name = path.hasPrefix(root) ? String(path.dropFirst(root.count).drop { $0 == "/" }) : path
            return (name, file)
        }.sorted { $0.0 < $1.0 }
    }

    /// Reads a file as a document of passages.
    public static func read(_ file: URL, name: String) -> Outcome {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return .skipped("may not be read") }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: largest + 1) else { return .skipped("cannot be read") }
        guard data.count <= largest else { return .skipped("more than \(largest / 1_000_000) MB") }
        guard let text = String(data: data, encoding: .utf8) else { return .skipped("not UTF-8 text") }
        let isHTML = ["html", "htm"].contains(file.pathExtension.lowercased())
        let plain = isHTML ? HTMLText(text).text : text
        let words = plain.split(whereSeparator: \.isWhitespace)
        guard !words.isEmpty else { return .skipped("no text") }
        let passages = stride(from: 0, to: words.count, by: passageWords).map {
            words[$0..<min($0 + passageWords, words.count)].joined(separator: " ")
        }
        return .document(
            IndexedDocument(
                url: name, title: title(text, isHTML: isHTML) ?? file.deletingPathExtension().lastPathComponent,
                passages: passages, fingerprint: StableHash.identifier(of: Array(data))))
    }

    /// An HTML title, or the first heading of a Markdown file.
    private static func title(_ text: String, isHTML: Bool) -> String? {
        if isHTML { return HTMLText(text).title }
        let heading = text.split(whereSeparator: \.isNewline).prefix(20).first { $0.hasPrefix("# ") }
        return heading.map { $0.dropFirst(2).trimmingCharacters(in: .whitespaces) }
    }
}

/// The text of an HTML page: tags, scripts, styles and comments left out, the common entities read. Linear in the length
/// of the page; it is for reading, not for rendering.
struct HTMLText: Sendable {
    private(set) var text = ""
    private(set) var title: String?

    init(_ html: String) {
        var result = ""
        var rest = html[...]
        while let open = rest.firstIndex(of: "<") {
            result += rest[..<open]
            rest = rest[open...]
            if rest.hasPrefix("<!--") {
                rest = rest.range(of: "-->").map { rest[$0.upperBound...] } ?? ""
                continue
            }
            guard let close = rest.firstIndex(of: ">") else {
                rest = ""
                break
            }
            let tag = rest[rest.index(after: rest.startIndex)..<close]
            rest = rest[rest.index(after: close)...]
            let name = tag.prefix { $0.isLetter || $0.isNumber }.lowercased()
            switch name {
            case "script", "style", "noscript", "template", "title":
                let end = rest.range(of: "</\(name)", options: .caseInsensitive)
                if name == "title", let end, title == nil {
                    let words = Self.decoded(String(rest[..<end.lowerBound])).split(whereSeparator: \.isWhitespace)
                    if !words.isEmpty { title = words.joined(separator: " ") }
                }
                rest = end.map { rest[$0.lowerBound...] } ?? ""
            default:
                // Words on both sides of a tag stay apart, but for tags within words.
                if !["b", "i", "em", "strong", "span", "a", "code", "u", "small"].contains(name), !tag.hasPrefix("/") {
                    result += " "
                } else if tag.hasPrefix("/"),
                    !["b", "i", "em", "strong", "span", "a", "code", "u", "small"].contains(
                        tag.dropFirst().prefix { $0.isLetter || $0.isNumber }.lowercased())
                {
                    result += " "
                }
            }
        }
        result += rest
        text = Self.decoded(result)
    }

    private static let entities: [String: String] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ", "ndash": "–", "mdash": "—",
        "hellip": "…", "rsquo": "’", "lsquo": "‘", "rdquo": "”", "ldquo": "“", "copy": "©", "eacute": "é",
    ]

    private static func decoded(_ text: String) -> String {
        guard text.contains("&") else { return text }
        var result = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: "&") {
            result += rest[..<start]
            rest = rest[start...]
            let body = rest.dropFirst().prefix(10)
            guard let end = body.firstIndex(of: ";") else {
                result += "&"
                rest = rest.dropFirst()
                continue
            }
            let name = String(body[..<end])
            var replacement = entities[name]
            if name.hasPrefix("#") {
                let digits = name.dropFirst()
                let code = digits.lowercased().hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
                replacement = code.flatMap(Unicode.Scalar.init).map { String($0) }
            }
            result += replacement ?? "&\(name);"
            rest = rest[body.index(after: end)...]
        }
        return result + rest
    }
}
