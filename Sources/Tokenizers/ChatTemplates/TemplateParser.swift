/// Reads the statements of a template; expressions are in `TemplateParser+Expressions.swift`.
struct TemplateParser {
    let name: String
    let tokens: [TemplateToken]
    let limits: ChatTemplateLimits
    var position = 0
    var depth = 0
    /// The deepest nesting met so far in this macro or template.
    var deepest = 0
    /// Inside how many loops of this macro or template.
    private var loops = 0

    static func statements(of source: String, name: String, limits: ChatTemplateLimits) throws -> [TemplateStatement] {
        guard source.utf8.count <= limits.sourceBytes else {
            throw ChatTemplateError(
                .limit, template: name, "the template has \(source.utf8.count) bytes, the cap is \(limits.sourceBytes)")
        }
        var parser = TemplateParser(
            name: name, tokens: try TemplateLexer.tokens(of: source, name: name), limits: limits)
        let statements = try parser.body(until: [], opened: parser.current)
        return statements
    }

    private init(name: String, tokens: [TemplateToken], limits: ChatTemplateLimits) {
        self.name = name
        self.tokens = tokens
        self.limits = limits
    }

    var current: TemplateToken { tokens[position] }
    var next: TemplateToken { tokens[min(position + 1, tokens.count - 1)] }

    mutating func advance() { position = min(position + 1, tokens.count - 1) }

    func fault(_ message: String, _ code: ChatTemplateError.Code = .syntax, at line: Int? = nil) -> ChatTemplateError {
        ChatTemplateError(code, template: name, line: line ?? current.line, message)
    }

    func isAt(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }
    func isAt(word: String) -> Bool { current.kind == .name(word) }

    mutating func skip(_ symbol: String) -> Bool {
        guard isAt(symbol) else { return false }
        advance()
        return true
    }

    mutating func skip(word: String) -> Bool {
        guard isAt(word: word) else { return false }
        advance()
        return true
    }

    mutating func expect(_ kind: TemplateToken.Kind) throws {
        guard current.kind == kind else {
            throw fault("expected \(TemplateToken(line: 0, kind: kind).description), found \(current.description)")
        }
        advance()
    }

    mutating func expectName() throws -> String {
        guard case .name(let name) = current.kind else { throw fault("expected a name, found \(current.description)") }
        advance()
        return name
    }

    /// One level deeper; capped, because a deep template would overflow the stack.
    mutating func nested<R>(_ body: (inout TemplateParser) throws -> R) throws -> R {
        guard depth < limits.nesting else { throw fault("nested deeper than \(limits.nesting)", .limit) }
        depth += 1
        deepest = max(deepest, depth)
        defer { depth -= 1 }
        return try body(&self)
    }

    /// Statements until one of these words opens a tag; it stays the current token.
    private mutating func body(until words: [String], opened: TemplateToken) throws -> [TemplateStatement] {
        var statements: [TemplateStatement] = []
        while true {
            let token = current
            switch token.kind {
            case .data(let text):
                advance()
                statements.append(TemplateStatement(line: token.line, kind: .data(text)))
            case .variableBegin:
                advance()
                let line = current.line
                let value = try tupleOrExpression()
                try expect(.variableEnd)
                statements.append(TemplateStatement(line: line, kind: .output(value)))
            case .blockBegin:
                advance()
                guard case .name(let word) = current.kind else {
                    throw fault("expected a tag's name, found \(current.description)")
                }
                if words.contains(word) { return statements }
                let statement = try nested { try $0.statement(word) }
                statements += statement
                try expect(.blockEnd)
            case .end:
                guard words.isEmpty else {
                    throw fault(
                        "the template ends, but \(opened.description) of line \(opened.line) lacks its \(words.last ?? "end")"
                    )
                }
                return statements
            default: throw fault("unexpected \(token.description)")
            }
        }
    }

    /// The body of a tag, from the tag's end to one of the words.
    private mutating func block(until words: [String], opened: TemplateToken) throws -> [TemplateStatement] {
        _ = skip(":")
        try expect(.blockEnd)
        return try body(until: words, opened: opened)
    }

    /// As `block`, past the closing word.
    private mutating func closedBlock(_ word: String, opened: TemplateToken) throws -> [TemplateStatement] {
        let statements = try block(until: [word], opened: opened)
        advance()
        return statements
    }

    /// A body that `break` and `continue` cannot leave.
    private mutating func closedFunction(
        _ word: String, _ signature: inout TemplateSignature, opened: TemplateToken
    ) throws -> [TemplateStatement] {
        let (outerLoops, outerDeepest) = (loops, deepest)
        (loops, deepest) = (0, depth)
        defer { (loops, deepest) = (outerLoops, max(outerDeepest, deepest)) }
        let statements = try closedBlock(word, opened: opened)
        signature.nesting = deepest - depth + 1
        return statements
    }

    private static let foreign: Set<String> = [
        "block", "extends", "include", "import", "from", "autoescape", "do", "trans",
    ]

