/// How many variables one macro, or the template itself, has; they are numbered while it is compiled.
final class FunctionLayout: @unchecked Sendable {
    // Only the compiler counts up, before anyone else sees the layout.
    private(set) var count = 0
    /// How many macros are around it.
    let depth: Int

    init(depth: Int) { self.depth = depth }

    func newSlot() -> VariableSlot {
        defer { count += 1 }
        return VariableSlot(depth: depth, index: count)
    }
}

/// Where a variable is kept.
struct VariableSlot: Hashable, Sendable {
    /// Of the function that it belongs to.
    var depth: Int
    var index: Int
}

/// What a variable is when its scope is entered.
enum VariableLoad: Sendable {
    /// The scope's owner fills it.
    case parameter
    /// Looked up among what the caller gave.
    case resolve(String)
    /// The value of a variable further out.
    case alias(VariableSlot)
    case missing
}

/// The names of one scope, found as Jinja's compiler finds them, before anything runs: a name that is set anywhere in a
/// scope belongs to that scope from its start. A scope that sets a name of an outer one works on its own copy, which is why
/// loops need namespaces to carry anything out.
struct TemplateScope {
    /// Keeps one slot a name, shared by the branches of a condition.
    private final class Names {
        var slots: [String: VariableSlot] = [:]
        let layout: FunctionLayout
        init(_ layout: FunctionLayout) { self.layout = layout }
    }

    /// A finished outer scope.
    private final class Outer {
        let scope: TemplateScope
        init(_ scope: TemplateScope) { self.scope = scope }
    }

    private let names: Names
    private let outer: Outer?
    private var slots: [String: VariableSlot] = [:]
    private(set) var loads: [VariableSlot: VariableLoad] = [:]
    private var stores: Set<String> = []

    var layout: FunctionLayout { names.layout }

    init(_ layout: FunctionLayout, outer: TemplateScope?) {
        names = Names(layout)
        self.outer = outer.map(Outer.init)
    }

    func slot(of name: String) -> VariableSlot? { slots[name] ?? outer?.scope.slot(of: name) }

    private mutating func define(_ name: String, _ load: VariableLoad) -> VariableSlot {
        let slot = names.slots[name] ?? layout.newSlot()
        names.slots[name] = slot
        slots[name] = slot
        loads[slot] = load
        return slot
    }

    @discardableResult
    mutating func declareParameter(_ name: String) -> VariableSlot {
        stores.insert(name)
        return define(name, .parameter)
    }

    mutating func store(_ name: String) {
        stores.insert(name)
        guard slots[name] == nil else { return }
        _ = define(name, outer?.scope.slot(of: name).map { .alias($0) } ?? .missing)
    }

    mutating func load(_ name: String) {
        if slot(of: name) == nil { _ = define(name, .resolve(name)) }
    }

    mutating func store(_ target: TemplateTarget, asParameter: Bool = false) {
        switch target {
        case .name(let name):
            if asParameter { declareParameter(name) } else { store(name) }
        case .attribute(let name, _): load(name)
        case .tuple(let targets): for target in targets { store(target, asParameter: asParameter) }
        }
    }

    mutating func load(_ expression: TemplateExpression) {
        var loaded: [String] = []
        TemplateNameWalk { name, _ in loaded.append(name) }.walk(expression)
        for name in loaded { load(name) }
    }

    /// Looks at what statements do in this scope, not at the scopes that they open.
    mutating func analyze(_ statements: [TemplateStatement]) {
        for statement in statements {
            switch statement.kind {
            case .data, .breakLoop, .continueLoop, .generation: break
            case .output(let value): load(value)
            case .set(let target, let value):
                load(value)
                store(target)
            case .setBlock(let target, _, _): store(target)
            case .conditional(let branches, let otherwise): analyze(branches[...], otherwise)
            case .loop(let loop): load(loop.iterable)
            case .macro(let name, _, _): store(name)
            case .call(_, let call, _): load(call)
            case .filter(let filter, _): load(filter)
            case .with(let pairs, _): for pair in pairs { load(pair.value) }
            }
        }
    }

    private mutating func analyze(
        _ branches: ArraySlice<(test: TemplateExpression, body: [TemplateStatement])>, _ otherwise: [TemplateStatement]
    ) {
        guard let first = branches.first else { return }
        load(first.test)
        // Every `elif` is a condition of its own, looked at from the same start as the branches beside it.
        var bodies = [self, self, self]
        bodies[0].analyze(first.body)
        for branch in branches.dropFirst() { bodies[1].analyze([branch][...], []) }
        bodies[2].analyze(otherwise)
        merge(bodies)
    }

    /// A name that only some branch sets is what it was before where that branch is not taken.
    private mutating func merge(_ branches: [TemplateScope]) {
        let added = branches.reduce(into: Set<String>()) { $0.formUnion($1.stores) }.subtracting(stores)
        for branch in branches {
            slots.merge(branch.slots) { $1 }
            loads.merge(branch.loads) { $1 }
            stores.formUnion(branch.stores)
        }
        for name in added {
            guard let slot = slots[name] else { continue }
            loads[slot] = outer?.scope.slot(of: name).map { .alias($0) } ?? .resolve(name)
        }
    }
}
