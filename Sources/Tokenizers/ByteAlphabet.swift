/// GPT-2's printable alphabet: one character for each byte, so that vocabularies of bytes can be written as text.
///
/// Printable Latin-1 bytes stand for themselves; the other 68 are numbered from U+0100 on (a space becomes `Ġ`).
enum ByteAlphabet {
    /// The character of each byte.
    static let scalars: [Unicode.Scalar] = {
        var table: [Unicode.Scalar] = []
        var next: UInt32 = 0x100
        for byte in UInt8.min...UInt8.max {
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: table.append(Unicode.Scalar(byte))
            default:
                table.append(Unicode.Scalar(next) ?? Unicode.Scalar(byte))
                next += 1
            }
        }
        return table
    }()

    /// All bytes in the order of their characters: the order of the first 256 tokens of a trained vocabulary.
    static let order: [UInt8] = (UInt8.min...UInt8.max).sorted { scalars[Int($0)] < scalars[Int($1)] }

    private static let bytes: [UInt32: UInt8] = Dictionary(
        uniqueKeysWithValues: scalars.enumerated().map { ($1.value, UInt8($0)) })

    /// The byte of each character below U+0144; −1 where there is none.
    private static let inverse: [Int16] = (0..<UInt32(0x144)).map { bytes[$0].map(Int16.init) ?? -1 }

    /// Appends the bytes that a token in UTF-8 stands for, or, when it has a character outside the alphabet, its own.
    static func append(bytesOf token: some Collection<UInt8>, to output: inout [UInt8]) {
        let mark = output.count
        var lead: UInt8 = 0
        for byte in token {
            if lead == 0, byte >= 0xC0 {
                lead = byte
                continue
            }
            // Characters of the alphabet have one byte or two.
            let value = lead == 0 ? Int(byte) : Int(lead & 0x1F) << 6 | Int(byte & 0x3F)
            guard lead < 0xE0, value < inverse.count, inverse[value] >= 0 else {
                output.removeSubrange(mark...)
                output.append(contentsOf: token)
                return
            }
            output.append(UInt8(truncatingIfNeeded: inverse[value]))
            lead = 0
        }
    }

    static func text(of bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for byte in bytes { text.unicodeScalars.append(scalars[Int(byte)]) }
        return text
    }

    /// The bytes that a token's text stands for; `nil` when it has a character outside the alphabet.
    static func bytes(of text: String) -> [UInt8]? {
        var result: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard let byte = bytes[scalar.value] else { return nil }
            result.append(byte)
        }
        return result
    }
}