    private mutating func statement(_ word: String) throws -> [TemplateStatement] {
        let token = current
        advance()
        func made(_ kind: TemplateStatement.Kind) -> [TemplateStatement] {
            [TemplateStatement(line: token.line, kind: kind)]
        }
        switch word {
        case "for": return made(.loop(try loop(token)))
        case "if": return made(try conditional(token))
        case "set": return made(try set(token))
        case "macro":
            let name = try expectName()
            var signature = try signature()
            let body = try closedFunction("endmacro", &signature, opened: token)
            return made(.macro(name, signature, body))
        case "call":
            var signature = isAt("(") ? try signature() : TemplateSignature()
            let call = try expression()
            guard case .call = call.kind else { throw fault("expected a call after 'call'", at: token.line) }
            let body = try closedFunction("endcall", &signature, opened: token)
            return made(.call(signature, call, body))
        case "filter":
            let filter = try filters(on: TemplateExpression(line: token.line, kind: .captured), first: true)
            return made(.filter(filter, try closedBlock("endfilter", opened: token)))
        case "with":
            var pairs: [(target: TemplateTarget, value: TemplateExpression)] = []
            while current.kind != .blockEnd, !isAt(":") {
                if !pairs.isEmpty { try expect(.symbol(",")) }
                let target = try target()
                try expect(.symbol("="))
                pairs.append((target, try expression()))
            }
            return made(.with(pairs, try closedBlock("endwith", opened: token)))
        case "generation":
            var signature = TemplateSignature()
            return made(.generation(try closedFunction("endgeneration", &signature, opened: token)))
        case "print":
            var statements: [TemplateStatement] = []
            while current.kind != .blockEnd {
                if !statements.isEmpty { try expect(.symbol(",")) }
                statements += made(.output(try expression()))
            }
            return statements
        case "break", "continue":
            guard loops > 0 else { throw fault("'\(word)' outside a loop", at: token.line) }
            return made(word == "break" ? .breakLoop : .continueLoop)
        default:
            if Self.foreign.contains(word) {
                throw fault("the tag '\(word)' is not supported", .unsupported, at: token.line)
            }
            throw fault("unknown tag '\(word)'", at: token.line)
        }
    }

    private mutating func loop(_ token: TemplateToken) throws -> TemplateLoop {
        let target = try target(until: "in")
        if case .name("loop") = target { throw fault("the loop's variable cannot be named 'loop'") }
        try expect(.name("in"))
        let iterable = try tupleOrExpression(conditional: false, until: "recursive")
        let test = skip(word: "if") ? try expression() : nil
        if isAt(word: "recursive") { throw fault("'recursive' loops are not supported", .unsupported) }
        loops += 1
        let body = try block(until: ["endfor", "else"], opened: token)
        loops -= 1
        var otherwise: [TemplateStatement] = []
        if skip(word: "else") { otherwise = try block(until: ["endfor"], opened: token) }
        advance()
        return TemplateLoop(target: target, iterable: iterable, test: test, body: body, otherwise: otherwise)
    }

    private mutating func conditional(_ token: TemplateToken) throws -> TemplateStatement.Kind {
        var branches: [(test: TemplateExpression, body: [TemplateStatement])] = []
        repeat {
            let test = try tupleOrExpression(conditional: false)
            branches.append((test, try block(until: ["elif", "else", "endif"], opened: token)))
        } while skip(word: "elif")
        var otherwise: [TemplateStatement] = []
        if skip(word: "else") { otherwise = try block(until: ["endif"], opened: token) }
        advance()
        return .conditional(branches, otherwise: otherwise)
    }

    private mutating func set(_ token: TemplateToken) throws -> TemplateStatement.Kind {
        let target = try target(namespaces: true)
        if skip("=") { return .set(target, try tupleOrExpression()) }
        let filter = try filters(on: TemplateExpression(line: token.line, kind: .captured))
        return .setBlock(target, filter: filter, try closedBlock("endset", opened: token))
    }

    private mutating func signature() throws -> TemplateSignature {
        try expect(.symbol("("))
        var signature = TemplateSignature()
        while !isAt(")") {
            if !signature.names.isEmpty { try expect(.symbol(",")) }
            signature.names.append(try expectName())
            if skip("=") {
                signature.defaults.append(try expression())
            } else if !signature.defaults.isEmpty {
                throw fault("a parameter without a default follows one that has it")
            }
        }
        advance()
        return signature
    }

    /// What a value is assigned to: a name, names apart by commas, or (in `set`) an attribute of a namespace.
    private mutating func target(until word: String? = nil, namespaces: Bool = false) throws -> TemplateTarget {
        var targets: [TemplateTarget] = []
        var isTuple = false
        while true {
            if !targets.isEmpty {
                guard skip(",") else { break }
                isTuple = true
            }
            if current.kind == .blockEnd || isAt(")") || isAt("=") || word.map({ isAt(word: $0) }) == true { break }
            if skip("(") {
                targets.append(try nested { try $0.target(namespaces: namespaces) })
                try expect(.symbol(")"))
            } else {
                let name = try expectName()
                guard !["true", "false", "none", "True", "False", "None"].contains(name) else {
                    throw fault("cannot assign to '\(name)'")
                }
                targets.append(namespaces && skip(".") ? .attribute(name, try expectName()) : .name(name))
            }
        }
        guard let first = targets.first else {
            throw fault("expected a name to assign to, found \(current.description)")
        }
        return isTuple ? .tuple(targets) : first
    }
}
