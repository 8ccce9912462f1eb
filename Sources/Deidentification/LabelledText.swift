import Foundation

/// A text whose identifying spans a person marked: an entry of the presidio-research format.
public struct LabelledText: Sendable, Hashable, Decodable {
    public var text: String
    public var spans: [Span]

    /// A marked span.
    public struct Span: Sendable, Hashable, Decodable {
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

    public init(text: String, spans: [Span]) {
        self.text = text
        self.spans = spans
    }

    enum CodingKeys: String, CodingKey {
        case spans
        case text = "full_text"
    }

    /// Reads a JSON list of entries `{full_text, spans: [{entity_type, start_position, end_position}]}`.
    /// - Throws: `DeidentificationError` with the file, the entry and the field at fault.
    public static func read(_ url: URL) throws(DeidentificationError) -> [LabelledText] {
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
