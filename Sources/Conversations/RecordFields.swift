import Foundation

/// A fault in a parsed record, before it is known which file and line it came from.
struct FieldError: Error {
    var code: LogError.Code = .invalidField
    var field: String?
    var reason: String
}

/// The fields of one JSON object on their way into a value: each is asked for by name with a check of its type, and what
/// the format does not know is left as `rest`.
///
/// `null` means absent.
struct RecordFields {
    /// Where the object stands in the record, such as `message_history[3]`; empty for the record itself.
    let path: String
    private var fields: [String: JSONValue]
    /// Known fields that could not be understood and are kept as they came.
    private var keptBack: [String: JSONValue] = [:]

    init(_ value: JSONValue, path: String) throws(FieldError) {
        guard case .object(let fields) = value else {
            throw FieldError(field: path.isEmpty ? nil : path, reason: "expected an object, found \(value.kind)")
        }
        self.path = path
        self.fields = fields
    }

    /// What is left when the known fields have been read.
    func rest(known: Set<String>) -> [String: JSONValue] {
        var rest = keptBack
        for (name, value) in fields where !known.contains(name) { rest[name] = value }
        return rest
    }

    /// The names that are there, in order.
    var names: [String] { fields.keys.sorted() }

    func path(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    func missing(_ name: String) -> FieldError {
        FieldError(code: .missingField, field: path(name), reason: "missing")
    }

    func fault(_ name: String, _ expected: String, _ found: JSONValue) -> FieldError {
        FieldError(field: path(name), reason: "expected \(expected), found \(found.kind)")
    }

    /// Gives known fields that are spelled otherwise their own name: `isLiked` becomes `is_liked`, ` string_matcher`
    /// loses its space. A field that is there in both spellings keeps the canonical one, unless that is `null`.
    mutating func canonicalise(known: Set<String>) {
        for name in fields.keys where !known.contains(name) {
            let canonical = Self.snakeCase(name)
            guard canonical != name, known.contains(canonical), let value = fields[name] else { continue }
            switch fields[canonical] {
            case nil, .null:
                fields[canonical] = value
                fields[name] = nil
            case value:
                fields[name] = nil
            default: break
            }
        }
    }

    /// `isDislikeFeedback` as `is_dislike_feedback`, without space around it.
    static func snakeCase(_ name: String) -> String {
        var result = ""
        for scalar in name.unicodeScalars where scalar != " " {
            if scalar.properties.isUppercase {
                if !result.isEmpty, result.last != "_" { result += "_" }
                result += scalar.properties.lowercaseMapping
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A field as it is; `nil` for an absent one and for `null`.
    func value(_ name: String) -> JSONValue? {
        guard let value = fields[name], value != .null else { return nil }
        return value
    }

    /// Keeps a known field that could not be understood, as it came.
    mutating func keepBack(_ name: String) { keptBack[name] = fields[name] }

    func string(_ name: String) throws(FieldError) -> String? {
        guard let value = value(name) else { return nil }
        guard case .string(let text) = value else { throw fault(name, "a string", value) }
        return text
    }

    /// An id: a string, or a whole number as its digits.
    func identifier(_ name: String) throws(FieldError) -> String? {
        guard let value = value(name) else { return nil }
        switch value {
        case .string(let text): return text.isEmpty ? nil : text
        case .number(let number):
            guard let whole = Int64(exactly: number) else { throw fault(name, "an id", value) }
            return String(whole)
        default: throw fault(name, "a string", value)
        }
    }

    /// The first of several fields that is there, as an id.
    func identifier(anyOf names: String...) throws(FieldError) -> String? {
        for name in names {
            if let id = try identifier(name) { return id }
        }
        return nil
    }

    /// The first of several fields that is there, as a time.
    func date(anyOf names: String...) throws(FieldError) -> Date? {
        for name in names {
            if let date = try date(name) { return date }
        }
        return nil
    }

    func bool(_ name: String) throws(FieldError) -> Bool? {
        guard let value = value(name) else { return nil }
        guard case .bool(let flag) = value else { throw fault(name, "true or false", value) }
        return flag
    }

    func number(_ name: String) throws(FieldError) -> Double? {
        guard let value = value(name) else { return nil }
        guard case .number(let number) = value else { throw fault(name, "a number", value) }
        return number
    }

    func array(_ name: String) throws(FieldError) -> [JSONValue]? {
        guard let value = value(name) else { return nil }
        guard case .array(let values) = value else { throw fault(name, "an array", value) }
        return values
    }

    /// A list of strings; `null` elements are passed over.
    func strings(_ name: String) throws(FieldError) -> [String]? {
        guard let values = try array(name) else { return nil }
        var texts: [String] = []
        for (i, value) in values.enumerated() {
            switch value {
            case .null: continue
            case .string(let text): texts.append(text)
            default: throw fault("\(name)[\(i)]", "a string", value)
            }
        }
        return texts
    }

    func object(_ name: String) throws(FieldError) -> RecordFields? {
        guard let value = value(name) else { return nil }
        return try RecordFields(value, path: path(name))
    }

    /// A time: ISO 8601 text, or seconds (or milliseconds) since 1970.
    func date(_ name: String) throws(FieldError) -> Date? {
        guard let value = value(name) else { return nil }
        switch value {
        case .number(let number): return Timestamp.date(from: number)
        case .string(let text):
            guard let date = Timestamp.date(from: text) else {
                throw FieldError(field: path(name), reason: "expected a time such as 2024-03-01T09:30:00Z")
            }
            return date
        default: throw fault(name, "a time", value)
        }
    }
}

extension [String: JSONValue] {
    /// Fields of another system's log, those apart that are named like Loam's own: they need not mean the same, and in Loam's
    /// words they would be read as such. They lie together under `original`.
    func keptApart(from reserved: Set<String>) -> Self {
        let clash = filter { reserved.contains($0.key) }
        if clash.isEmpty { return self }
        var rest = filter { !reserved.contains($0.key) }
        var name = "original"
        while rest[name] != nil { name = "_" + name }
        rest[name] = .object(clash)
        return rest
    }
}

extension JSONValue {
    /// What kind of value this is, in words: `a number`, `an object`.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
