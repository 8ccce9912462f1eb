/// A fault in JSON text: what and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Offset in bytes from the beginning of the text, from 0.
    public var offset: Int
    /// What is wrong there.
    public var reason: String

    public init(offset: Int, reason: String) {
        self.offset = offset
        self.reason = reason
    }

    public var description: String { "not valid JSON: \(reason) (byte \(offset + 1))" }
}

/// A strict parser of one JSON text (RFC 8259) over UTF-8 bytes.
///
/// Foundation's decoder reads logs at a tenth of the speed, and says less about what is wrong. Choices that the RFC
/// leaves open:
/// - nesting deeper than `maximumDepth` is refused, so that no text can exhaust the stack;
/// - of a key that comes twice in one object the last one counts, as in Python's `json`;
/// - a lone surrogate escape (`\ud83d` cut from its pair) becomes U+FFFD, since UTF-8 has no room for it;
/// - numbers are doubles. A whole number that no double holds exactly is kept as a string of its digits, so that a long
///   id never changes silently; a number too large for a double is refused.
struct JSONParser {
    static let maximumDepth = 128

    /// Bytes to read; must be valid UTF-8 (checked by the caller, once for the whole text).
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var depth = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// Parses a whole text: one value, with white space around it and nothing else.
    static func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) -> JSONValue {
        if let bad = UTF8Check.firstInvalidByte(in: bytes) {
            throw JSONError(offset: bad, reason: "invalid UTF-8")
        }
        var parser = JSONParser(bytes)
        parser.skipSpace()
        guard parser.position < bytes.count else { throw JSONError(offset: 0, reason: "nothing there") }
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.fault("expected the end, found more") }
        return value
    }

    private func fault(_ reason: String) -> JSONError { JSONError(offset: position, reason: reason) }

    /// A fault that says what stands at the position instead of what was expected.
    private func unexpected(_ expected: String) -> JSONError {
        guard position < bytes.count else { return fault("expected \(expected), found the end; the text is cut off") }
        let byte = bytes[position]
        switch byte {
        case 0: return fault("expected \(expected), found a NUL byte")
        case 0x21...0x7E: return fault("expected \(expected), found '\(Character(Unicode.Scalar(byte)))'")
        default: return fault("expected \(expected), found byte 0x\(String(byte, radix: 16))")
        }
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        guard position < bytes.count else { throw unexpected("a value") }
        switch bytes[position] {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw unexpected("a value")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let count = word.utf8CodeUnitCount
        let start = word.utf8Start
        for i in 0..<count {
            guard position < bytes.count, bytes[position] == start[i] else { throw unexpected("'\(word)'") }
            position += 1
        }
        return value
    }

    private mutating func enter() throws(JSONError) {
        depth += 1
        if depth > Self.maximumDepth { throw fault("nested deeper than \(Self.maximumDepth) levels") }
        position += 1
        skipSpace()
    }

    private mutating func object() throws(JSONError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var result: [String: JSONValue] = [:]
        if position < bytes.count, bytes[position] == UInt8(ascii: "}") {
            position += 1
            return .object(result)
        }
        result.reserveCapacity(12)
        while true {
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw unexpected("a key") }
            let key = try string()
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { throw unexpected("':'") }
            position += 1
            skipSpace()
            result[key] = try value()
            skipSpace()
            guard position < bytes.count else { throw unexpected("',' or '}'") }
            switch bytes[position] {
            case UInt8(ascii: ","):
                position += 1
                skipSpace()
            case UInt8(ascii: "}"):
                position += 1
                return .object(result)
            default: throw unexpected("',' or '}'")
            }
        }
    }

    private mutating func array() throws(JSONError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var result: [JSONValue] = []
        if position < bytes.count, bytes[position] == UInt8(ascii: "]") {
            position += 1
            return .array(result)
        }
        while true {
            result.append(try value())
            skipSpace()
            guard position < bytes.count else { throw unexpected("',' or ']'") }
            switch bytes[position] {
            case UInt8(ascii: ","):
                position += 1
                skipSpace()
            case UInt8(ascii: "]"):
                position += 1
                return .array(result)
            default: throw unexpected("',' or ']'")
            }
        }
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        skipPlain()
        guard position < bytes.count else { throw unexpected("'\"'") }
        if bytes[position] == UInt8(ascii: "\"") {
            let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
            position += 1
            return text
        }
        return try stringWithEscapes(from: start)
    }

    /// Moves over bytes that stand for themselves: stops at a quote, a backslash, a control character or the end.
    private mutating func skipPlain() {
        guard let base = bytes.baseAddress else { return }
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while position + 8 <= bytes.count {
            // Eight bytes at once: the usual tests for "has a byte equal to x" and "has a byte below 0x20".
            let word = UnsafeRawPointer(base + position).loadUnaligned(as: UInt64.self)
            let quote = word ^ (ones &* 0x22)
            let slash = word ^ (ones &* 0x5C)
            let hit =
                ((quote &- ones) & ~quote) | ((slash &- ones) & ~slash) | ((word &- (ones &* 0x20)) & ~word)
            if hit & highs != 0 { break }
            position += 8
        }
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x22 || byte == 0x5C || byte < 0x20 { return }
            position += 1
        }
    }

    private mutating func stringWithEscapes(from start: Int) throws(JSONError) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(2 * (position - start) + 32)
        text.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<position]))
        while true {
            guard position < bytes.count else { throw unexpected("'\"'") }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &text)
            case 0:
                throw fault("a NUL byte in a string")
            case let byte where byte < 0x20:
                throw fault("a control character in a string, byte 0x\(String(byte, radix: 16))")
            default:
                let from = position
                skipPlain()
                text.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[from..<position]))
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard position < bytes.count else { throw unexpected("an escape") }
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            position += 1
            text.append(contentsOf: String(Character(try scalar())).utf8)
            return
        default: throw unexpected("an escape")
        }
        position += 1
    }

    /// The scalar of `\u` and four digits, with the second half of a surrogate pair where there is one.
    private mutating func scalar() throws(JSONError) -> Unicode.Scalar {
        let first = try fourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { return "\u{FFFD}" }
        let back = position
        position += 2
        let second = try fourDigits()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else {
            // The next escape is not the other half: it speaks for itself.
            position = back
            return "\u{FFFD}"
        }
        return scalar
    }

    private mutating func fourDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count else { throw unexpected("four hexadecimal digits") }
            let byte = bytes[position]
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: value = value << 4 | UInt32(byte - 0x41 + 10)
            case 0x61...0x66: value = value << 4 | UInt32(byte - 0x61 + 10)
            default: throw unexpected("four hexadecimal digits")
            }
            position += 1
        }
        return value
    }

    // MARK: Numbers

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        let negative = bytes[position] == UInt8(ascii: "-")
        if negative { position += 1 }
        guard position < bytes.count, isDigit(bytes[position]) else { throw unexpected("a digit") }
        let firstDigit = position
        var whole: UInt64 = 0
        while position < bytes.count, isDigit(bytes[position]) {
            whole = whole &* 10 &+ UInt64(bytes[position] - 0x30)
            position += 1
        }
        let digits = position - firstDigit
        if digits > 1, bytes[firstDigit] == 0x30 {
            position = firstDigit
            throw fault("a number with a leading zero")
        }
        var isWhole = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            try someDigits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try someDigits()
        }
        if isWhole, digits <= 15 { return .number(negative ? -Double(whole) : Double(whole)) }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            position = start
            throw fault("a number out of range")
        }
        if isWhole, !isExact(value, text) { return .string(text) }
        return .number(value)
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private mutating func someDigits() throws(JSONError) {
        guard position < bytes.count, isDigit(bytes[position]) else { throw unexpected("a digit") }
        while position < bytes.count, isDigit(bytes[position]) { position += 1 }
    }

    /// Whether the double that a whole number of 16 digits or more became is that number.
    private func isExact(_ value: Double, _ text: String) -> Bool {
        if let whole = Int64(text) { return Int64(exactly: value) == whole }
        return false
    }
}

extension JSONValue {
    /// Parses one JSON text; `JSONParser` says how strictly.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        var result: Result<JSONValue, JSONError> = .success(.null)
        bytes.withUnsafeBufferPointer { buffer in
            do throws(JSONError) {
                result = .success(try JSONParser.parse(buffer))
            } catch {
                result = .failure(error)
            }
        }
        self = try result.get()
    }

    /// Parses one JSON text; `JSONParser` says how strictly.
    public init(parsing text: String) throws(JSONError) {
        try self.init(parsing: Array(text.utf8))
    }
}
