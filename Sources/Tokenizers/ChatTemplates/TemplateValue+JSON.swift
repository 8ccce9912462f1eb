import Foundation

extension TemplateValue {
    /// Reads JSON and keeps the order of the keys, which Foundation's decoder loses. Whole numbers stay whole.
    /// - Parameters:
    ///   - name: names the text in errors.
    ///   - maximumDepth: the deepest nesting.
    /// - Throws: `ChatTemplateError` `malformed` with the byte at fault.
    public init(json: Data, name: String = "JSON", maximumDepth: Int = 64) throws {
        var reader = OrderedJSONReader(bytes: Array(json), name: name, maximumDepth: maximumDepth)
        self = try reader.read()
    }

    /// Reads JSON text.
    public init(json: String, name: String = "JSON") throws { try self.init(json: Data(json.utf8), name: name) }
}

/// A reader of JSON (RFC 8259) into `TemplateValue`.
struct OrderedJSONReader {
    let bytes: [UInt8]
    let name: String
    let maximumDepth: Int
    private var position = 0

    init(bytes: [UInt8], name: String, maximumDepth: Int) {
        self.bytes = bytes
        self.name = name
        self.maximumDepth = maximumDepth
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    mutating func read() throws -> TemplateValue {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw fault("has more text after the value") }
        return value
    }

    private func fault(_ message: String) -> ChatTemplateError {
        ChatTemplateError(.malformed, template: name, "\(message) (byte \(position))")
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func skip(_ character: Character) -> Bool {
        guard current == character.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func skip(word: String) -> Bool {
        guard bytes[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    private mutating func value(depth: Int) throws -> TemplateValue {
        guard depth < maximumDepth else { throw fault("is nested deeper than \(maximumDepth)") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        default:
            if skip(word: "true") { return true }
            if skip(word: "false") { return false }
            if skip(word: "null") { return .null }
            return try number()
        }
    }

    private mutating func array(depth: Int) throws -> [TemplateValue] {
        position += 1
        var items: [TemplateValue] = []
        skipSpace()
        if skip("]") { return items }
        while true {
            items.append(try value(depth: depth + 1))
            skipSpace()
            if skip("]") { return items }
            guard skip(",") else { throw fault("lacks , or ] in an array") }
        }
    }

    private mutating func object(depth: Int) throws -> TemplateObject {
        position += 1
        var pairs: [(String, TemplateValue)] = []
        skipSpace()
        if skip("}") { return TemplateObject() }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw fault("lacks a key in an object") }
            let key = try string()
            skipSpace()
            guard skip(":") else { throw fault("lacks : after a key") }
            pairs.append((key, try value(depth: depth + 1)))
            skipSpace()
            if skip("}") { return TemplateObject(pairs) }
            guard skip(",") else { throw fault("lacks , or } in an object") }
        }
    }

    private mutating func number() throws -> TemplateValue {
        let start = position
        _ = skip("-")
        let digits = position
        while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
        guard position > digits, bytes[digits] != 0x30 || position == digits + 1 else {
            position = start
            throw fault("has no value where one is needed")
        }
        var isWhole = true
        if skip(".") {
            isWhole = false
            let fraction = position
            while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
            guard position > fraction else { throw fault("has a number that ends with its point") }
        }
        if skip("e") || skip("E") {
            isWhole = false
            if !skip("+") { _ = skip("-") }
            let exponent = position
            while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
            guard position > exponent else { throw fault("has a number without its exponent") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole {
            guard let number = Int(text) else { throw fault("has the whole number \(text.prefix(40)), past 64 bits") }
            return .int(number)
        }
        guard let number = Double(text), number.isFinite else {
            throw fault("has the number \(text.prefix(40)), past a double")
        }
        return .double(number)
    }

    private mutating func hex() throws -> UInt32 {
        guard position + 4 <= bytes.count,
            let value = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
            bytes[position] != UInt8(ascii: "+")
        else { throw fault("has a broken \\u escape") }
        position += 4
        return value
    }

    private mutating func string() throws -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw fault("has a string that is not UTF-8")
                }
                return string
            case 0..<0x20: throw fault("has a control character in a string")
            case UInt8(ascii: "\\"):
                guard let escape = current else { break }
                position += 1
                switch escape {
                case UInt8(ascii: "n"): text.append(0x0A)
                case UInt8(ascii: "t"): text.append(0x09)
                case UInt8(ascii: "r"): text.append(0x0D)
                case UInt8(ascii: "b"): text.append(0x08)
                case UInt8(ascii: "f"): text.append(0x0C)
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escape)
                case UInt8(ascii: "u"):
                    var code = try hex()
                    if (0xD800..<0xDC00).contains(code), skip(word: "\\u") {
                        let low = try hex()
                        guard (0xDC00..<0xE000).contains(low) else { throw fault("has half a surrogate pair") }
                        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                    }
                    guard let scalar = Unicode.Scalar(code) else { throw fault("has half a surrogate pair") }
                    text.append(contentsOf: String(scalar).utf8)
                default: throw fault("has an unknown escape in a string")
                }
            default: text.append(byte)
            }
        }
        throw fault("ends inside a string")
    }
}
