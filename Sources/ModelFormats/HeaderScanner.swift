/// A strict reader of the small part of JSON that a safetensors header uses: objects, strings, whole numbers, arrays.
///
/// Foundation's parsers keep the last of two equal keys without a word, and a hostile file may hide a tensor that way,
/// so the header has a reader of its own that sees every key. It never reads past its buffer and never recurses.
struct HeaderScanner {
    /// Where reading stopped and why; offsets count from the start of the header.
    struct Fault: Error {
        let message: String
    }

    private let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    func fault(_ message: String) -> Fault { Fault(message: "\(message) at byte \(offset) of the header") }

    /// True when nothing but padding is left.
    mutating func isAtEnd() -> Bool {
        skipSpace()
        return offset == bytes.count
    }

    private mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    /// Takes `character` if it comes next.
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard offset < bytes.count, UInt32(bytes[offset]) == character.value else { return false }
        offset += 1
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
        guard take(character) else { throw fault("expected '\(character)'") }
    }

    /// A whole number from 0 to `Int.max`, without sign, fraction, exponent or leading zero.
    mutating func number() throws(Fault) -> Int {
        skipSpace()
        let start = offset
        var value = 0
        while offset < bytes.count, case 0x30...0x39 = bytes[offset] {
            let (tens, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(Int(bytes[offset] - 0x30))
            guard !overflowed, !carried else { throw fault("a number is too large") }
            value = sum
            offset += 1
        }
        guard offset > start else { throw fault("expected a whole number") }
        guard offset == start + 1 || bytes[start] != 0x30 else { throw fault("a number begins with 0") }
        return value
    }

    /// `[n, n, …]`, at most `limit` of them.
    mutating func numbers(limit: Int) throws(Fault) -> [Int] {
        try expect("[")
        var values: [Int] = []
        if take("]") { return values }
        repeat {
            guard values.count < limit else { throw fault("a list has more than \(limit) numbers") }
            values.append(try number())
        } while take(",")
        try expect("]")
        return values
    }

    /// A string with JSON's escapes resolved; must be well-formed UTF-8 without bare control characters.
    mutating func string() throws(Fault) -> String {
        try expect("\"")
        var content: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case 0x22:
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw fault("a string is not UTF-8")
                }
                offset += 1
                return text
            case 0x5C:
                offset += 1
                content.append(contentsOf: String(try escape()).utf8)
            case 0..<0x20: throw fault("a control character in a string")
            default:
                content.append(byte)
                offset += 1
            }
        }
        throw fault("a string does not end")
    }

    private mutating func escape() throws(Fault) -> Unicode.Scalar {
        guard offset < bytes.count else { throw fault("a string does not end") }
        let byte = bytes[offset]
        offset += 1
        switch byte {
        case 0x22: return "\""
        case 0x5C: return "\\"
        case 0x2F: return "/"
        case 0x62: return "\u{8}"
        case 0x66: return "\u{C}"
        case 0x6E: return "\n"
        case 0x72: return "\r"
        case 0x74: return "\t"
        case 0x75:
            var value = UInt32(try hexadecimal())
            if (0xD800..<0xDC00).contains(value) {
                guard offset + 1 < bytes.count, bytes[offset] == 0x5C, bytes[offset + 1] == 0x75 else {
                    throw fault("half a surrogate pair")
                }
                offset += 2
                let low = UInt32(try hexadecimal())
                guard (0xDC00..<0xE000).contains(low) else { throw fault("half a surrogate pair") }
                value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(value) else { throw fault("half a surrogate pair") }
            return scalar
        default: throw fault("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(Fault) -> UInt16 {
        guard offset + 4 <= bytes.count else { throw fault("a string does not end") }
        var value: UInt16 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch bytes[offset] {
            case let byte where (0x30...0x39).contains(byte): digit = byte - 0x30
            case let byte where (0x41...0x46).contains(byte): digit = byte - 0x41 + 10
            case let byte where (0x61...0x66).contains(byte): digit = byte - 0x61 + 10
            default: throw fault("expected four hexadecimal digits")
            }
            value = value << 4 | UInt16(digit)
            offset += 1
        }
        return value
    }
}
