extension TemplateCompiler {
    /// Expressions become closures that take the renderer's state and give a value.
    mutating func evaluation(of expression: TemplateExpression, in scope: TemplateScope) throws -> Evaluation {
        let line = expression.line
        switch expression.kind {
        case .none: return { _ in .none }
        case .bool(let value): return { _ in .bool(value) }
        case .int(let value): return { _ in .int(value) }
        case .double(let value): return { _ in .double(value) }
        case .string(let value):
            let text = TracedText.own(value)
            return { _ in .string(text) }
        case .name(let name):
            guard let slot = scope.slot(of: name) else { return { $0.resolve(name) ?? .undefined(.name(name)) } }
            let read = Self.read(slot, from: scope.layout.depth)
            return { read($0) ?? .undefined(.name(name)) }
        case .captured: return { .string($0.captured.last ?? TracedText()) }
        case .tuple(let items):
            let parts = try evaluations(items, in: scope)
            return { renderer in .tuple(try renderer.nested(try parts.map { try $0(renderer) })) }
        case .list(let items):
            let parts = try evaluations(items, in: scope)
            return { renderer in .list(try renderer.nested(try parts.map { try $0(renderer) })) }
        case .dictionary(let pairs):
            let parts = try pairs.map {
                (try evaluation(of: $0.key, in: scope), try evaluation(of: $0.value, in: scope))
            }
            return { renderer in
                var dictionary = RuntimeDictionary()
                for (key, value) in parts {
                    let pair = try renderer.nested([try key(renderer), try value(renderer)])
                    try dictionary.set(pair[0], pair[1])
                }
                return .dictionary(dictionary)
            }
        case .negative(let value):
            let value = try evaluation(of: value, in: scope)
            return { try value($0).negated() }
        case .positive(let value):
            let value = try evaluation(of: value, in: scope)
            return { try value($0).affirmed() }
        case .not(let value):
            let value = try evaluation(of: value, in: scope)
            return { .bool(!(try value($0).isTrue)) }
        case .and(let left, let right):
            let (left, right) = (try evaluation(of: left, in: scope), try evaluation(of: right, in: scope))
            return { renderer in
                let value = try left(renderer)
                return value.isTrue ? try right(renderer) : value
            }
        case .or(let left, let right):
            let (left, right) = (try evaluation(of: left, in: scope), try evaluation(of: right, in: scope))
            return { renderer in
                let value = try left(renderer)
                return value.isTrue ? value : try right(renderer)
            }
        case .arithmetic(let symbol, let left, let right):
            let (left, right) = (try evaluation(of: left, in: scope), try evaluation(of: right, in: scope))
            return { renderer in
                let (a, b) = (try left(renderer), try right(renderer))
                renderer.line = line
                try renderer.spend(1)
                return try a.arithmetic(symbol, b, in: renderer)
            }
        case .concatenation(let items):
            let parts = try evaluations(items, in: scope)
            return { renderer in
                var text = TracedText()
                for part in parts {
                    text.append(try part(renderer).printed())
                    guard text.count <= renderer.limits.textLength else { break }
                }
                renderer.line = line
                return .string(try renderer.checked(text))
            }
        case .comparison(let first, let rest):
            let value = try evaluation(of: first, in: scope)
            let parts = try rest.map { ($0.symbol, try evaluation(of: $0.value, in: scope)) }
            return { renderer in
                var left = try value(renderer)
                for (symbol, value) in parts {
                    let right = try value(renderer)
                    renderer.line = line
                    try renderer.spend(1)
                    guard try left.compares(symbol, to: right, in: renderer) else { return .bool(false) }
                    left = right
                }
                return .bool(true)
            }
        case .conditional(let test, let then, let otherwise):
            return try conditional(line, test, then, otherwise, in: scope)
        case .attribute(let value, let name):
            let value = try evaluation(of: value, in: scope)
            return { renderer in
                let value = try value(renderer)
                renderer.line = line
                return try value.attribute(name, in: renderer)
            }
        case .item(let value, let key):
            let (value, key) = (try evaluation(of: value, in: scope), try evaluation(of: key, in: scope))
            return { renderer in
                let (value, key) = (try value(renderer), try key(renderer))
                renderer.line = line
                return try value.item(key, in: renderer)
            }
        case .slice(let value, let start, let stop, let step):
            let value = try evaluation(of: value, in: scope)
            let bounds = try [start, stop, step].map { try $0.map { try evaluation(of: $0, in: scope) } }
            return { renderer in
                let value = try value(renderer)
                let parts = try bounds.map { try $0?(renderer) }
                renderer.line = line
                try renderer.spend((try renderer.count(of: value) ?? 0) / 16)
                return try value.sliced(parts[0], parts[1], parts[2])
            }
        case .call(let function, let given):
            let (function, arguments) = (try evaluation(of: function, in: scope), try self.arguments(given, in: scope))
            return { renderer in
                let (target, values) = (try function(renderer), try arguments(renderer))
                renderer.line = line
                return try renderer.call(target, values)
            }
        case .filter(let name, let value, let given):
            let (value, arguments) = (try evaluation(of: value, in: scope), try self.arguments(given, in: scope))
            guard let filter = TemplateFilters.named(name) else {
                return try refusal(
                    TemplateFilters.unknown("filter", name, TemplateFilters.foreign.contains(name)), line)
            }
            return { renderer in
                let (value, values) = (try value(renderer), try arguments(renderer))
                renderer.line = line
                try renderer.spend(1)
                return try filter(renderer, value, values)
            }
        case .test(let name, let value, let given):
            let (value, arguments) = (try evaluation(of: value, in: scope), try self.arguments(given, in: scope))
            guard let test = TemplateTests.named(name) else {
                return try refusal(TemplateFilters.unknown("test", name, false), line)
            }
            return { renderer in
                let (value, values) = (try value(renderer), try arguments(renderer))
                renderer.line = line
                return .bool(try test(renderer, value, values))
            }
        }
    }

