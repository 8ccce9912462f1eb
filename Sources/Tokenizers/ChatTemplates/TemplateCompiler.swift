/// A template ready to be rendered: closures around closures, every variable a numbered slot.
struct TemplateProgram: Sendable {
    let layout: FunctionLayout
    let body: Execution
}

/// Turns syntax into a program; expressions are in `TemplateCompiler+Expressions.swift`.
struct TemplateCompiler {
    let name: String
    /// Inside how many conditions: there an unknown filter is refused when it is reached, not before.
    var conditions = 0

    static func program(of source: String, name: String, limits: ChatTemplateLimits) throws -> TemplateProgram {
        let statements = try TemplateParser.statements(of: source, name: name, limits: limits)
        var compiler = TemplateCompiler(name: name)
        var scope = TemplateScope(FunctionLayout(depth: 0), outer: nil)
        scope.analyze(statements)
        let body = try compiler.block(statements, in: scope)
        let enter = Self.entry(of: scope)
        return TemplateProgram(layout: scope.layout) { renderer in
            try enter(renderer)
            return try body(renderer)
        }
    }

    // MARK: Variables

    static func read(_ slot: VariableSlot, from depth: Int) -> @Sendable (TemplateRenderer) -> RuntimeValue? {
        let (index, hops) = (slot.index, depth - slot.depth)
        if hops == 0 { return { $0.activation.slots[index] } }
        return { renderer in
            var activation: Activation? = renderer.activation
            for _ in 0..<hops { activation = activation?.parent }
            return activation?.slots[index] ?? nil
        }
    }

    /// Gives a scope's variables what they begin with.
    static func entry(of scope: TemplateScope) -> @Sendable (TemplateRenderer) throws -> Void {
        let depth = scope.layout.depth
        let steps = scope.loads.sorted { $0.key.index < $1.key.index }.compactMap { slot, load in
            let index = slot.index
            switch load {
            case .parameter: return nil as (@Sendable (TemplateRenderer) -> Void)?
            case .missing: return { $0.activation.slots[index] = nil }
            case .resolve(let name): return { $0.activation.slots[index] = $0.resolve(name) }
            case .alias(let outer):
                let read = read(outer, from: depth)
                return { $0.activation.slots[index] = read($0) }
            }
        }
        return { renderer in for step in steps { step(renderer) } }
    }

    typealias Assignment = @Sendable (TemplateRenderer, RuntimeValue) throws -> Void

    func assignment(to target: TemplateTarget, in scope: TemplateScope) -> Assignment {
        switch target {
        case .name(let name):
            guard let index = scope.slot(of: name)?.index else { return { _, _ in } }
            return { renderer, value in renderer.activation.slots[index] = value }
        case .attribute(let name, let attribute):
            let read = scope.slot(of: name).map { Self.read($0, from: scope.layout.depth) }
            return { renderer, value in
                guard case .namespace(let namespace)? = read?(renderer) else {
                    throw TemplateFault.runtime("cannot assign attribute '\(attribute)': '\(name)' is no namespace")
                }
                if case .loop = value { throw TemplateFault.unsupported("keeping 'loop' in a namespace") }
                try namespace.set(attribute, value)
            }
        case .tuple(let targets):
            let parts = targets.map { assignment(to: $0, in: scope) }
            return { renderer, value in
                let items = try renderer.items(value)
                guard items.count == parts.count else {
                    throw TemplateFault.runtime("\(parts.count) names cannot take \(items.count) values")
                }
                for (part, item) in zip(parts, items) { try part(renderer, item) }
            }
        }
    }

    // MARK: Statements

    mutating func block(_ statements: [TemplateStatement], in scope: TemplateScope) throws -> Execution {
        let parts = try statements.map { try execution(of: $0, in: scope) }
        if parts.count == 1 { return parts[0] }
        return { renderer in
            for part in parts { if let exit = try part(renderer) { return exit } }
            return nil
        }
    }

    /// Statements in a scope of their own, inside the same function.
    private mutating func scopedBlock(_ statements: [TemplateStatement], in outer: TemplateScope) throws -> Execution {
        var scope = TemplateScope(outer.layout, outer: outer)
        scope.analyze(statements)
        let (enter, body) = (Self.entry(of: scope), try block(statements, in: scope))
        return { renderer in
            try enter(renderer)
            return try body(renderer)
        }
    }

