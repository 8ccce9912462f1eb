/// A JSON text read into a flat list of nodes.
///
/// `Foundation`'s decoder will not do for a vocabulary: a dictionary of `String` takes "é" and "e" with an accent to be one
/// key, since they are canonically equal, and tokenizers tell them apart. This reader keeps bytes, and reads 250,000 tokens
/// in a fraction of the time.
final class JSONDocument: Sendable {
    enum Kind: UInt8 { case null, bool, number, string, array, object }

    struct Node {
        var kind: Kind
        /// A string with backslashes in it; for a boolean, its value.
        var flag: Bool
        /// Where its text begins, without the quotes of a string; the number of members or elements of a container.
        var start: UInt32
        /// Where its text ends; the node after a container's last.
        var end: UInt32
    }

    /// What is wrong with the text, and where.
    struct Fault: Error {
        var offset: Int
        var message: String
    }

    /// Deeper files are hostile: a `tokenizer.json` has about ten levels.
    private static let deepest = 64

    let bytes: [UInt8]
    let nodes: [Node]

    /// - Throws: `Fault` when this is not JSON in UTF-8.
    init(_ bytes: [UInt8]) throws {
        guard bytes.count < Int(UInt32.max) else { throw Fault(offset: 0, message: "is too large") }
        var parser = Parser()
        try bytes.withUnsafeBufferPointer { text in
            guard String(validating: text, as: UTF8.self) != nil else {
                throw Fault(offset: 0, message: "is not valid UTF-8")
            }
            try parser.parse(text)
        }
        self.bytes = bytes
        nodes = parser.nodes
    }

    var root: JSONValue { JSONValue(document: self, index: 0) }

    private struct Parser {
        var nodes: [Node] = []
        private var offset = 0

        mutating func parse(_ text: UnsafeBufferPointer<UInt8>) throws {
            // A byte-order mark is no part of JSON, yet some editors write one.
            if text.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
            try value(text, depth: 0)
            skipSpace(text)
            guard offset == text.count else { throw fault("has text after its end") }
        }

        private func fault(_ message: String) -> Fault { Fault(offset: offset, message: message) }

        private mutating func skipSpace(_ text: UnsafeBufferPointer<UInt8>) {
            while offset < text.count, [0x20, 0x0A, 0x0D, 0x09].contains(text[offset]) { offset += 1 }
        }

        private mutating func take(_ byte: Character, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
            guard offset < text.count, text[offset] == byte.asciiValue else { return false }
            offset += 1
            return true
        }

        private mutating func value(_ text: UnsafeBufferPointer<UInt8>, depth: Int) throws {
            guard depth < deepest else { throw fault("is nested too deeply") }
            skipSpace(text)
            guard offset < text.count else { throw fault("ends in the middle") }
            switch text[offset] {
            case UInt8(ascii: "{"): try container(text, depth, isObject: true)
            case UInt8(ascii: "["): try container(text, depth, isObject: false)
            case UInt8(ascii: "\""): try string(text)
            case UInt8(ascii: "t"): try word("true", .bool, true, text)
            case UInt8(ascii: "f"): try word("false", .bool, false, text)
            case UInt8(ascii: "n"): try word("null", .null, false, text)
            default: try number(text)
            }
        }

        private mutating func container(
            _ text: UnsafeBufferPointer<UInt8>, _ depth: Int, isObject: Bool
        ) throws {
            offset += 1
            let own = nodes.count
            nodes.append(Node(kind: isObject ? .object : .array, flag: false, start: 0, end: 0))
            let close: Character = isObject ? "}" : "]"
            var count: UInt32 = 0
            skipSpace(text)
            if !take(close, text) {
                while true {
                    if isObject {
                        skipSpace(text)
                        guard offset < text.count, text[offset] == UInt8(ascii: "\"") else {
                            throw fault("lacks a key")
                        }
                        try string(text)
                        skipSpace(text)
                        guard take(":", text) else { throw fault("lacks a colon") }
                    }
                    try value(text, depth: depth + 1)
                    count += 1
                    skipSpace(text)
                    if take(close, text) { break }
                    guard take(",", text) else { throw fault("lacks a comma or the end of a list") }
                }
            }
            nodes[own].start = count
            nodes[own].end = UInt32(nodes.count)
        }

        private mutating func string(_ text: UnsafeBufferPointer<UInt8>) throws {
            offset += 1
            let start = offset
            var hasEscapes = false
            while true {
                guard offset < text.count else { throw fault("ends inside a string") }
                let byte = text[offset]
                if byte == UInt8(ascii: "\"") { break }
                if byte == UInt8(ascii: "\\") {
                    hasEscapes = true
                    offset += 1
                } else if byte < 0x20 {
                    throw fault("has a control character inside a string")
                }
                offset += 1
            }
            nodes.append(Node(kind: .string, flag: hasEscapes, start: UInt32(start), end: UInt32(offset)))
            if hasEscapes, JSONValue.unescape(text[start..<offset]) == nil { throw fault("has a broken escape") }
            offset += 1
        }

        private mutating func word(
            _ word: StaticString, _ kind: Kind, _ flag: Bool, _ text: UnsafeBufferPointer<UInt8>
        ) throws {
            let length = word.utf8CodeUnitCount
            guard offset + length <= text.count,
                (0..<length).allSatisfy({ text[offset + $0] == word.utf8Start[$0] })
            else { throw fault("has an unknown word") }
            nodes.append(Node(kind: kind, flag: flag, start: UInt32(offset), end: UInt32(offset + length)))
            offset += length
        }

