import Foundation

/// The variables of one run of a macro, or of the template itself; `nil` is a name that has no value yet.
final class Activation {
    var slots: [RuntimeValue?]
    let parent: Activation?
    /// Whether the renderer keeps it to the end, because a macro was made here: the two hold each other.
    fileprivate var isKept = false

    init(count: Int, parent: Activation?) {
        slots = Array(repeating: nil, count: count)
        self.parent = parent
    }
}

/// What a statement does to the loop around it.
enum LoopExit {
    case next
    case leave
}

typealias Evaluation = @Sendable (TemplateRenderer) throws -> RuntimeValue
/// Writes to the renderer's output; `nil` when it runs to its end.
typealias Execution = @Sendable (TemplateRenderer) throws -> LoopExit?

/// The state of one render.
final class TemplateRenderer {
    let limits: ChatTemplateLimits
    let variables: [String: RuntimeValue]
    let clock: TemplateClock?
    var activation: Activation
    /// The line of the template that is being rendered.
    var line = 1
    private(set) var output = TracedText()
    /// The text of the filter blocks that are being closed, innermost last.
    var captured: [TracedText] = []
    /// Where the model speaks, in scalars of the output.
    private(set) var generations: [Range<Int>] = []
    /// How many captures are open: the output is the render's own at 0.
    private var captures = 0
    private var steps = 0
    private var calls = 0
    private var nesting = 0
    private var keptActivations: [Activation] = []
    private var namespaces: [RuntimeNamespace] = []

    init(variables: [String: RuntimeValue], clock: TemplateClock?, limits: ChatTemplateLimits, slots: Int) {
        self.variables = variables
        self.clock = clock
        self.limits = limits
        activation = Activation(count: slots, parent: nil)
    }

    /// A name that the template does not set: what the caller gave, or one of Jinja's functions.
    func resolve(_ name: String) -> RuntimeValue? {
        variables[name] ?? RuntimeFunction.global(name).map { .function($0) }
    }

    // MARK: Caps

    func spend(_ count: Int) throws {
        steps += count + 1
        guard steps <= limits.steps else {
            throw TemplateFault.limit("the template takes more than \(limits.steps) steps")
        }
    }

    func checked(_ text: TracedText) throws -> TracedText {
        guard text.count <= limits.textLength else {
            throw TemplateFault.limit("a text is longer than \(limits.textLength) characters")
        }
        try spend(text.count / 16)
        return text
    }

    func checked(_ items: [RuntimeValue]) throws -> [RuntimeValue] {
        guard items.count <= limits.items else {
            throw TemplateFault.limit("a list has more than \(limits.items) items")
        }
        try spend(items.count / 4)
        return items
    }

    func joined(_ left: TracedText, _ right: TracedText) throws -> TracedText {
        guard left.count + right.count <= limits.textLength else { return try checked(left + right) }
        try spend((left.count + right.count) / 16)
        return left + right
    }

    /// `left + right`. Where one is marked as safe, Jinja escapes the other for HTML: no prompt wants that.
    func added(_ left: TracedText, _ right: TracedText) throws -> TracedText {
        var sum = try joined(left, right)
        guard left.isMarkup || right.isMarkup else { return sum }
        for text in [left, right] where !text.isMarkup {
            guard !text.scalars.contains(where: { "&<>\"'".unicodeScalars.contains($0) }) else {
                throw TemplateFault.unsupported("'+' of a text marked as safe and one that Jinja would escape")
            }
        }
        sum.isMarkup = true
        return sum
    }

    func repeated(_ text: TracedText, _ count: Int) throws -> TracedText {
        guard count > 0, !text.isEmpty else { return TracedText() }
        guard count <= limits.textLength / text.count else {
            throw TemplateFault.limit("a text is longer than \(limits.textLength) characters")
        }
        var result = TracedText()
        for _ in 0..<count { result.append(text) }
        return try checked(result)
    }

    func repeated(_ items: [RuntimeValue], _ count: Int) throws -> [RuntimeValue] {
        guard count > 0, !items.isEmpty else { return [] }
        guard count <= limits.items / items.count else {
            throw TemplateFault.limit("a list has more than \(limits.items) items")
        }
        return try checked(Array(repeatElement(items, count: count).joined()))
    }

    /// The deepest that values may be nested; deeper ones could not be printed, compared or freed on a small stack.
    static let deepestValue = 100

    /// The most bytes of a value that is being written, whose length is checked once it is whole: a list of one long text many
    /// times over is small, and what it is written as is not.
    static let longestValue: Int = 4 * ChatTemplateLimits().textLength

    /// Items that are put into a new value, when they are not nested too deep.
    func nested(_ items: [RuntimeValue]) throws -> [RuntimeValue] {
        for item in items { try checkNesting(item, room: Self.deepestValue - 1) }
        return items
    }

    private func checkNesting(_ value: RuntimeValue, room: Int) throws {
        let inside: [RuntimeValue]
        switch value {
        case .undefined, .none, .bool, .int, .double, .string, .range, .namespace: return
        case .list(let items), .tuple(let items): inside = items
        case .dictionary(let dictionary):
            inside = dictionary.entries.map(\.value)
            for entry in dictionary.entries {
                if case .tuple = entry.key { try checkNesting(entry.key, room: room - 1) }
            }
        case .view(let view): inside = [.dictionary(view.dictionary)]
        case .iterator(let iterator): inside = iterator.holds
        case .function(.method(let value, _)): inside = [value]
        case .function(.cycle), .function(.changed), .loop:
            throw TemplateFault.unsupported("keeping 'loop' in another value")
        case .function: return
        }
        guard room > 0 || inside.isEmpty else {
            throw TemplateFault.limit("a value is nested deeper than \(Self.deepestValue)")
        }
        try spend(inside.count / 4)
        for item in inside { try checkNesting(item, room: room - 1) }
    }

