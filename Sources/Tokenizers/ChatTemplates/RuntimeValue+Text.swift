import Foundation

/// Python's `str` and `repr`.
extension RuntimeValue {
    /// What `{{ value }}` writes.
    func printed() throws -> TracedText {
        switch self {
        case .undefined: TracedText()
        case .string(let text): text
        default: try represented()
        }
    }

    /// Python's `repr`. Where any content is inside, all of it is content.
    func represented() throws -> TracedText {
        var text = ""
        try represent(into: &text, depth: 0)
        return TracedText(text, origin: hasContent ? .content : .template)
    }

    /// Whether any text in the value comes from content.
    var hasContent: Bool {
        switch self {
        case .string(let text): text.hasContent
        case .list(let items), .tuple(let items): items.contains(where: \.hasContent)
        case .dictionary(let dictionary): dictionary.entries.contains { $0.key.hasContent || $0.value.hasContent }
        case .view(let view): RuntimeValue.dictionary(view.dictionary).hasContent
        case .namespace(let namespace): namespace.attributes.contains { $0.value.hasContent }
        default: false
        }
    }

    private func represent(into output: inout String, depth: Int) throws {
        guard depth <= TemplateRenderer.deepestValue + 4 else {
            throw TemplateFault.limit("a value is nested deeper than \(TemplateRenderer.deepestValue)")
        }
        guard output.utf8.count <= TemplateRenderer.longestValue else {
            throw TemplateFault.limit(
                "a value is longer than \(TemplateRenderer.longestValue) bytes when it is written")
        }
        func list(_ items: [RuntimeValue], _ open: String, _ close: String) throws {
            output += open
            for (index, item) in items.enumerated() {
                if index > 0 { output += ", " }
                try item.represent(into: &output, depth: depth + 1)
            }
            output += close
        }
        switch self {
        case .undefined: output += "Undefined"
        case .none: output += "None"
        case .bool(let value): output += value ? "True" : "False"
        case .int(let value): output += String(value)
        case .double(let value): output += value.pythonDescription
        case .string(let text): output += Self.quoted(text.scalars)
        case .list(let items): try list(items, "[", "]")
        case .tuple(let items): try list(items, "(", items.count == 1 ? ",)" : ")")
        case .dictionary(let dictionary):
            output += "{"
            for (index, entry) in dictionary.entries.enumerated() {
                if index > 0 { output += ", " }
                try entry.key.represent(into: &output, depth: depth + 1)
                output += ": "
                try entry.value.represent(into: &output, depth: depth + 1)
            }
            output += "}"
        case .view(let view): try list(view.items, "\(typeName)([", "])")
        case .range(let range):
            output += "range(\(range.start), \(range.stop)\(range.step == 1 ? "" : ", \(range.step)"))"
        case .namespace(let namespace):
            output += "<Namespace {"
            for (index, attribute) in namespace.attributes.enumerated() {
                if index > 0 { output += ", " }
                output += "'\(attribute.name)': "
                try attribute.value.represent(into: &output, depth: depth + 1)
            }
            output += "}>"
        case .iterator, .loop, .function:
            throw TemplateFault.unsupported("printing a value of type \(typeName): Python would write its address")
        }
    }

    private static func quoted(_ scalars: [Unicode.Scalar]) -> String {
        let quote: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
        var result = String.UnicodeScalarView([quote])
        for scalar in scalars {
            switch scalar {
            case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            case "\r": result.append(contentsOf: "\\r".unicodeScalars)
            case "\t": result.append(contentsOf: "\\t".unicodeScalars)
            case quote: result.append(contentsOf: ["\\", quote])
            default:
                if scalar.isPythonPrintable {
                    result.append(scalar)
                } else {
                    let digits = String(scalar.value, radix: 16)
                    let (mark, width) =
                        scalar.value < 0x100 ? ("\\x", 2) : scalar.value < 0x10000 ? ("\\u", 4) : ("\\U", 8)
                    let zeros = String(repeating: "0", count: width - digits.count)
                    result.append(contentsOf: (mark + zeros + digits).unicodeScalars)
                }
            }
        }
        result.append(quote)
        return String(result)
    }
}

extension Double {
    /// Python's `repr` of a float: the shortest digits that read back, with an exponent below 1e-4 and from 1e16 on.
    var pythonDescription: String {
        if isNaN { return "nan" }
        if isInfinite { return self < 0 ? "-inf" : "inf" }
        let shortest = Swift.abs(self).description
        let parts = shortest.split(separator: "e")
        var digits = parts[0].filter { $0 != "." }
        let point = parts[0].firstIndex(of: ".").map { parts[0].distance(from: parts[0].startIndex, to: $0) }
        // 0.digits × 10^exponent
        var exponent = (point ?? digits.count) + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        while digits.hasPrefix("0"), digits.count > 1 {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.hasSuffix("0"), digits.count > 1 { digits.removeLast() }
        let sign = self.sign == .minus ? "-" : ""
        if digits == "0" { return sign + "0.0" }
        if exponent > 16 || exponent <= -4 {
            let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
            let power = exponent - 1
            return sign + digits.prefix(1) + fraction + "e" + (power < 0 ? "-" : "+")
                + (Swift.abs(power) < 10 ? "0" : "")
                + String(Swift.abs(power))
        }
        if exponent <= 0 { return sign + "0." + String(repeating: "0", count: -exponent) + digits }
        if exponent >= digits.count {
            return sign + digits + String(repeating: "0", count: exponent - digits.count) + ".0"
        }
        return sign + digits.prefix(exponent) + "." + digits.dropFirst(exponent)
    }
}
