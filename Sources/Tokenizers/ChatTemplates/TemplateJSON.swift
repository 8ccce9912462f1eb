/// Python's `json.dumps`, with which transformers replaces Jinja's `tojson`: nothing is escaped for HTML.
struct TemplateJSON {
    var indent: String?
    var escapesUnicode = false
    var sortsKeys = false
    var itemSeparator: String
    var keySeparator: String
    private var output = ""

    init(indent: String? = nil, separators: (item: String, key: String)? = nil) {
        self.indent = indent
        itemSeparator = separators?.item ?? (indent == nil ? ", " : ",")
        keySeparator = separators?.key ?? ": "
    }

    /// The JSON of a value; where any text in it comes from content, all of it is content.
    func text(of value: RuntimeValue, in renderer: TemplateRenderer) throws -> TracedText {
        var writer = self
        try writer.write(value, level: 0, renderer)
        return try renderer.checked(TracedText(writer.output, origin: value.hasContent ? .content : .template))
    }

    private func newline(_ level: Int) -> String { indent.map { "\n" + String(repeating: $0, count: level) } ?? "" }

    private mutating func write(_ value: RuntimeValue, level: Int, _ renderer: TemplateRenderer) throws {
        guard level <= TemplateRenderer.deepestValue + 4 else {
            throw TemplateFault.limit("a value is nested deeper than \(TemplateRenderer.deepestValue)")
        }
        guard output.utf8.count <= TemplateRenderer.longestValue else {
            throw TemplateFault.limit(
                "a value is longer than \(TemplateRenderer.longestValue) bytes when it is written")
        }
        try renderer.spend(1)
        switch value {
        case .none: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .int(let value): output += String(value)
        case .double(let value): output += Self.number(value)
        case .string(let text): quote(text.scalars)
        case .list(let items), .tuple(let items):
            guard !items.isEmpty else {
                output += "[]"
                return
            }
            output += "["
            for (index, item) in items.enumerated() {
                output += (index > 0 ? itemSeparator : "") + newline(level + 1)
                try write(item, level: level + 1, renderer)
            }
            output += newline(level) + "]"
        case .dictionary(let dictionary): try write(dictionary, level: level, renderer)
        case .undefined, .view, .range, .iterator, .namespace, .loop, .function:
            throw TemplateFault.runtime("Object of type \(value.typeName) is not JSON serializable")
        }
    }

    private mutating func write(_ dictionary: RuntimeDictionary, level: Int, _ renderer: TemplateRenderer) throws {
        guard !dictionary.entries.isEmpty else {
            output += "{}"
            return
        }
        var entries = dictionary.entries
        if sortsKeys { entries = try entries.sorted { try $0.key.isLess($1.key, in: renderer) } }
        output += "{"
        for (index, entry) in entries.enumerated() {
            output += (index > 0 ? itemSeparator : "") + newline(level + 1)
            switch entry.key {
            case .string(let text): quote(text.scalars)
            case .none: output += "\"null\""
            case .bool(let value): output += value ? "\"true\"" : "\"false\""
            case .int(let value): output += "\"\(value)\""
            case .double(let value): output += "\"\(Self.number(value))\""
            default:
                throw TemplateFault.runtime("keys must be str, int, float, bool or None, not \(entry.key.typeName)")
            }
            output += keySeparator
            try write(entry.value, level: level + 1, renderer)
        }
        output += newline(level) + "}"
    }

    private static func number(_ value: Double) -> String {
        value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : value.pythonDescription
    }

    private mutating func quote(_ scalars: [Unicode.Scalar]) {
        func escape(_ unit: UInt16) -> String {
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
        var view = String.UnicodeScalarView(["\""])
        for scalar in scalars {
            switch scalar {
            case "\"": view.append(contentsOf: "\\\"".unicodeScalars)
            case "\\": view.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": view.append(contentsOf: "\\n".unicodeScalars)
            case "\r": view.append(contentsOf: "\\r".unicodeScalars)
            case "\t": view.append(contentsOf: "\\t".unicodeScalars)
            case "\u{8}": view.append(contentsOf: "\\b".unicodeScalars)
            case "\u{C}": view.append(contentsOf: "\\f".unicodeScalars)
            default:
                if scalar.value < 0x20 || escapesUnicode && scalar.value > 0x7E {
                    for unit in String(scalar).utf16 { view.append(contentsOf: escape(unit).unicodeScalars) }
                } else {
                    view.append(scalar)
                }
            }
        }
        view.append("\"")
        output += String(view)
    }
}
