/// A value while a template is rendered: Python's kinds, as far as templates meet them.
enum RuntimeValue {
    case undefined(UndefinedReason)
    case none
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(TracedText)
    case list([RuntimeValue])
    case tuple([RuntimeValue])
    case dictionary(RuntimeDictionary)
    /// `keys()`, `values()` or `items()` of a dictionary.
    case view(DictionaryView)
    case range(RuntimeRange)
    /// Can be walked over once.
    case iterator(RuntimeIterator)
    case namespace(RuntimeNamespace)
    case loop(LoopState)
    case function(RuntimeFunction)

    static func own(_ string: String) -> RuntimeValue { .string(.own(string)) }

    /// What Python calls the type.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .int: "int"
        case .double: "float"
        case .string: "str"
        case .list: "list"
        case .tuple: "tuple"
        case .dictionary: "dict"
        case .view(let view): "dict_\(view.kind.rawValue)"
        case .range: "range"
        case .iterator: "generator"
        case .namespace: "Namespace"
        case .loop: "LoopContext"
        case .function: "function"
        }
    }

    /// Python's truth: empty things and zero are false, everything else is true.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .double(let value): value != 0
        case .string(let text): !text.isEmpty
        case .list(let items), .tuple(let items): !items.isEmpty
        case .dictionary(let dictionary): !dictionary.entries.isEmpty
        case .view(let view): !view.items.isEmpty
        case .range(let range): range.count > 0
        case .iterator, .namespace, .loop, .function: true
        }
    }

    /// The number that Python computes with: a truth value counts as 0 or 1.
    var number: RuntimeNumber? {
        switch self {
        case .bool(let value): .int(value ? 1 : 0)
        case .int(let value): .int(value)
        case .double(let value): .double(value)
        default: nil
        }
    }

    var int: Int? { if case .int(let value)? = number { value } else { nil } }
    var isUndefined: Bool { if case .undefined = self { true } else { false } }
    var isNone: Bool { if case .none = self { true } else { false } }
    var text: TracedText? { if case .string(let text) = self { text } else { nil } }
}

enum RuntimeNumber {
    case int(Int)
    case double(Double)

    var double: Double {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        }
    }
}

/// Why a value is undefined; told when it is used.
indirect enum UndefinedReason {
    case name(String)
    case attribute(of: String, String)
    case element(of: String, String)
    case hint(String)
    /// An attribute that the sandbox keeps from templates.
    case unsafe(of: String, String)

    var message: String {
        switch self {
        case .name(let name): "'\(name)' is undefined"
        case .attribute(let type, let name): "'\(Self.object(type))' has no attribute '\(name)'"
        case .element(let type, let name): "\(Self.object(type)) has no element \(name)"
        case .hint(let hint): hint
        case .unsafe(let type, let name): "access to attribute '\(name)' of '\(type)' object is unsafe"
        }
    }

    private static func object(_ type: String) -> String { type == "NoneType" ? "None" : type + " object" }

    var fault: TemplateFault { .runtime(message) }
}

/// Keys in the order in which they came.
struct RuntimeDictionary {
    /// No tuple: with one, Swift 6.3 found a "circular reference" in whatever file it compiled alone.
    struct Entry {
        var key: RuntimeValue
        var value: RuntimeValue
    }

    private(set) var entries: [Entry] = []
    /// Made when there are more keys than a short look finds.
    private var places: [HashKey: Int] = [:]
    private static let shortLook = 8

    init() {}

    private func place(of key: HashKey) -> Int? {
        if entries.count > Self.shortLook { return places[key] }
        return entries.firstIndex { (try? $0.key.hashKey()) == key }
    }

    /// - Throws: when the key is of a kind that cannot be one, such as a list.
    subscript(key: RuntimeValue) -> RuntimeValue? {
        get throws {
            if case .string(let text) = key, entries.count <= Self.shortLook {
                for entry in entries { if case .string(let other) = entry.key, other == text { return entry.value } }
                return nil
            }
            return place(of: try key.hashKey()).map { entries[$0].value }
        }
    }

    subscript(name: String) -> RuntimeValue? { (try? self[.own(name)]) ?? nil }

    mutating func set(_ key: RuntimeValue, _ value: RuntimeValue) throws {
        let hash = try key.hashKey()
        if let place = place(of: hash) {
            entries[place].value = value
            return
        }
        entries.append(Entry(key: key, value: value))
        if entries.count == Self.shortLook + 1 {
            for (place, entry) in entries.enumerated() { places[try entry.key.hashKey()] = place }
        } else if entries.count > Self.shortLook {
            places[hash] = entries.count - 1
        }
    }
}

/// What a key is found by: 1, 1.0 and true are one key.
enum HashKey: Hashable {
    case none
    case int(Int)
    case double(Double)
    case string([Unicode.Scalar])
    case tuple([HashKey])
    case range(Int, Int, Int)
    case undefined
}

extension RuntimeValue {
    /// The most values in a tuple that is a key: one may hold another many times over, and a look-up goes through all.
    private static let largestKey = 256

    func hashKey() throws -> HashKey {
        var room = Self.largestKey
        return try hashKey(&room)
    }

