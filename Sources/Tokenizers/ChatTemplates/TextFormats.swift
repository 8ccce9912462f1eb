import Foundation

/// How one value is laid out: what a `%` directive and a `{:…}` field have in common.
struct FieldLayout {
    var fill: Unicode.Scalar = " "
    /// `<`, `>`, `^`, or `=` for zeros between sign and digits.
    var align: Unicode.Scalar?
    var sign: Unicode.Scalar = "-"
    var alternate = false
    var grouping = false
    var width = 0
    var precision: Int?

    func applied(to text: TracedText, numeric: Bool, in renderer: TemplateRenderer) throws -> TracedText {
        guard width > text.count else { return text }
        let missing = width - text.count
        let filling = TracedText(scalars: [fill], origin: .template)
        switch align ?? (numeric ? ">" : "<") {
        case "<": return text + (try renderer.repeated(filling, missing))
        case "^":
            return try renderer.repeated(filling, missing / 2) + text
                + (try renderer.repeated(filling, missing - missing / 2))
        case "=":
            let sign = text.scalars.first == "-" || text.scalars.first == "+" || text.scalars.first == " " ? 1 : 0
            return text[0..<sign] + (try renderer.repeated(filling, missing)) + text[from: sign]
        default: return try renderer.repeated(filling, missing) + text
        }
    }

