/// An expression as it was read, names still names.
struct TemplateExpression: Sendable {
    let line: Int
    let kind: Kind
    /// How many expressions are inside each other, this one included: what evaluating takes from the stack.
    let depth: Int

    init(line: Int, kind: Kind) {
        self.line = line
        self.kind = kind
        depth = 1 + (kind.parts.map(\.depth).max() ?? 0)
    }

    indirect enum Kind: Sendable {
        case none
        case bool(Bool)
        case int(Int)
        case double(Double)
        case string(String)
        case name(String)
        case tuple([TemplateExpression])
        case list([TemplateExpression])
        case dictionary([(key: TemplateExpression, value: TemplateExpression)])
        case negative(TemplateExpression)
        case positive(TemplateExpression)
        case not(TemplateExpression)
        case and(TemplateExpression, TemplateExpression)
        case or(TemplateExpression, TemplateExpression)
        case arithmetic(String, TemplateExpression, TemplateExpression)
        case concatenation([TemplateExpression])
        case comparison(TemplateExpression, [(symbol: String, value: TemplateExpression)])
        case conditional(test: TemplateExpression, then: TemplateExpression, otherwise: TemplateExpression?)
        case attribute(TemplateExpression, String)
        case item(TemplateExpression, TemplateExpression)
        case slice(TemplateExpression, TemplateExpression?, TemplateExpression?, TemplateExpression?)
        case call(TemplateExpression, TemplateArguments)
        case filter(String, TemplateExpression, TemplateArguments)
        case test(String, TemplateExpression, TemplateArguments)
        /// The text of a `{% filter %}` or a filtered `{% set %}` block.
        case captured
    }
}

extension TemplateExpression.Kind {
    /// The expressions directly inside.
    fileprivate var parts: [TemplateExpression] {
        switch self {
        case .none, .bool, .int, .double, .string, .name, .captured: []
        case .tuple(let items), .list(let items), .concatenation(let items): items
        case .dictionary(let pairs): pairs.flatMap { [$0.key, $0.value] }
        case .negative(let value), .positive(let value), .not(let value), .attribute(let value, _): [value]
        case .and(let left, let right), .or(let left, let right), .arithmetic(_, let left, let right),
            .item(let left, let right):
            [left, right]
        case .comparison(let first, let rest): [first] + rest.map(\.value)
        case .conditional(let test, let then, let otherwise): [test, then] + (otherwise.map { [$0] } ?? [])
        case .slice(let value, let start, let stop, let step): [value] + [start, stop, step].compactMap { $0 }
        case .call(let value, let arguments), .filter(_, let value, let arguments), .test(_, let value, let arguments):
            [value] + arguments.positional + arguments.named.map(\.value)
                + [arguments.spread, arguments.namedSpread].compactMap { $0 }
        }
    }
}

/// The arguments of a call, a filter or a test.
struct TemplateArguments: Sendable {
    var positional: [TemplateExpression] = []
    var named: [(name: String, value: TemplateExpression)] = []
    /// After `*` and `**`.
    var spread: TemplateExpression?
    var namedSpread: TemplateExpression?
}

/// What a value is assigned to.
indirect enum TemplateTarget: Sendable {
    case name(String)
    case attribute(String, String)
    case tuple([TemplateTarget])
}

/// The parameters of a macro or a call block; the last ones may have defaults.
struct TemplateSignature: Sendable {
    var names: [String] = []
    var defaults: [TemplateExpression] = []
    /// How deep the body is nested: what a call may take from the stack.
    var nesting = 0
}

/// A statement as it was read.
struct TemplateStatement: Sendable {
    var line: Int
    var kind: Kind

    indirect enum Kind: Sendable {
        case data(String)
        case output(TemplateExpression)
        case set(TemplateTarget, TemplateExpression)
        case setBlock(TemplateTarget, filter: TemplateExpression, [TemplateStatement])
        case conditional([(test: TemplateExpression, body: [TemplateStatement])], otherwise: [TemplateStatement])
        case loop(TemplateLoop)
        case macro(String, TemplateSignature, [TemplateStatement])
        case call(TemplateSignature, TemplateExpression, [TemplateStatement])
        case filter(TemplateExpression, [TemplateStatement])
        case with([(target: TemplateTarget, value: TemplateExpression)], [TemplateStatement])
        /// What the model says: `{% generation %}`.
        case generation([TemplateStatement])
        case breakLoop
        case continueLoop
    }
}

struct TemplateLoop: Sendable {
    var target: TemplateTarget
    var iterable: TemplateExpression
    var test: TemplateExpression?
    var body: [TemplateStatement]
    var otherwise: [TemplateStatement]
}

/// Walks over the names of a piece of syntax, in the order in which Jinja looks at them.
struct TemplateNameWalk {
    /// Is told each name and whether it is stored to.
    var visit: (String, Bool) -> Void

    func walk(_ statements: [TemplateStatement]) { statements.forEach(walk) }

    func walk(_ statement: TemplateStatement) {
        switch statement.kind {
        case .data, .breakLoop, .continueLoop: break
        case .output(let expression): walk(expression)
        case .set(let target, let value):
            walk(target)
            walk(value)
        case .setBlock(let target, let filter, let body):
            walk(target)
            walk(filter)
            walk(body)
        case .conditional(let branches, let otherwise):
            for branch in branches {
                walk(branch.test)
                walk(branch.body)
            }
            walk(otherwise)
        case .loop(let loop):
            walk(loop.target)
            walk(loop.iterable)
            walk(loop.body)
            walk(loop.otherwise)
            if let test = loop.test { walk(test) }
        case .macro(_, let signature, let body):
            walk(signature)
            walk(body)
        case .call(let signature, let call, let body):
            walk(call)
            walk(signature)
            walk(body)
        case .filter(let filter, let body):
            walk(body)
            walk(filter)
        case .with(let pairs, let body):
            for pair in pairs { walk(pair.target) }
            for pair in pairs { walk(pair.value) }
            walk(body)
        case .generation(let body): walk(body)
        }
    }

    func walk(_ signature: TemplateSignature) {
        for name in signature.names { visit(name, true) }
        signature.defaults.forEach(walk)
    }

    func walk(_ target: TemplateTarget) {
        switch target {
        case .name(let name): visit(name, true)
        case .attribute(let name, _): visit(name, false)
        case .tuple(let targets): targets.forEach(walk)
        }
    }

    func walk(_ expression: TemplateExpression) {
        if case .name(let name) = expression.kind { visit(name, false) }
        expression.kind.parts.forEach(walk)
    }
}