    /// A lazy walk over what a filter was given.
    func walk(
        _ value: RuntimeValue, _ arguments: CallArguments = CallArguments(),
        _ advance: @escaping () throws -> RuntimeValue?
    ) throws -> RuntimeValue {
        let holds = try nested([value] + arguments.positional + arguments.named.map(\.value))
        return .iterator(RuntimeIterator(holding: holds, advance))
    }

    // MARK: What is kept to the end

    func newNamespace() throws -> RuntimeNamespace {
        try spend(100)
        let namespace = RuntimeNamespace()
        namespaces.append(namespace)
        return namespace
    }

    /// The variables among which a macro is made.
    func kept(_ activation: Activation) throws -> Activation {
        if !activation.isKept {
            try spend(100)
            activation.isKept = true
            keptActivations.append(activation)
        }
        return activation
    }

    /// Lets go of what holds itself; one at a time, so that no long chain is freed at once.
    func finish() {
        for namespace in namespaces { namespace.clear() }
        for activation in keptActivations { activation.slots = [] }
    }

    // MARK: Output

    func write(_ text: TracedText) throws {
        guard output.count + text.count <= limits.textLength else {
            throw TemplateFault.limit("the output is longer than \(limits.textLength) characters")
        }
        try spend(text.count / 16)
        output.append(text)
    }

    /// What a body writes, kept apart from the output; `nil` when the body left the loop around it.
    func capture(_ body: Execution) throws -> (text: TracedText, exit: LoopExit?) {
        let outer = output
        output = TracedText()
        captures += 1
        defer {
            output = outer
            captures -= 1
        }
        let exit = try body(self)
        return (output, exit)
    }

    func generation(_ body: Execution) throws {
        let start = output.count
        _ = try body(self)
        if captures == 0 { generations.append(start..<output.count) }
    }

    // MARK: Values

    func iterate(_ value: RuntimeValue) throws -> RuntimeIterator {
        if case .iterator(let iterator) = value { return iterator }
        return RuntimeIterator(try items(value))
    }

    /// All items of a value; what can be walked over once is used up.
    func items(_ value: RuntimeValue) throws -> [RuntimeValue] {
        switch value {
        case .undefined: return []
        case .list(let items), .tuple(let items): return items
        case .string(let text):
            // A character as a value of its own takes some thirty times its bytes.
            guard text.count <= limits.items else {
                throw TemplateFault.limit("a list has more than \(limits.items) items")
            }
            try spend(text.count)
            return (0..<text.count).map { .string(text[$0..<$0 + 1]) }
        case .dictionary(let dictionary): return dictionary.entries.map(\.key)
        case .view(let view): return view.items
        case .range(let range): return range.items
        case .iterator(let iterator):
            var items: [RuntimeValue] = []
            while let item = try iterator.next() {
                items.append(item)
                try spend(1)
                guard items.count <= limits.items else {
                    throw TemplateFault.limit("a list has more than \(limits.items) items")
                }
            }
            return items
        case .none, .bool, .int, .double, .namespace, .loop, .function:
            throw TemplateFault.runtime("'\(value.typeName)' object is not iterable")
        }
    }

    /// The number of items where the value knows it.
    func count(of value: RuntimeValue) throws -> Int? {
        switch value {
        case .undefined: 0
        case .list(let items), .tuple(let items): items.count
        case .string(let text): text.count
        case .dictionary(let dictionary): dictionary.entries.count
        case .view(let view): view.dictionary.entries.count
        case .range(let range): range.count
        case .loop(let loop): try loop.count(limit: limits.items)
        case .none, .bool, .int, .double, .iterator, .namespace, .function: nil
        }
    }

    func call(_ function: RuntimeValue, _ arguments: CallArguments) throws -> RuntimeValue {
        try spend(1)
        switch function {
        case .function(let function): return try function.call(arguments, in: self)
        case .undefined(let reason): throw reason.fault
        case .loop: throw TemplateFault.unsupported("calling 'loop': recursive loops are not supported")
        default: throw TemplateFault.runtime("'\(function.typeName)' object is not callable")
        }
    }

    /// Runs a macro's body with its own variables.
    func run(_ macro: RuntimeMacro, _ prepare: (Activation) throws -> Void) throws -> TracedText {
        let (outer, code) = (activation, macro.code)
        guard calls < limits.calls, nesting + code.nesting <= limits.running else {
            throw TemplateFault.limit(
                "macros call each other deeper than \(limits.calls) or nest deeper than \(limits.running)")
        }
        calls += 1
        nesting += code.nesting
        activation = Activation(count: code.layout.count, parent: macro.activation)
        defer {
            activation = outer
            calls -= 1
            nesting -= code.nesting
        }
        try prepare(activation)
        return try capture(code.body).text
    }
}

/// The moment and the place that `strftime_now` tells.
public struct TemplateClock: Sendable {
    /// The moment.
    public var now: Date
    /// The time zone in which it is told.
    public var timeZone: TimeZone

    public init(now: Date, timeZone: TimeZone = .gmt) {
        self.now = now
        self.timeZone = timeZone
    }
}
