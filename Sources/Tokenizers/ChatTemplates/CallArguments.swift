/// The values that a call, a filter or a test was given.
struct CallArguments {
    var positional: [RuntimeValue] = []
    var named: [(name: String, value: RuntimeValue)] = []

    /// The arguments in the order of the parameters; `nil` where none was given.
    /// - Parameter required: so many first parameters must be there.
    func bound(_ function: String, _ parameters: [String], required: Int = 0) throws -> [RuntimeValue?] {
        guard positional.count <= parameters.count else {
            throw TemplateFault.runtime(
                "\(function) takes at most \(parameters.count) arguments, not \(positional.count)")
        }
        var values: [RuntimeValue?] = positional
        values += Array(repeating: nil, count: parameters.count - positional.count)
        for (name, value) in named {
            guard let place = parameters.firstIndex(of: name) else {
                throw TemplateFault.runtime("\(function) has no argument '\(name)'")
            }
            guard values[place] == nil else { throw TemplateFault.runtime("\(function) got '\(name)' twice") }
            values[place] = value
        }
        for place in 0..<required where values[place] == nil {
            throw TemplateFault.runtime("\(function) lacks its argument '\(parameters[place])'")
        }
        return values
    }

    /// Takes a named argument out.
    mutating func take(_ name: String) -> RuntimeValue? {
        guard let place = named.firstIndex(where: { $0.name == name }) else { return nil }
        return named.remove(at: place).value
    }
}

/// A macro, or the body of a call block, as it was compiled.
struct MacroCode: Sendable {
    var name: String
    var parameters: [(name: String, slot: Int)]
    /// Of the last parameters.
    var defaults: [Evaluation]
    /// Where `caller`, `kwargs` and `varargs` go, when the body speaks of them.
    var caller: Int?
    var namedRest: Int?
    var positionalRest: Int?
    var nesting: Int
    var layout: FunctionLayout
    var enter: @Sendable (TemplateRenderer) throws -> Void
    var body: Execution
}

/// A macro with the variables among which it was defined.
final class RuntimeMacro {
    let code: MacroCode
    let activation: Activation
    var name: String { code.name }

    init(code: MacroCode, activation: Activation) {
        self.code = code
        self.activation = activation
    }

    /// The text that the macro writes.
    func call(_ given: CallArguments, in renderer: TemplateRenderer) throws -> TracedText {
        var arguments = given
        let count = code.parameters.count
        guard given.positional.count <= count || code.positionalRest != nil else {
            throw TemplateFault.runtime("macro '\(name)' takes not more than \(count) arguments")
        }
        var values: [RuntimeValue?] = Array(given.positional.prefix(count))
        for parameter in code.parameters.dropFirst(values.count) { values.append(arguments.take(parameter.name)) }
        let caller = code.caller == nil ? nil : arguments.take("caller") ?? .undefined(.hint("No caller defined"))
        if code.namedRest == nil, let extra = arguments.named.first {
            throw TemplateFault.runtime("macro '\(name)' takes no keyword argument '\(extra.name)'")
        }
        return try renderer.run(self) { activation in
            if let slot = code.caller { activation.slots[slot] = caller }
            if let slot = code.namedRest {
                var rest = RuntimeDictionary()
                _ = try renderer.nested(arguments.named.map(\.value))
                for pair in arguments.named { try rest.set(.own(pair.name), pair.value) }
                activation.slots[slot] = .dictionary(rest)
            }
            if let slot = code.positionalRest {
                activation.slots[slot] = .tuple(try renderer.nested(Array(given.positional.dropFirst(count))))
            }
            for (parameter, value) in zip(code.parameters, values) { activation.slots[parameter.slot] = value }
            try code.enter(renderer)
            for (place, value) in values.enumerated() where value == nil {
                let fallback = place - (count - code.defaults.count)
                activation.slots[code.parameters[place].slot] =
                    fallback >= 0
                    ? try code.defaults[fallback](renderer)
                    : .undefined(.hint("parameter '\(code.parameters[place].name)' was not provided"))
            }
        }
    }
}
