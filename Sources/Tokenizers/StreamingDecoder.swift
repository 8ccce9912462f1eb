/// Decodes ids as they are drawn. A character whose bytes are spread over several tokens is held back until it is whole,
/// so every piece is valid text, and the pieces together are what `decode` gives.
public struct StreamingDecoder: Sendable {
    private enum Source: Sendable {
        /// Tokens are bytes.
        case bytes(@Sendable (Int) -> ArraySlice<UInt8>)
        /// Tokens go through the steps of a decoder; `nil` for those that are skipped.
        case steps(@Sendable (Int) -> [UInt8]?, DecodingRun)
    }

    private var source: Source
    private var held: [UInt8] = []

    /// - Parameter bytes: what an id adds to the text; nothing for those that are skipped.
    init(bytes: @escaping @Sendable (Int) -> ArraySlice<UInt8>) { source = .bytes(bytes) }

    init(_ run: DecodingRun, token: @escaping @Sendable (Int) -> [UInt8]?) { source = .steps(token, run) }

    /// The text that the next id completes; often empty.
    public mutating func append(_ id: Int) -> String {
        switch source {
        case .bytes(let bytes):
            held.append(contentsOf: bytes(id))
            let whole = held.count - Self.unfinished(held)
            guard whole > 0 else { return "" }
            let piece = String(decoding: held[..<whole], as: UTF8.self)
            held.removeFirst(whole)
            return piece
        case .steps(let token, var run):
            guard let token = token(id) else { return "" }
            let piece = run.append(token)
            source = .steps(self.token, run)
            return String(decoding: piece, as: UTF8.self)
        }
    }

    private var token: @Sendable (Int) -> [UInt8]? {
        if case .steps(let token, _) = source { return token }
        return { _ in nil }
    }

    /// What is still held at the end: nothing, or a character cut short, as U+FFFD.
    public mutating func finish() -> String {
        switch source {
        case .bytes:
            defer { held.removeAll() }
            return String(decoding: held, as: UTF8.self)
        case .steps(let token, var run):
            let piece = run.finish()
            source = .steps(token, run)
            return String(decoding: piece, as: UTF8.self)
        }
    }

    /// How many bytes at the end begin a character that more bytes could still complete.
    static func unfinished(_ bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let lead = bytes[bytes.count - length]
            if lead & 0xC0 == 0x80 { continue }  // a continuation: its lead byte is further left
            let needed =
                switch lead {
                case 0xC2...0xDF: 2
                case 0xE0...0xEF: 3
                case 0xF0...0xF4: 4
                default: 1
                }
            guard length < needed else { return 0 }
            // The second byte has narrower bounds after some leads; outside them the character is broken already.
            if length > 1 {
                let second = bytes[bytes.count - length + 1]
                let bounds: ClosedRange<UInt8> =
                    switch lead {
                    case 0xE0: 0xA0...0xBF
                    case 0xED: 0x80...0x9F
                    case 0xF0: 0x90...0xBF
                    case 0xF4: 0x80...0x8F
                    default: 0x80...0xBF
                    }
                guard bounds.contains(second) else { return 0 }
            }
            return length
        }
        return 0
    }
}