    private mutating func execution(of statement: TemplateStatement, in scope: TemplateScope) throws -> Execution {
        let line = statement.line
        switch statement.kind {
        case .data(let text):
            let text = TracedText.own(text)
            return { renderer in
                try renderer.write(text)
                return nil
            }
        case .output(let expression):
            let value = try evaluation(of: expression, in: scope)
            return { renderer in
                renderer.line = line
                try renderer.write(try value(renderer).printed())
                return nil
            }
        case .set(let target, let expression):
            let (assign, value) = (assignment(to: target, in: scope), try evaluation(of: expression, in: scope))
            return { renderer in
                renderer.line = line
                try assign(renderer, try value(renderer))
                return nil
            }
        case .setBlock(let target, let filter, let statements):
            let assign = assignment(to: target, in: scope)
            let captured = try capture(statements, filter, in: scope)
            return { renderer in
                switch try captured(renderer) {
                case .left(let exit): return exit
                case .value(let value):
                    renderer.line = line
                    try assign(renderer, value)
                    return nil
                }
            }
        case .filter(let filter, let statements):
            let captured = try capture(statements, filter, in: scope)
            return { renderer in
                switch try captured(renderer) {
                case .left(let exit): return exit
                case .value(let value):
                    try renderer.write(try value.printed())
                    return nil
                }
            }
        case .conditional(let branches, let otherwise):
            conditions += 1
            defer { conditions -= 1 }
            let parts = try branches.map { (try evaluation(of: $0.test, in: scope), try block($0.body, in: scope)) }
            let rest = try block(otherwise, in: scope)
            return { renderer in
                for (test, body) in parts where try test(renderer).isTrue { return try body(renderer) }
                return try rest(renderer)
            }
        case .loop(let loop): return try execution(of: loop, line: line, in: scope)
        case .macro(let name, let signature, let statements):
            let code = try macro(name, signature, statements, in: scope)
            guard let index = scope.slot(of: name)?.index else { return { _ in nil } }
            return { renderer in
                let activation = try renderer.kept(renderer.activation)
                activation.slots[index] = .function(.macro(RuntimeMacro(code: code, activation: activation)))
                return nil
            }
        case .call(let signature, let call, let statements):
            let code = try macro("caller", signature, statements, in: scope)
            guard case .call(let function, let given) = call.kind else { return { _ in nil } }
            let (target, arguments) = (try evaluation(of: function, in: scope), try self.arguments(given, in: scope))
            return { renderer in
                renderer.line = line
                let function = try target(renderer)
                var values = try arguments(renderer)
                let caller = RuntimeMacro(code: code, activation: try renderer.kept(renderer.activation))
                values.named.append(("caller", .function(.macro(caller))))
                try renderer.write(try renderer.call(function, values).printed())
                return nil
            }
        case .with(let pairs, let statements):
            var inner = TemplateScope(scope.layout, outer: scope)
            for pair in pairs { inner.store(pair.target, asParameter: true) }
            inner.analyze(statements)
            let enter = Self.entry(of: inner)
            let values = try pairs.map {
                (assignment(to: $0.target, in: inner), try evaluation(of: $0.value, in: scope))
            }
            let body = try block(statements, in: inner)
            return { renderer in
                try enter(renderer)
                for (assign, value) in values { try assign(renderer, try value(renderer)) }
                return try body(renderer)
            }
        case .generation(let statements):
            let body = try scopedBlock(statements, in: scope)
            return { renderer in
                try renderer.generation(body)
                return nil
            }
        case .breakLoop: return { _ in .leave }
        case .continueLoop: return { _ in .next }
        }
    }

    private enum Captured {
        case value(RuntimeValue)
        case left(LoopExit)
    }

    /// What statements write, filtered.
    private mutating func capture(
        _ statements: [TemplateStatement], _ filter: TemplateExpression, in outer: TemplateScope
    ) throws -> @Sendable (TemplateRenderer) throws -> Captured {
        var scope = TemplateScope(outer.layout, outer: outer)
        scope.analyze(statements)
        scope.load(filter)
        let (enter, body) = (Self.entry(of: scope), try block(statements, in: scope))
        let value = try evaluation(of: filter, in: scope)
        return { renderer in
            try enter(renderer)
            let (text, exit) = try renderer.capture(body)
            if let exit { return .left(exit) }
            renderer.captured.append(text)
            defer { renderer.captured.removeLast() }
            return .value(try value(renderer))
        }
    }

