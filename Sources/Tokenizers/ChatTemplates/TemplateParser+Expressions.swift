/// Expressions with Jinja's order of operators, weakest first: `if`, `or`, `and`, `not`, comparisons, `+ -`, `~`,
/// `* / // %`, `**`, signs, then attributes, calls, filters and tests.
extension TemplateParser {
    /// An expression around others. A long chain such as `a + b + c …` is as deep as it is long.
    mutating func made(line: Int, kind: TemplateExpression.Kind) throws -> TemplateExpression {
        let expression = TemplateExpression(line: line, kind: kind)
        guard expression.depth <= limits.expression else {
            throw fault("an expression deeper than \(limits.expression)", .limit)
        }
        deepest = max(deepest, depth + expression.depth)
        return expression
    }

    mutating func expression(conditional: Bool = true) throws -> TemplateExpression {
        try nested { conditional ? try $0.conditional() : try $0.or() }
    }

    /// An expression, or a tuple without brackets.
    mutating func tupleOrExpression(
        conditional: Bool = true, until word: String? = nil, inBrackets: Bool = false
    ) throws -> TemplateExpression {
        let line = current.line
        var items: [TemplateExpression] = []
        var isTuple = false
        while true {
            if !items.isEmpty { try expect(.symbol(",")) }
            if current.kind == .variableEnd || current.kind == .blockEnd || isAt(")")
                || word.map({ isAt(word: $0) }) == true
            {
                break
            }
            items.append(try expression(conditional: conditional))
            guard isAt(",") else { break }
            isTuple = true
        }
        if !isTuple {
            if let first = items.first { return first }
            guard inBrackets else { throw fault("expected an expression, found \(current.description)") }
        }
        return try made(line: line, kind: .tuple(items))
    }

    private mutating func conditional() throws -> TemplateExpression {
        var value = try or()
        while isAt(word: "if") {
            let line = current.line
            advance()
            let test = try or()
            let otherwise = skip(word: "else") ? try nested { try $0.conditional() } : nil
            value = try made(line: line, kind: .conditional(test: test, then: value, otherwise: otherwise))
        }
        return value
    }

    private mutating func or() throws -> TemplateExpression {
        var left = try and()
        while isAt(word: "or") {
            let line = current.line
            advance()
            left = try made(line: line, kind: .or(left, try and()))
        }
        return left
    }

    private mutating func and() throws -> TemplateExpression {
        var left = try not()
        while isAt(word: "and") {
            let line = current.line
            advance()
            left = try made(line: line, kind: .and(left, try not()))
        }
        return left
    }

    private mutating func not() throws -> TemplateExpression {
        guard isAt(word: "not") else { return try comparison() }
        let line = current.line
        advance()
        return try made(line: line, kind: .not(try nested { try $0.not() }))
    }

    private mutating func comparison() throws -> TemplateExpression {
        let first = try sum()
        let line = current.line
        var rest: [(symbol: String, value: TemplateExpression)] = []
        while true {
            if case .symbol(let symbol) = current.kind, ["==", "!=", "<", "<=", ">", ">="].contains(symbol) {
                advance()
                rest.append((symbol, try sum()))
            } else if skip(word: "in") {
                rest.append(("in", try sum()))
            } else if isAt(word: "not"), next.kind == .name("in") {
                advance()
                advance()
                rest.append(("not in", try sum()))
            } else {
                return try rest.isEmpty ? first : made(line: line, kind: .comparison(first, rest))
            }
        }
    }

    /// A chain of operators of one strength, from the left.
    private mutating func chain(
        _ symbols: [String], _ operand: (inout TemplateParser) throws -> TemplateExpression
    ) throws -> TemplateExpression {
        var left = try operand(&self)
        while case .symbol(let symbol) = current.kind, symbols.contains(symbol) {
            let line = current.line
            advance()
            left = try made(line: line, kind: .arithmetic(symbol, left, try operand(&self)))
        }
        return left
    }

    private mutating func sum() throws -> TemplateExpression { try chain(["+", "-"]) { try $0.concatenation() } }
    private mutating func product() throws -> TemplateExpression {
        try chain(["*", "/", "//", "%"]) { try $0.power() }
    }
    private mutating func power() throws -> TemplateExpression { try chain(["**"]) { try $0.unary() } }

    private mutating func concatenation() throws -> TemplateExpression {
        let first = try product()
        guard isAt("~") else { return first }
        let line = current.line
        var items = [first]
        while skip("~") { items.append(try product()) }
        return try made(line: line, kind: .concatenation(items))
    }

    private mutating func unary(filtered: Bool = true) throws -> TemplateExpression {
        let line = current.line
        var value: TemplateExpression
        if skip("-") {
            value = try made(line: line, kind: .negative(try nested { try $0.unary(filtered: false) }))
        } else if skip("+") {
            value = try made(line: line, kind: .positive(try nested { try $0.unary(filtered: false) }))
        } else {
            value = try primary()
        }
        value = try postfix(value)
        guard filtered else { return value }
        while true {
            if isAt("|") {
                value = try filters(on: value)
            } else if isAt(word: "is") {
                value = try test(on: value)
            } else if isAt("(") {
                let line = current.line
                value = try made(line: line, kind: .call(value, try arguments()))
            } else {
                return value
            }
        }
    }

