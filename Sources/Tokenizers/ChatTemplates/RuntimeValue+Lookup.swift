/// Attributes, items and slices, as Jinja's immutable sandbox lets a template look them up.
extension RuntimeValue {
    private static let listMethods: Set<String> = ["count", "index", "copy"]
    private static let dictionaryMethods: Set<String> = ["copy", "fromkeys", "get", "items", "keys", "values"]
    /// Methods that change their value; the sandbox keeps them from templates.
    private static let changing: Set<String> = [
        "append", "clear", "extend", "insert", "pop", "popitem", "remove", "reverse", "setdefault", "sort", "update",
    ]
    private static let dictionaryChanging: Set<String> = ["clear", "pop", "popitem", "setdefault", "update"]

    /// A method of the value, `nil` when it has none of that name.
    private func method(_ name: String) -> RuntimeValue? {
        if name.hasPrefix("__"), name.hasSuffix("__") { return .undefined(.unsafe(of: typeName, name)) }
        switch self {
        case .string where TextMethods.names.contains(name): return .function(.method(self, name))
        case .list where Self.listMethods.contains(name), .tuple where name == "count" || name == "index":
            return .function(.method(self, name))
        case .dictionary where Self.dictionaryMethods.contains(name): return .function(.method(self, name))
        case .dictionary where Self.dictionaryChanging.contains(name),
            .list where Self.changing.subtracting(["popitem", "setdefault", "update"]).contains(name):
            return .undefined(.unsafe(of: typeName, name))
        default: return nil
        }
    }

    /// `value.name`: a method first, then an item.
    func attribute(_ name: String, in renderer: TemplateRenderer) throws -> RuntimeValue {
        switch self {
        case .undefined(let reason): throw reason.fault
        case .dictionary(let dictionary):
            if let method = method(name) { return method }
            return try dictionary[.own(name)] ?? .undefined(.attribute(of: typeName, name))
        case .namespace(let namespace): return namespace[name] ?? .undefined(.attribute(of: "Namespace", name))
        case .loop(let loop): return try loop.attribute(name, limit: renderer.limits.items)
        case .function(let function): return function.attribute(name)
        default: return method(name) ?? .undefined(.attribute(of: typeName, name))
        }
    }

    /// `value[key]`: an item first, then a method.
    func item(_ key: RuntimeValue, in renderer: TemplateRenderer) throws -> RuntimeValue {
        func missing() throws -> RuntimeValue {
            if case .string(let name) = key {
                if case .dictionary = self {
                    return method(name.string) ?? .undefined(.attribute(of: typeName, name.string))
                }
                return try attribute(name.string, in: renderer)
            }
            // A key of any size is written anew each time that it is missed.
            let name = try key.represented()
            try renderer.spend(name.count)
            return .undefined(.element(of: typeName, name.string))
        }
        func element(_ count: Int, _ get: (Int) -> RuntimeValue) throws -> RuntimeValue {
            guard let index = key.int, index >= -count, index < count else { return try missing() }
            return get(index < 0 ? index + count : index)
        }
        // A long key is compared as often as it is looked up.
        if case .string(let text) = key { try renderer.spend(text.count / 16) }
        switch self {
        case .undefined(let reason): throw reason.fault
        case .dictionary(let dictionary):
            guard let found = try? dictionary[key] else { return try missing() }
            return found
        case .list(let items), .tuple(let items): return try element(items.count) { items[$0] }
        case .string(let text): return try element(text.count) { .string(text[$0..<$0 + 1]) }
        case .range(let range): return try element(range.count) { .int(range.start + $0 * range.step) }
        default: return try missing()
        }
    }

    /// `value[start:stop:step]`.
    func sliced(_ start: RuntimeValue?, _ stop: RuntimeValue?, _ step: RuntimeValue?) throws -> RuntimeValue {
        func bound(_ value: RuntimeValue?) throws -> Int? {
            guard let value, !value.isNone else { return nil }
            if case .undefined = value { throw TemplateFault.runtime("slice indices must be integers or None") }
            guard let int = value.int else { throw TemplateFault.runtime("slice indices must be integers or None") }
            return int
        }
        func bounds(_ count: Int) throws -> (first: Int, last: Int, step: Int) {
            let asked = try bound(step) ?? 1
            guard asked != 0 else { throw TemplateFault.runtime("slice step cannot be zero") }
            let step = min(max(asked, -count - 1), count + 1)
            let (low, high) = step > 0 ? (0, count) : (-1, count - 1)
            func clamped(_ value: Int?, _ fallback: Int) -> Int {
                guard let value else { return fallback }
                return min(max(value < 0 ? value + count : value, low), high)
            }
            let first = clamped(try bound(start), step > 0 ? low : high)
            return (first, clamped(try bound(stop), step > 0 ? high : low), step)
        }
        func indices(_ count: Int) throws -> (range: Range<Int>?, picked: [Int]) {
            let (first, last, step) = try bounds(count)
            if step == 1 { return (first..<max(first, last), []) }
            return (nil, Array(stride(from: first, to: last, by: step)))
        }
        switch self {
        case .undefined(let reason): throw reason.fault
        case .string(let text):
            let (range, picked) = try indices(text.count)
            return .string(range.map { text[$0] } ?? text.picking(picked))
        case .list(let items):
            let (range, picked) = try indices(items.count)
            return .list(range.map { Array(items[$0]) } ?? picked.map { items[$0] })
        case .tuple(let items):
            let (range, picked) = try indices(items.count)
            return .tuple(range.map { Array(items[$0]) } ?? picked.map { items[$0] })
        case .range(let source):
            let places = try bounds(source.count)
            // Each slice of a range of one number may double its step: a loop would leave the 64 bits.
            func scaled(_ factor: Int, from start: Int) throws -> Int {
                let (product, isPast) = source.step.multipliedReportingOverflow(by: factor)
                let (sum, isFar) = start.addingReportingOverflow(product)
                guard !isPast, !isFar, sum.magnitude <= 1 << 60 else {
                    throw TemplateFault.limit("a range this far out")
                }
                return sum
            }
            return .range(
                RuntimeRange(
                    start: try scaled(places.first, from: source.start),
                    stop: try scaled(places.last, from: source.start), step: try scaled(places.step, from: 0)))
        default: throw TemplateFault.runtime("'\(typeName)' object is not subscriptable")
        }
    }
}

extension LoopState {
    fileprivate func attribute(_ name: String, limit: Int) throws -> RuntimeValue {
        switch name {
        case "index": .int(index0 + 1)
        case "index0": .int(index0)
        case "first": .bool(index0 == 0)
        case "last": .bool(try next() == nil)
        case "length": .int(try count(limit: limit))
        case "revindex": .int(try count(limit: limit) - index0)
        case "revindex0": .int(try count(limit: limit) - index0 - 1)
        case "previtem": index0 == 0 ? .undefined(.hint("there is no previous item")) : previous ?? .none
        case "nextitem": try next() ?? .undefined(.hint("there is no next item"))
        case "depth": .int(1)
        case "depth0": .int(0)
        case "cycle": .function(.cycle(self))
        case "changed": .function(.changed(self))
        default: .undefined(.attribute(of: "LoopContext", name))
        }
    }
}

extension RuntimeFunction {
    fileprivate func attribute(_ name: String) -> RuntimeValue {
        switch (self, name) {
        case (.macro(let macro), "name"): .own(macro.name)
        default: .undefined(.attribute(of: "function", name))
        }
    }
}
