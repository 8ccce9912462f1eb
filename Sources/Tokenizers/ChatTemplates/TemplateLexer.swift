/// Cuts a template into tokens, with white space as transformers configures Jinja: the newline after a block tag goes
/// (`trim_blocks`), blanks before a block tag that begins its line go (`lstrip_blocks`), the newline at the very end goes;
/// `-` at a tag's inside takes all white space on that side, `+` keeps it.
struct TemplateLexer {
    private let name: String
    private let source: [Unicode.Scalar]
    private var position = 0
    private var line = 1
    /// Whether the last thing read ended with a newline, so that a tag here begins its line.
    private var isLineStart = true
    private var tokens: [TemplateToken] = []

    static func tokens(of source: String, name: String) throws -> [TemplateToken] {
        var lexer = TemplateLexer(name: name, source: source)
        try lexer.run()
        return lexer.tokens
    }

    private init(name: String, source: String) {
        self.name = name
        var scalars = Self.withPlainNewlines(Array(source.unicodeScalars))
        if scalars.last == "\n" { scalars.removeLast() }
        self.source = scalars
    }

    private static func withPlainNewlines(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard scalars.contains("\r") else { return scalars }
        var result: [Unicode.Scalar] = []
        for (index, scalar) in scalars.enumerated() {
            if scalar == "\n", index > 0, scalars[index - 1] == "\r" { continue }
            result.append(scalar == "\r" ? "\n" : scalar)
        }
        return result
    }

    private func fault(_ message: String) -> ChatTemplateError {
        ChatTemplateError(.syntax, template: name, line: line, message)
    }

    private func isAt(_ text: String, _ index: Int) -> Bool {
        var index = index
        for scalar in text.unicodeScalars {
            guard index < source.count, source[index] == scalar else { return false }
            index += 1
        }
        return true
    }

    private func afterSpace(_ index: Int) -> Int {
        var index = index
        while index < source.count, source[index].isPythonSpace { index += 1 }
        return index
    }

    /// Moves on and counts the lines.
    private mutating func advance(to end: Int) {
        for index in position..<end where source[index] == "\n" { line += 1 }
        if end > position { isLineStart = source[end - 1] == "\n" }
        position = end
    }

    private mutating func emit(_ kind: TemplateToken.Kind) { tokens.append(TemplateToken(line: line, kind: kind)) }