    private mutating func primary() throws -> TemplateExpression {
        let token = current
        switch token.kind {
        case .name(let name):
            advance()
            switch name {
            case "true", "True": return try made(line: token.line, kind: .bool(true))
            case "false", "False": return try made(line: token.line, kind: .bool(false))
            case "none", "None": return try made(line: token.line, kind: .none)
            default: return try made(line: token.line, kind: .name(name))
            }
        case .string(var text):
            advance()
            while case .string(let more) = current.kind {
                text += more
                advance()
            }
            return try made(line: token.line, kind: .string(text))
        case .integer(let value):
            advance()
            return try made(line: token.line, kind: .int(value))
        case .float(let value):
            advance()
            return try made(line: token.line, kind: .double(value))
        case .symbol("("):
            advance()
            let value = try tupleOrExpression(inBrackets: true)
            try expect(.symbol(")"))
            return value
        case .symbol("["):
            advance()
            var items: [TemplateExpression] = []
            while !isAt("]") {
                if !items.isEmpty { try expect(.symbol(",")) }
                if isAt("]") { break }
                items.append(try expression())
            }
            advance()
            return try made(line: token.line, kind: .list(items))
        case .symbol("{"):
            advance()
            var pairs: [(key: TemplateExpression, value: TemplateExpression)] = []
            while !isAt("}") {
                if !pairs.isEmpty { try expect(.symbol(",")) }
                if isAt("}") { break }
                let key = try expression()
                try expect(.symbol(":"))
                pairs.append((key, try expression()))
            }
            advance()
            return try made(line: token.line, kind: .dictionary(pairs))
        default: throw fault("unexpected \(token.description)")
        }
    }

    private mutating func postfix(_ start: TemplateExpression) throws -> TemplateExpression {
        var value = start
        while true {
            let line = current.line
            if skip(".") {
                switch current.kind {
                case .name(let name): value = try made(line: line, kind: .attribute(value, name))
                case .integer(let index):
                    value = try made(line: line, kind: .item(value, try made(line: line, kind: .int(index))))
                default: throw fault("expected a name or a number after '.', found \(current.description)")
                }
                advance()
            } else if skip("[") {
                value = try subscripted(value, line: line)
            } else if isAt("(") {
                value = try made(line: line, kind: .call(value, try arguments()))
            } else {
                return value
            }
        }
    }

    private mutating func subscripted(_ value: TemplateExpression, line: Int) throws -> TemplateExpression {
        func isPartEnd(_ parser: TemplateParser) -> Bool { parser.isAt("]") || parser.isAt(",") || parser.isAt(":") }
        let start = isAt(":") ? nil : try expression()
        guard skip(":") else {
            var items = start.map { [$0] } ?? []
            while skip(",") { items.append(try expression()) }
            try expect(.symbol("]"))
            let key = try items.count == 1 ? items[0] : made(line: line, kind: .tuple(items))
            return try made(line: line, kind: .item(value, key))
        }
        let stop = isPartEnd(self) ? nil : try expression()
        var step: TemplateExpression?
        if skip(":"), !isPartEnd(self) { step = try expression() }
        if isAt(",") { throw fault("several slices at once are not supported", .unsupported) }
        try expect(.symbol("]"))
        return try made(line: line, kind: .slice(value, start, stop, step))
    }

    private mutating func arguments() throws -> TemplateArguments {
        try expect(.symbol("("))
        var arguments = TemplateArguments()
        var isFirst = true
        while !isAt(")") {
            if !isFirst {
                try expect(.symbol(","))
                if isAt(")") { break }
            }
            isFirst = false
            let isPlain = arguments.spread == nil && arguments.namedSpread == nil
            if skip("*") {
                guard isPlain else { throw fault("a second '*' in a call") }
                arguments.spread = try expression()
            } else if skip("**") {
                guard arguments.namedSpread == nil else { throw fault("a second '**' in a call") }
                arguments.namedSpread = try expression()
            } else if case .name(let name) = current.kind, next.kind == .symbol("=") {
                guard arguments.namedSpread == nil else { throw fault("an argument after '**'") }
                advance()
                advance()
                arguments.named.append((name, try expression()))
            } else {
                guard isPlain, arguments.named.isEmpty else { throw fault("a positional argument after a named one") }
                arguments.positional.append(try expression())
            }
        }
        advance()
        return arguments
    }

    /// `| name(arguments)` once or more; `first` when the name comes without its bar.
    mutating func filters(on start: TemplateExpression, first: Bool = false) throws -> TemplateExpression {
        var value = start
        var hasName = first
        while hasName || skip("|") {
            hasName = false
            let line = current.line
            let name = try dottedName()
            let arguments = isAt("(") ? try arguments() : TemplateArguments()
            value = try made(line: line, kind: .filter(name, value, arguments))
        }
        return value
    }

    private mutating func dottedName() throws -> String {
        var name = try expectName()
        while skip(".") { name += "." + (try expectName()) }
        return name
    }

    private mutating func test(on value: TemplateExpression) throws -> TemplateExpression {
        let line = current.line
        advance()
        let negated = skip(word: "not")
        let name = try dottedName()
        var arguments = TemplateArguments()
        if isAt("(") {
            arguments = try self.arguments()
        } else if startsOperand {
            if isAt(word: "is") { throw fault("tests cannot follow each other with 'is'") }
            arguments.positional = [try postfix(try primary())]
        }
        let test = try made(line: line, kind: .test(name, value, arguments))
        return try negated ? made(line: line, kind: .not(test)) : test
    }

    private var startsOperand: Bool {
        switch current.kind {
        case .name(let name): !["else", "or", "and"].contains(name)
        case .string, .integer, .float, .symbol("["), .symbol("{"): true
        default: false
        }
    }
}