    private func hashKey(_ room: inout Int) throws -> HashKey {
        room -= 1
        guard room >= 0 else { throw TemplateFault.limit("a key has more than \(Self.largestKey) parts") }
        switch self {
        case .none: return .none
        case .undefined: return .undefined
        case .bool(let value): return .int(value ? 1 : 0)
        case .int(let value): return .int(value)
        case .double(let value): return Int(exactly: value).map { .int($0) } ?? .double(value)
        case .string(let text): return .string(text.scalars)
        case .tuple(let items): return .tuple(try items.map { try $0.hashKey(&room) })
        case .range(let range): return .range(range.start, range.stop, range.step)
        case .list, .dictionary, .view, .iterator, .namespace, .loop, .function:
            throw TemplateFault.runtime("unhashable type: '\(typeName)'")
        }
    }
}

struct DictionaryView {
    enum Kind: String { case keys, values, items }
    var kind: Kind
    var dictionary: RuntimeDictionary

    var items: [RuntimeValue] {
        switch kind {
        case .keys: dictionary.entries.map(\.key)
        case .values: dictionary.entries.map(\.value)
        case .items: dictionary.entries.map { .tuple([$0.key, $0.value]) }
        }
    }
}

struct RuntimeRange {
    var start: Int
    var stop: Int
    var step: Int

    var count: Int { step > 0 ? max(0, (stop - start + step - 1) / step) : max(0, (start - stop - step - 1) / -step) }
    var items: [RuntimeValue] { (0..<count).map { .int(start + $0 * step) } }
}

/// A walk over items that can be made once.
final class RuntimeIterator {
    private let advance: () throws -> RuntimeValue?
    /// The values that the walk keeps alive.
    let holds: [RuntimeValue]

    init(holding holds: [RuntimeValue] = [], _ advance: @escaping () throws -> RuntimeValue?) {
        self.holds = holds
        self.advance = advance
    }

    convenience init(_ items: [RuntimeValue]) {
        var index = 0
        self.init(holding: items) {
            guard index < items.count else { return nil }
            defer { index += 1 }
            return items[index]
        }
    }

    func next() throws -> RuntimeValue? { try advance() }
}

/// The one kind of value that a template can change.
final class RuntimeNamespace {
    private(set) var attributes: [(name: String, value: RuntimeValue)] = []

    subscript(name: String) -> RuntimeValue? { attributes.first { $0.name == name }?.value }

    /// Lets go of everything, so that namespaces that hold each other are freed.
    func clear() { attributes = [] }

    func set(_ name: String, _ value: RuntimeValue) throws {
        guard !name.hasPrefix("_") else {
            throw TemplateFault.runtime("a namespace cannot store '\(name)': its name begins with an underscore")
        }
        if let place = attributes.firstIndex(where: { $0.name == name }) {
            attributes[place].value = value
        } else {
            attributes.append((name, value))
        }
    }
}

/// What can be called.
enum RuntimeFunction {
    case macro(RuntimeMacro)
    /// A method of a value.
    indirect case method(RuntimeValue, String)
    case range
    case dictionary
    case namespace
    case raise
    case now
    case cycle(LoopState)
    case changed(LoopState)
    /// What Jinja has and this renderer does not: refused when it is called.
    case foreign(String)

    static func global(_ name: String) -> RuntimeFunction? {
        switch name {
        case "range": .range
        case "dict": .dictionary
        case "namespace": .namespace
        case "raise_exception": .raise
        case "strftime_now": .now
        case "cycler", "joiner", "lipsum": .foreign(name)
        default: nil
        }
    }
}

/// A loop as its body sees it. The iterator is asked ahead only when the body asks about the next item, as in Jinja: a
/// filtered loop tests its items one by one, between the turns.
final class LoopState {
    private var iterator: RuntimeIterator
    private var peeked: RuntimeValue??
    private var known: Int?
    private(set) var index0 = -1
    private(set) var previous: RuntimeValue?
    private(set) var current: RuntimeValue?
    var lastChanged: [RuntimeValue]?

    init(_ iterator: RuntimeIterator, count: Int?) {
        self.iterator = iterator
        known = count
    }

    func advance() throws -> RuntimeValue? {
        let value: RuntimeValue?
        if let ahead = peeked {
            value = ahead
            peeked = nil
        } else {
            value = try iterator.next()
        }
        guard let value else { return nil }
        index0 += 1
        previous = current
        current = value
        return value
    }

    func next() throws -> RuntimeValue? {
        if let peeked { return peeked }
        let value = try iterator.next()
        peeked = .some(value)
        return value
    }

    func count(limit: Int) throws -> Int {
        if let known { return known }
        var rest: [RuntimeValue] = []
        while let item = try iterator.next() {
            rest.append(item)
            guard rest.count <= limit else { throw TemplateFault.limit("a loop has more than \(limit) items") }
        }
        iterator = RuntimeIterator(rest)
        var ahead = 0
        if case .some(.some) = peeked { ahead = 1 }
        let count = rest.count + index0 + 1 + ahead
        known = count
        return count
    }
}