    private mutating func evaluations(
        _ expressions: [TemplateExpression], in scope: TemplateScope
    ) throws -> [Evaluation] {
        try expressions.map { try evaluation(of: $0, in: scope) }
    }

    private mutating func conditional(
        _ line: Int, _ test: TemplateExpression, _ then: TemplateExpression, _ otherwise: TemplateExpression?,
        in scope: TemplateScope
    ) throws -> Evaluation {
        conditions += 1
        defer { conditions -= 1 }
        let (test, then) = (try evaluation(of: test, in: scope), try evaluation(of: then, in: scope))
        let rest = try otherwise.map { try evaluation(of: $0, in: scope) }
        let hint = "the inline if-expression on line \(line) evaluated to false and no else section was defined."
        return { renderer in
            if try test(renderer).isTrue { return try then(renderer) }
            return try rest?(renderer) ?? .undefined(.hint(hint))
        }
    }

    /// A construct that is not there: refused now, or, inside a condition, when it is reached.
    private func refusal(_ fault: TemplateFault, _ line: Int) throws -> Evaluation {
        guard conditions > 0 else { throw ChatTemplateError(fault.code, template: name, line: line, fault.message) }
        return { renderer in
            renderer.line = line
            throw fault
        }
    }

    mutating func arguments(
        _ arguments: TemplateArguments, in scope: TemplateScope
    ) throws -> @Sendable (TemplateRenderer) throws -> CallArguments {
        let positional = try evaluations(arguments.positional, in: scope)
        let named = try arguments.named.map { (name: $0.name, value: try evaluation(of: $0.value, in: scope)) }
        let spread = try arguments.spread.map { try evaluation(of: $0, in: scope) }
        let namedSpread = try arguments.namedSpread.map { try evaluation(of: $0, in: scope) }
        if positional.isEmpty, named.isEmpty, spread == nil, namedSpread == nil { return { _ in CallArguments() } }
        return { renderer in
            var values = CallArguments(positional: try positional.map { try $0(renderer) })
            values.named = try named.map { ($0.name, try $0.value(renderer)) }
            if let spread {
                values.positional += try renderer.checked(try renderer.items(try spread(renderer)))
            }
            guard let namedSpread else { return values }
            guard case .dictionary(let dictionary) = try namedSpread(renderer) else {
                throw TemplateFault.runtime("argument after ** must be a mapping")
            }
            try renderer.spend(dictionary.entries.count)
            for entry in dictionary.entries {
                guard case .string(let name) = entry.key else {
                    throw TemplateFault.runtime("keywords must be strings")
                }
                values.named.append((name.string, entry.value))
            }
            return values
        }
    }
}