        private mutating func number(_ text: UnsafeBufferPointer<UInt8>) throws {
            let start = offset
            func digits(_ parser: inout Parser) -> Int {
                let first = parser.offset
                while parser.offset < text.count, (0x30...0x39).contains(text[parser.offset]) { parser.offset += 1 }
                return parser.offset - first
            }
            _ = take("-", text)
            let whole = offset
            let count = digits(&self)
            guard count > 0, count == 1 || text[whole] != UInt8(ascii: "0") else {
                throw fault("has something that is no value")
            }
            if take(".", text), digits(&self) == 0 { throw fault("has a broken number") }
            if take("e", text) || take("E", text) {
                if !take("+", text) { _ = take("-", text) }
                if digits(&self) == 0 { throw fault("has a broken number") }
            }
            nodes.append(Node(kind: .number, flag: false, start: UInt32(start), end: UInt32(offset)))
        }
    }
}

/// One value of a document.
struct JSONValue {
    let document: JSONDocument
    let index: Int

    private var node: JSONDocument.Node { document.nodes[index] }
    var kind: JSONDocument.Kind { node.kind }
    var isNull: Bool { kind == .null }
    var bool: Bool? { kind == .bool ? node.flag : nil }
    private var text: ArraySlice<UInt8> { document.bytes[Int(node.start)..<Int(node.end)] }

    /// The bytes of a string.
    var utf8: [UInt8]? {
        guard kind == .string else { return nil }
        if !node.flag { return Array(text) }
        return document.bytes.withUnsafeBufferPointer {
            Self.unescape($0[Int(node.start)..<Int(node.end)])
        }
    }

    var string: String? { utf8.map { String(decoding: $0, as: UTF8.self) } }

    /// A whole number; `nil` for a fraction or one that does not fit.
    var int: Int? { kind == .number ? Int(String(decoding: text, as: UTF8.self)) : nil }

    /// A number as Hugging Face's reader (serde_json without `float_roundtrip`) rounds it: digits as an integer, then one
    /// division by a power of ten. The last bit may differ from the nearest double, and scores must be the same numbers.
    var double: Double? {
        guard kind == .number else { return nil }
        var significand: UInt64 = 0
        var exponent = 0
        var isFraction = false
        var isFull = false
        var rest = text
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: "-"): break
            case UInt8(ascii: "."): isFraction = true
            case 0x30...0x39:
                let (shifted, over) = significand.multipliedReportingOverflow(by: 10)
                let (sum, carry) = shifted.addingReportingOverflow(UInt64(byte - 0x30))
                if over || carry { isFull = true }
                if isFull {
                    if !isFraction { exponent += 1 }
                } else {
                    significand = sum
                    if isFraction { exponent -= 1 }
                }
            default:
                guard let written = Int(String(decoding: rest.dropFirst(), as: UTF8.self)) else { return nil }
                exponent += min(max(written, -100_000), 100_000)
                rest = rest.suffix(1)
            }
            rest = rest.dropFirst()
        }
        var value = Double(significand)
        while exponent < -308 && value != 0 {
            value /= 1e308
            exponent += 308
        }
        if value != 0 {
            value = exponent < 0 ? value / Self.power(-exponent) : value * Self.power(exponent)
        }
        guard value.isFinite else { return nil }
        return text.first == UInt8(ascii: "-") ? -value : value
    }

    /// Ten to a power, correctly rounded.
    private static func power(_ exponent: Int) -> Double { Double("1e\(min(exponent, 400))") ?? .infinity }

    var count: Int { kind == .array || kind == .object ? Int(node.start) : 0 }

    /// The elements of an array.
    func forEachElement(_ body: (JSONValue) throws -> Void) rethrows {
        guard kind == .array else { return }
        var next = index + 1
        for _ in 0..<count {
            try body(JSONValue(document: document, index: next))
            next = after(next)
        }
    }

    /// The members of an object in their order.
    func forEachMember(_ body: (_ key: JSONValue, _ value: JSONValue) throws -> Void) rethrows {
        guard kind == .object else { return }
        var next = index + 1
        for _ in 0..<count {
            try body(JSONValue(document: document, index: next), JSONValue(document: document, index: next + 1))
            next = after(next + 1)
        }
    }

    /// The member with this key, the last if there are several.
    subscript(key: String) -> JSONValue? {
        let wanted = Array(key.utf8)
        var found: JSONValue?
        forEachMember { if $0.utf8 == wanted { found = $1 } }
        return found
    }

    private func after(_ index: Int) -> Int {
        let node = document.nodes[index]
        return node.kind == .array || node.kind == .object ? Int(node.end) : index + 1
    }

    /// A string's bytes without its escapes; `nil` when one is broken, half a surrogate pair among them.
    static func unescape(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var offset = text.startIndex
        func hex() -> UInt32? {
            guard offset + 4 <= text.endIndex else { return nil }
            var value: UInt32 = 0
            for byte in text[offset..<offset + 4] {
                guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
                value = value << 4 | UInt32(digit)
            }
            offset += 4
            return value
        }
        while offset < text.endIndex {
            let byte = text[offset]
            offset += 1
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard offset < text.endIndex else { return nil }
            let escape = text[offset]
            offset += 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(escape)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                guard var value = hex() else { return nil }
                if (0xD800..<0xDC00).contains(value) {
                    guard offset + 2 <= text.endIndex, text[offset] == UInt8(ascii: "\\"),
                        text[offset + 1] == UInt8(ascii: "u")
                    else { return nil }
                    offset += 2
                    guard let low = hex(), (0xDC00..<0xE000).contains(low) else { return nil }
                    value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
                }
                guard let scalar = Unicode.Scalar(value) else { return nil }
                result.append(contentsOf: UTF8.encode(scalar)!)
            default: return nil
            }
        }
        return result
    }
}
