/// Decodes ids as they are drawn. A character whose bytes are spread over several tokens is held back until it is whole,
/// so every piece is valid text, and the pieces together are what `decode` gives.
public struct StreamingDecoder: Sendable {
    private let tokenizer: ByteLevelBPE
    private var held: [UInt8] = []

    init(_ tokenizer: ByteLevelBPE) { self.tokenizer = tokenizer }

    /// The text that the next id completes; often empty.
    public mutating func append(_ id: Int) -> String {
        held.append(contentsOf: tokenizer.bytes(of: id))
        let whole = held.count - Self.unfinished(held)
        guard whole > 0 else { return "" }
        let piece = String(decoding: held[..<whole], as: UTF8.self)
        held.removeFirst(whole)
        return piece
    }

    /// What is still held at the end: nothing, or a character cut short, as U+FFFD.
    public mutating func finish() -> String {
        defer { held.removeAll() }
        return String(decoding: held, as: UTF8.self)
    }

    /// How many bytes at the end begin a character that more bytes could still complete.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
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