    private mutating func execution(of loop: TemplateLoop, line: Int, in outer: TemplateScope) throws -> Execution {
        var scope = TemplateScope(outer.layout, outer: outer)
        let state = TemplateCompiler.mentions("loop", loop.body) ? scope.declareParameter("loop").index : nil
        scope.store(loop.target, asParameter: true)
        scope.analyze(loop.body)
        let iterable = try evaluation(of: loop.iterable, in: outer)
        let assign = assignment(to: loop.target, in: scope)
        let (enter, body) = (Self.entry(of: scope), try block(loop.body, in: scope))
        let otherwise = loop.otherwise.isEmpty ? nil : try scopedBlock(loop.otherwise, in: outer)
        let test = try loop.test.map { try self.test($0, loop.target, in: outer) }
        return { renderer in
            renderer.line = line
            let value = try iterable(renderer)
            var count = state == nil ? nil : try renderer.count(of: value)
            var iterator = try renderer.iterate(value)
            if let test {
                iterator = test(renderer, iterator)
                count = nil
            }
            let loop = LoopState(iterator, count: count)
            // Jinja takes note only of turns that run to their end.
            var hasRun = false
            while let item = try loop.advance() {
                try renderer.spend(1)
                renderer.line = line
                if let state { renderer.activation.slots[state] = .loop(loop) }
                try assign(renderer, item)
                try enter(renderer)
                switch try body(renderer) {
                case nil: hasRun = true
                case .next: continue
                case .leave:
                    if !hasRun, let otherwise { return try otherwise(renderer) }
                    return nil
                }
            }
            if !hasRun, let otherwise { return try otherwise(renderer) }
            return nil
        }
    }

    /// The items that pass a loop's own condition, asked one at a time.
    private mutating func test(
        _ condition: TemplateExpression, _ target: TemplateTarget, in outer: TemplateScope
    ) throws -> @Sendable (TemplateRenderer, RuntimeIterator) -> RuntimeIterator {
        var scope = TemplateScope(outer.layout, outer: outer)
        scope.store(target, asParameter: true)
        scope.load(condition)
        let (enter, assign) = (Self.entry(of: scope), assignment(to: target, in: scope))
        let passes = try evaluation(of: condition, in: scope)
        return { renderer, items in
            var hasBegun = false
            return RuntimeIterator {
                if !hasBegun { try enter(renderer) }
                hasBegun = true
                while let item = try items.next() {
                    try renderer.spend(1)
                    try assign(renderer, item)
                    if try passes(renderer).isTrue { return item }
                }
                return nil
            }
        }
    }

    /// Whether statements read a name before they set it.
    static func mentions(_ name: String, _ statements: [TemplateStatement]) -> Bool {
        var (isRead, isSet) = (false, false)
        TemplateNameWalk { other, stores in
            guard other == name else { return }
            if stores { isSet = true } else if !isSet { isRead = true }
        }.walk(statements)
        return isRead
    }

    private mutating func macro(
        _ name: String, _ signature: TemplateSignature, _ statements: [TemplateStatement], in outer: TemplateScope
    ) throws -> MacroCode {
        var scope = TemplateScope(FunctionLayout(depth: outer.layout.depth + 1), outer: outer)
        let parameters = signature.names.map { (name: $0, slot: scope.declareParameter($0).index) }
        func special(_ name: String) -> Int? {
            guard !signature.names.contains(name), Self.mentions(name, statements) else { return nil }
            return scope.declareParameter(name).index
        }
        let (caller, named, positional) = (special("caller"), special("kwargs"), special("varargs"))
        for value in signature.defaults { scope.load(value) }
        scope.analyze(statements)
        return MacroCode(
            name: name, parameters: parameters,
            defaults: try signature.defaults.map { try evaluation(of: $0, in: scope) },
            caller: caller, namedRest: named, positionalRest: positional, nesting: signature.nesting,
            layout: scope.layout,
            enter: Self.entry(of: scope), body: try block(statements, in: scope))
    }
}