    private func text(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: source[range])
        return String(view)
    }

    private mutating func run() throws {
        while position < source.count {
            var tag = position
            while tag < source.count, !(isAt("{{", tag) || isAt("{%", tag) || isAt("{#", tag)) { tag += 1 }
            guard tag < source.count else {
                emit(.data(text(position..<tag)))
                advance(to: tag)
                break
            }
            let sign = tag + 2 < source.count ? source[tag + 2] : " "
            emitText(before: tag, sign: sign, isVariable: source[tag + 1] == "{")
            let inside = sign == "-" || sign == "+" ? tag + 3 : tag + 2
            switch source[tag + 1] {
            case "#": try comment(from: inside)
            case "%":
                if let body = rawBegin(inside) { try raw(from: body) } else { try tagBody(from: inside, isBlock: true) }
            default: try tagBody(from: inside, isBlock: false)
            }
        }
        emit(.end)
    }

    private mutating func emitText(before tag: Int, sign: Unicode.Scalar, isVariable: Bool) {
        var end = tag
        if sign == "-" {
            while end > position, source[end - 1].isPythonSpace { end -= 1 }
        } else if sign != "+", !isVariable {
            var start = tag
            while start > position, source[start - 1] != "\n" { start -= 1 }
            if start > position || isLineStart, source[start..<tag].allSatisfy(\.isPythonSpace) { end = start }
        }
        if end > position { emit(.data(text(position..<end))) }
        advance(to: tag)
    }

    /// After a closing mark: `-` takes white space, `+` keeps the newline, plain takes one newline.
    private func end(of mark: String, at index: Int, trimsNewline: Bool) -> Int? {
        if isAt("-" + mark, index) { return afterSpace(index + 1 + mark.count) }
        if trimsNewline, isAt("+" + mark, index) { return index + 1 + mark.count }
        guard isAt(mark, index) else { return nil }
        let after = index + mark.count
        return trimsNewline && after < source.count && source[after] == "\n" ? after + 1 : after
    }

    private mutating func comment(from start: Int) throws {
        for index in start..<max(start, source.count) {
            if let end = end(of: "#}", at: index, trimsNewline: true) { return advance(to: end) }
        }
        throw fault("the comment {# has no #}")
    }

    /// Where the text after `{% raw %}` begins.
    private func rawBegin(_ inside: Int) -> Int? {
        let word = afterSpace(inside)
        guard isAt("raw", word) else { return nil }
        return end(of: "%}", at: afterSpace(word + 3), trimsNewline: false)
    }

    private mutating func raw(from start: Int) throws {
        advance(to: start)
        var tag = start
        while tag < source.count {
            defer { tag += 1 }
            guard isAt("{%", tag) else { continue }
            let sign = tag + 2 < source.count ? source[tag + 2] : " "
            let word = afterSpace(sign == "-" || sign == "+" ? tag + 3 : tag + 2)
            guard isAt("endraw", word), let end = end(of: "%}", at: afterSpace(word + 6), trimsNewline: true) else {
                continue
            }
            emitText(before: tag, sign: sign, isVariable: false)
            return advance(to: end)
        }
        throw fault("{% raw %} has no {% endraw %}")
    }

    private mutating func tagBody(from start: Int, isBlock: Bool) throws {
        emit(isBlock ? .blockBegin : .variableBegin)
        advance(to: start)
        var brackets: [String] = []
        while position < source.count {
            if brackets.isEmpty, let end = end(of: isBlock ? "%}" : "}}", at: position, trimsNewline: isBlock) {
                emit(isBlock ? .blockEnd : .variableEnd)
                return advance(to: end)
            }
            let scalar = source[position]
            if scalar.isPythonSpace {
                advance(to: afterSpace(position))
            } else if scalar.isASCIIDigit {
                try number()
            } else if scalar.isNamePart {
                var end = position + 1
                while end < source.count, source[end].isNamePart { end += 1 }
                emit(.name(text(position..<end)))
                advance(to: end)
            } else if scalar == "'" || scalar == "\"" {
                try string(quote: scalar)
            } else {
                try symbol(&brackets)
            }
        }
        throw fault("the tag \(isBlock ? "{%" : "{{") is not closed")
    }

    private static let symbols = ["//", "**", "==", "!=", ">=", "<="] + "+-/*%~[](){}><=.:|,;".map(String.init)
    private static let closing = ["{": "}", "(": ")", "[": "]"]

    private mutating func symbol(_ brackets: inout [String]) throws {
        guard let symbol = Self.symbols.first(where: { isAt($0, position) }) else {
            throw fault("unexpected character '\(source[position])'")
        }
        if let closing = Self.closing[symbol] {
            brackets.append(closing)
        } else if symbol == "}" || symbol == ")" || symbol == "]" {
            guard let expected = brackets.popLast() else { throw fault("unexpected '\(symbol)'") }
            guard expected == symbol else { throw fault("unexpected '\(symbol)', expected '\(expected)'") }
        }
        emit(.symbol(symbol))
        advance(to: position + symbol.count)
    }

    /// Where digits, perhaps apart by single underscores, end.
    private func digits(_ start: Int, _ isDigit: (Unicode.Scalar) -> Bool) -> Int? {
        guard start < source.count, isDigit(source[start]) else { return nil }
        var end = start + 1
        while end < source.count {
            if isDigit(source[end]) {
                end += 1
            } else if source[end] == "_", end + 1 < source.count, isDigit(source[end + 1]) {
                end += 2
            } else {
                break
            }
        }
        return end
    }

    private mutating func number() throws {
        let start = position
        for (mark, radix) in [("b", 2), ("o", 8), ("x", 16)]
        where isAt("0" + mark, start) || isAt("0" + mark.uppercased(), start) {
            let isDigit = { (scalar: Unicode.Scalar) in Int(String(scalar), radix: radix) != nil }
            if let end = digits(start + 2, isDigit) { return try integer(start + 2..<end, radix: radix) }
        }
        var end = digits(start, \.isASCIIDigit) ?? start
        let whole = end
        if end < source.count, source[end] == ".", let fraction = digits(end + 1, \.isASCIIDigit) { end = fraction }
        if end < source.count, source[end] == "e" || source[end] == "E" {
            let sign = end + 1 < source.count && (source[end + 1] == "+" || source[end + 1] == "-") ? 1 : 0
            if let exponent = digits(end + 1 + sign, \.isASCIIDigit) { end = exponent }
        }
        guard end > whole, start == 0 || source[start - 1] != "." else {
            if source[start] == "0" {
                end = digits(start) { $0 == "0" } ?? whole
            } else {
                end = whole
            }
            return try integer(start..<end, radix: 10)
        }
        guard let value = Double(text(start..<end).replacing("_", with: "")) else { throw fault("a broken number") }
        emit(.float(value))
        advance(to: end)
    }

    private mutating func integer(_ range: Range<Int>, radix: Int) throws {
        guard let value = Int(text(range).replacing("_", with: ""), radix: radix) else {
            throw ChatTemplateError(.unsupported, template: name, line: line, "a whole number past 64 bits")
        }
        emit(.integer(value))
        advance(to: range.upperBound)
    }

    private mutating func string(quote: Unicode.Scalar) throws {
        var end = position + 1
        while end < source.count, source[end] != quote { end += source[end] == "\\" ? 2 : 1 }
        guard end < source.count else { throw fault("a string is not closed") }
        emit(.string(try unescaped(position + 1..<end)))
        advance(to: end + 1)
    }

    private func unescaped(_ range: Range<Int>) throws -> String {
        var result = String.UnicodeScalarView()
        var index = range.lowerBound
        func code(_ length: Int, radix: Int, digits start: Int, exact: Bool) throws -> Unicode.Scalar {
            var end = start
            while end < min(start + length, range.upperBound), Int(String(source[end]), radix: radix) != nil {
                end += 1
            }
            guard !exact || end == start + length, let value = UInt32(text(start..<end), radix: radix) else {
                throw fault("a broken escape in a string")
            }
            guard let scalar = Unicode.Scalar(value) else {
                throw ChatTemplateError(.unsupported, template: name, line: line, "half a surrogate pair in a string")
            }
            index = end
            return scalar
        }
        while index < range.upperBound {
            let scalar = source[index]
            index += 1
            guard scalar == "\\", index < range.upperBound else {
                result.append(scalar)
                continue
            }
            let escape = source[index]
            index += 1
            switch escape {
            case "\n": break
            case "\\", "'", "\"": result.append(escape)
            case "n": result.append("\n")
            case "t": result.append("\t")
            case "r": result.append("\r")
            case "a": result.append("\u{7}")
            case "b": result.append("\u{8}")
            case "f": result.append("\u{C}")
            case "v": result.append("\u{B}")
            case "0"..."7": result.append(try code(3, radix: 8, digits: index - 1, exact: false))
            case "x": result.append(try code(2, radix: 16, digits: index, exact: true))
            case "u": result.append(try code(4, radix: 16, digits: index, exact: true))
            case "U": result.append(try code(8, radix: 16, digits: index, exact: true))
            case "N": throw ChatTemplateError(.unsupported, template: name, line: line, "\\N{…} in a string")
            default:
                result.append("\\")
                // Jinja spells what is not ASCII as an escape before it reads escapes, so a backslash before it meets one.
                if escape.isASCII {
                    result.append(escape)
                } else {
                    let digits = String(escape.value, radix: 16)
                    let (mark, width) = escape.value < 0x100 ? ("x", 2) : escape.value < 0x10000 ? ("u", 4) : ("U", 8)
                    let zeros = String(repeating: "0", count: width - digits.count)
                    result.append(contentsOf: (mark + zeros + digits).unicodeScalars)
                }
            }
        }
        return String(result)
    }
}

extension Unicode.Scalar {
    var isASCIIDigit: Bool { (0x30...0x39).contains(value) }
    fileprivate var isNamePart: Bool {
        isASCII ? self == "_" || properties.isAlphabetic || isASCIIDigit : properties.isXIDContinue
    }
}