    /// A number's digits in one of the shapes d, x, X, o, b, c, e, f, g, %.
    func number(_ value: RuntimeNumber, _ type: Unicode.Scalar) throws -> String {
        guard precision ?? 0 <= 1_000 else { throw TemplateFault.limit("a precision past 1000") }
        var digits: String
        var isNegative = false
        switch (type, value) {
        case ("d", .int(let int)), ("x", .int(let int)), ("X", .int(let int)), ("o", .int(let int)),
            ("b", .int(let int)):
            isNegative = int < 0
            let radix = type == "d" ? 10 : type == "o" ? 8 : type == "b" ? 2 : 16
            digits = String(int.magnitude, radix: radix, uppercase: type == "X")
            if alternate, type != "d" { digits = "0" + String(type) + digits }
        case ("c", .int(let int)):
            guard let scalar = UInt32(exactly: int).flatMap(Unicode.Scalar.init) else {
                throw TemplateFault.runtime("%c arg not in range(0x110000)")
            }
            return String(scalar)
        case ("e", _), ("E", _), ("f", _), ("F", _), ("g", _), ("G", _), ("%", _):
            let double = type == "%" ? value.double * 100 : value.double
            isNegative = double.sign == .minus
            let shape = type == "%" ? "f" : String(type)
            digits = String(format: "%\(alternate ? "#" : "").\(precision ?? 6)\(shape)", abs(double))
            if !double.isFinite { digits = double.isNaN ? "nan" : "inf" }
            if type == "%" { digits += "%" }
        default: throw TemplateFault.runtime("format '\(type)' does not fit this number")
        }
        if grouping { digits = Self.grouped(digits) }
        return (isNegative ? "-" : sign == "-" ? "" : String(sign)) + digits
    }

    private static func grouped(_ digits: String) -> String {
        let whole = digits.prefix { $0.isNumber }
        var result = ""
        for (index, digit) in whole.enumerated() {
            if index > 0, (whole.count - index) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return result + digits.dropFirst(whole.count)
    }
}

/// Python's `text % values`.
struct PercentFormat {
    private let renderer: TemplateRenderer

    init(_ renderer: TemplateRenderer) { self.renderer = renderer }

    func format(_ text: TracedText, _ value: RuntimeValue) throws -> TracedText {
        var values = [value][...]
        if case .tuple(let items) = value { values = items[...] }
        var result = TracedText()
        var index = 0
        var usesNames = false
        func next() throws -> RuntimeValue {
            guard let value = values.popFirst() else {
                throw TemplateFault.runtime("not enough arguments for format string")
            }
            return value
        }
        func current() throws -> Unicode.Scalar {
            guard index < text.count else { throw TemplateFault.runtime("incomplete format") }
            return text.scalars[index]
        }
        func digits() throws -> Int? {
            if try current() == "*" {
                index += 1
                guard let width = try next().int else { throw TemplateFault.runtime("* wants int") }
                return width
            }
            var number: Int?
            while index < text.count, text.scalars[index].isASCIIDigit, number ?? 0 < 1_000_000_000_000 {
                number = (number ?? 0) * 10 + Int(text.scalars[index].value - 48)
                index += 1
            }
            return number
        }
        while index < text.count {
            guard text.scalars[index] == "%" else {
                let start = index
                while index < text.count, text.scalars[index] != "%" { index += 1 }
                result.append(text[start..<index])
                continue
            }
            let origin = text.origin(at: index)
            index += 1
            var named: RuntimeValue?
            if try current() == "(" {
                guard let close = text.find(.own(")"), from: index) else {
                    throw TemplateFault.runtime("incomplete format key")
                }
                guard case .dictionary(let dictionary) = value else {
                    throw TemplateFault.runtime("format requires a mapping")
                }
                let key = text[index + 1..<close]
                guard let found = try dictionary[.string(key)] else {
                    throw TemplateFault.runtime("KeyError: '\(key.string)'")
                }
                named = found
                usesNames = true
                index = close + 1
            }
            var layout = FieldLayout()
            flags: while true {
                switch try current() {
                case "-": layout.align = "<"
                case "0": if layout.align == nil { (layout.align, layout.fill) = ("=", "0") }
                case "+": layout.sign = "+"
                case " ": if layout.sign == "-" { layout.sign = " " }
                case "#": layout.alternate = true
                default: break flags
                }
                index += 1
            }
            if layout.align == "<" { layout.fill = " " }
            layout.width = try digits() ?? 0
            if layout.width < 0 { (layout.align, layout.width) = ("<", -layout.width) }
            if try current() == "." {
                index += 1
                layout.precision = try digits() ?? 0
            }
            while ["h", "l", "L"].contains(try current()) { index += 1 }
            let type = try current()
            index += 1
            if type == "%" {
                result.append("%", origin)
                continue
            }
            result.append(try field(named ?? next(), type, layout))
            _ = try renderer.checked(result)
        }
        if !usesNames, !values.isEmpty {
            switch value {
            // Python lets through what could be asked by name.
            case .dictionary, .list, .range: return result
            default: break
            }
            throw TemplateFault.runtime("not all arguments converted during string formatting")
        }
        return result
    }

    private func field(_ value: RuntimeValue, _ type: Unicode.Scalar, _ given: FieldLayout) throws -> TracedText {
        var layout = given
        switch type {
        case "s", "r":
            if layout.align == "=" { (layout.align, layout.fill) = (">", " ") }
            var text = type == "s" ? try value.printed() : try value.represented()
            if let precision = layout.precision { text = text[0..<min(precision, text.count)] }
            return try layout.applied(to: text, numeric: true, in: renderer)
        case "c" where value.text?.count == 1:
            return try layout.applied(to: value.text ?? TracedText(), numeric: true, in: renderer)
        case "d", "i", "u", "x", "X", "o", "c", "e", "E", "f", "F", "g", "G":
            if case .undefined(let reason) = value { throw reason.fault }
            guard var number = value.number else {
                throw TemplateFault.runtime("%\(type) format: a number is required, not \(value.typeName)")
            }
            let isWhole = !"eEfFgG".unicodeScalars.contains(type)
            if isWhole, case .double(let double) = number {
                guard "diu".unicodeScalars.contains(type), let int = Int(exactly: double.rounded(.towardZero)) else {
                    throw TemplateFault.runtime("%\(type) format: an integer is required, not float")
                }
                number = .int(int)
            }
            var text = try layout.number(number, type == "i" || type == "u" ? "d" : type)
            if isWhole, type != "c", let precision = layout.precision {
                let sign = text.prefix { !$0.isHexDigit }
                let digits = text.dropFirst(sign.count)
                text = sign + String(repeating: "0", count: max(0, min(precision, 1_000) - digits.count)) + digits
            }
            return try layout.applied(to: .own(text), numeric: true, in: renderer)
        default: throw TemplateFault.runtime("unsupported format character '\(type)'")
        }
    }
}

/// Python's `text.format(…)`.
struct BraceFormat {
    private let renderer: TemplateRenderer

    init(_ renderer: TemplateRenderer) { self.renderer = renderer }

    func format(_ text: TracedText, _ arguments: CallArguments) throws -> TracedText {
        var result = TracedText()
        var (index, automatic) = (0, 0)
        while index < text.count {
            let scalar = text.scalars[index]
            let doubled = index + 1 < text.count && text.scalars[index + 1] == scalar
            if scalar != "{", scalar != "}" {
                let start = index
                while index < text.count, text.scalars[index] != "{", text.scalars[index] != "}" { index += 1 }
                result.append(text[start..<index])
            } else if doubled {
                result.append(text[index..<index + 1])
                index += 2
            } else {
                guard scalar == "{" else { throw TemplateFault.runtime("Single '}' encountered in format string") }
                guard let close = text.find(.own("}"), from: index) else {
                    throw TemplateFault.runtime("Single '{' encountered in format string")
                }
                let field = Array(text.scalars[index + 1..<close])
                guard !field.contains("{") else {
                    throw TemplateFault.unsupported("a field inside a field of str.format")
                }
                result.append(try self.field(field, arguments, &automatic))
                index = close + 1
            }
            _ = try renderer.checked(result)
        }
        return result
    }

    private func field(_ field: [Unicode.Scalar], _ arguments: CallArguments, _ automatic: inout Int) throws
        -> TracedText
    {
        func string(_ scalars: some Collection<Unicode.Scalar>) -> String {
            TracedText(scalars: Array(scalars), origin: .template).string
        }
        let colon = field.firstIndex(of: ":") ?? field.count
        let mark = field[..<colon].firstIndex(of: "!") ?? colon
        let path = field[..<mark]
        let nameEnd = path.firstIndex { $0 == "." || $0 == "[" } ?? path.count
        let name = string(path[..<nameEnd])
        var value: RuntimeValue
        if name.isEmpty || Int(name) != nil {
            let place = name.isEmpty ? automatic : Int(name) ?? 0
            if name.isEmpty { automatic += 1 }
            guard place >= 0, place < arguments.positional.count else {
                throw TemplateFault.runtime("Replacement index \(place) out of range for positional args tuple")
            }
            value = arguments.positional[place]
        } else {
            guard let found = arguments.named.first(where: { $0.name == name }) else {
                throw TemplateFault.runtime("KeyError: '\(name)'")
            }
            value = found.value
        }
        var index = nameEnd
        while index < path.count {
            if path[index] == "." {
                let end = path[(index + 1)...].firstIndex { $0 == "." || $0 == "[" } ?? path.count
                value = try value.attribute(string(path[index + 1..<end]), in: renderer)
                index = end
            } else {
                guard path[index] == "[", let end = path[index...].firstIndex(of: "]") else {
                    throw TemplateFault.runtime("broken field in format string")
                }
                let key = string(path[index + 1..<end])
                value = try value.item(Int(key).map { .int($0) } ?? .own(key), in: renderer)
                index = end + 1
            }
        }
        switch string(field[mark..<colon]) {
        case "": break
        case "!s": value = .string(try value.printed())
        case "!r": value = .string(try value.represented())
        default: throw TemplateFault.unsupported("the conversion \(string(field[mark..<colon])) of str.format")
        }
        return try formatted(value, Array(field[min(colon + 1, field.count)...]))
    }

    private func formatted(_ value: RuntimeValue, _ given: [Unicode.Scalar]) throws -> TracedText {
        guard !given.isEmpty else { return try value.printed() }
        var spec = given[...]
        var layout = FieldLayout()
        let aligns: Set<Unicode.Scalar> = ["<", ">", "^", "="]
        if spec.count > 1, aligns.contains(spec[spec.startIndex + 1]) {
            layout.fill = spec.removeFirst()
            layout.align = spec.removeFirst()
        } else if let first = spec.first, aligns.contains(first) {
            layout.align = spec.removeFirst()
        }
        if let first = spec.first, first == "+" || first == "-" || first == " " { layout.sign = spec.removeFirst() }
        if spec.first == "#" {
            layout.alternate = true
            spec.removeFirst()
        }
        if spec.first == "0" {
            spec.removeFirst()
            if layout.align == nil { (layout.fill, layout.align) = ("0", "=") }
        }
        func digits() -> Int? {
            var number: Int?
            while let scalar = spec.first, scalar.isASCIIDigit, number ?? 0 < 1_000_000_000_000 {
                number = (number ?? 0) * 10 + Int(scalar.value - 48)
                spec.removeFirst()
            }
            return number
        }
        layout.width = digits() ?? 0
        if spec.first == "," {
            layout.grouping = true
            spec.removeFirst()
        }
        if spec.first == "." {
            spec.removeFirst()
            layout.precision = digits()
        }
        let type = spec.popFirst()
        guard spec.isEmpty else {
            throw TemplateFault.unsupported("a format that str.format of this renderer does not read")
        }
        if case .string(let text) = value {
            guard type == nil || type == "s", layout.align != "=" || layout.fill == "0" else {
                throw TemplateFault.runtime("Unknown format code for a text")
            }
            if layout.align == "=" { layout.align = "<" }
            return try layout.applied(
                to: layout.precision.map { text[0..<min($0, text.count)] } ?? text, numeric: false, in: renderer)
        }
        guard let number = value.number else {
            throw TemplateFault.runtime("unsupported format string for \(value.typeName)")
        }
        if type == nil {
            switch number {
            case .double(let double):
                guard layout.precision == nil else {
                    throw TemplateFault.unsupported("a precision without a type in str.format")
                }
                let digits = double.pythonDescription
                let sign = layout.sign != "-" && !digits.hasPrefix("-") ? String(layout.sign) : ""
                return try layout.applied(to: .own(sign + digits), numeric: true, in: renderer)
            case .int: return try layout.applied(to: .own(try layout.number(number, "d")), numeric: true, in: renderer)
            }
        }
        return try layout.applied(to: .own(try layout.number(number, type ?? "d")), numeric: true, in: renderer)
    }
}
