import Foundation

/// A text whose identifying spans a person marked: an entry of the presidio-research format.
public struct LabelledText: Sendable, Hashable, Codable {
    public var text: String
    public var spans: [Span]
    /// The template that a made-up text was filled in from, if the file says so.
    public var template: String?

    /// Whether the text's template belongs to the fifth that nothing is trained on or adjusted to: FNV-1a over the
    /// template with its placeholders emptied is 4 modulo 5. Texts without a template are no part of it.
    public var isHeldOut: Bool {
        guard let template else { return false }
        var hash = FoldedHash()
        var depth = 0
        let bytes = Array(template.utf8)
        var i = 0
        while i < bytes.count {
            if i + 1 < bytes.count, bytes[i] == UInt8(ascii: "{"), bytes[i + 1] == UInt8(ascii: "{"), depth == 0 {
                depth = 1
                hash.add(bytes[i])
                i += 2
            } else if i + 1 < bytes.count, bytes[i] == UInt8(ascii: "}"), bytes[i + 1] == UInt8(ascii: "}"), depth == 1
            {
                depth = 0
                hash.add(bytes[i])
                i += 2
            } else {
                if depth == 0 { hash.add(bytes[i]) }
                i += 1
            }
        }
        return hash.value % 5 == 4
    }

    /// A marked span.
    public struct Span: Sendable, Hashable, Codable {
        /// As the file names it.
        public var entity: String
        /// Offsets in Unicode code points.
        public var start: Int
        public var end: Int

        public init(entity: String, start: Int, end: Int) {
            self.entity = entity
            self.start = start
            self.end = end
        }

        enum CodingKeys: String, CodingKey {
            case entity = "entity_type"
            case start = "start_position"
            case end = "end_position"
        }
    }

    public init(text: String, spans: [Span], template: String? = nil) {
        self.text = text
        self.spans = spans
        self.template = template
    }

    enum CodingKeys: String, CodingKey {
        case spans
        case text = "full_text"
        case template = "masked"
    }

    /// Reads a JSON list of entries `{full_text, spans: [{entity_type, start_position, end_position}]}`, or another file as lines
    /// `token TAB tag` with an empty line between texts (CoNLL; tags `B-PER`, `I-LOC`, `O`).
    /// - Throws: `DeidentificationError` with the file, the entry and the field at fault.
    public static func read(_ url: URL) throws(DeidentificationError) -> [LabelledText] {
        guard url.pathExtension.lowercased() == "json" else { return try TaggedTokens.read(url) }
        let texts: [LabelledText]
        do {
            texts = try JSONDecoder().decode([LabelledText].self, from: Data(contentsOf: url))
        } catch let error as DecodingError {
            throw DeidentificationError(.labels, "\(url.path): \(describe(error))")
        } catch {
            throw DeidentificationError(.labels, "\(url.path): the file cannot be read")
        }
        for (index, text) in texts.enumerated() {
            let count = text.text.unicodeScalars.count
            for (place, span) in text.spans.enumerated()
            where span.start < 0 || span.end < span.start || span.end > count {
                throw DeidentificationError(
                    .labels, "\(url.path): entry \(index), spans[\(place)]: outside the text of \(count) code points")
            }
        }
        return texts
    }

    private static func describe(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "the file" : path.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(place(context.codingPath)): no field '\(key.stringValue)'"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return "\(place(context.codingPath)): expected \(type)"
        case .dataCorrupted(let context): return "\(place(context.codingPath)): not valid JSON"
        @unknown default: return "not in the labelled format"
        }
    }
}
