/// Calls of everything that can be called.
extension RuntimeFunction {
    func call(_ arguments: CallArguments, in renderer: TemplateRenderer) throws -> RuntimeValue {
        switch self {
        case .macro(let macro): return .string(try macro.call(arguments, in: renderer))
        case .method(.string(let text), let name): return try TextMethods.call(name, on: text, arguments, in: renderer)
        case .method(.dictionary(let dictionary), let name):
            return try Self.method(name, of: dictionary, arguments, in: renderer)
        case .method(let list, let name): return try Self.method(name, ofList: list, arguments, in: renderer)
        case .range: return .range(try Self.range(arguments))
        case .dictionary: return .dictionary(try Self.dictionary(arguments, in: renderer))
        case .namespace:
            let namespace = try renderer.newNamespace()
            for entry in try Self.dictionary(arguments, in: renderer).entries {
                guard case .string(let name) = entry.key else {
                    throw TemplateFault.unsupported("a namespace's attribute that is not a name")
                }
                try namespace.set(name.string, entry.value)
            }
            return .namespace(namespace)
        case .raise:
            let message = try arguments.bound("raise_exception", ["message"], required: 1)[0]?.printed().string
            throw TemplateFault(.raised, message ?? "")
        case .now:
            let format = try arguments.bound("strftime_now", ["format"], required: 1)[0]
            guard case .string(let format)? = format else { throw TemplateFault.runtime("strftime_now needs a text") }
            guard let clock = renderer.clock else {
                throw TemplateFault.runtime("strftime_now is called, but the render was given no clock")
            }
            try renderer.spend(format.count)
            return .string(try renderer.checked(TracedText.own(try clock.formatted(format.string))))
        case .cycle(let loop):
            guard !arguments.positional.isEmpty else { throw TemplateFault.runtime("no items for cycling given") }
            return arguments.positional[loop.index0 % arguments.positional.count]
        case .changed(let loop):
            if let last = loop.lastChanged,
                try RuntimeValue.tuple(last).equals(.tuple(arguments.positional), in: renderer)
            {
                return .bool(false)
            }
            loop.lastChanged = arguments.positional
            return .bool(true)
        case .foreign(let name): throw TemplateFault.unsupported("the function '\(name)' is not supported")
        }
    }

    private static func range(_ arguments: CallArguments) throws -> RuntimeRange {
        guard arguments.named.isEmpty else { throw TemplateFault.runtime("range() takes no keyword arguments") }
        let numbers = try arguments.bound("range", ["start", "stop", "step"], required: 1).compactMap { value in
            if case .undefined(let reason)? = value { throw reason.fault }
            guard let value else { return nil as Int? }
            guard let number = value.int else {
                throw TemplateFault.runtime("range needs whole numbers, not '\(value.typeName)'")
            }
            guard (-1 << 40...1 << 40).contains(number) else { throw TemplateFault.limit("a range this far out") }
            return number
        }
        let range =
            numbers.count == 1
            ? RuntimeRange(start: 0, stop: numbers[0], step: 1)
            : RuntimeRange(start: numbers[0], stop: numbers[1], step: numbers.count > 2 ? numbers[2] : 1)
        guard range.step != 0 else { throw TemplateFault.runtime("range's step must not be zero") }
        guard range.count <= 100_000 else { throw TemplateFault.limit("a range has more than 100000 items") }
        return range
    }

    /// `dict(…)`: another dictionary or pairs, then named values.
    private static func dictionary(_ arguments: CallArguments, in renderer: TemplateRenderer) throws
        -> RuntimeDictionary
    {
        guard arguments.positional.count <= 1 else {
            throw TemplateFault.runtime("dict takes at most one plain argument")
        }
        var result = RuntimeDictionary()
        if case .dictionary(let other)? = arguments.positional.first {
            result = other
        } else if let pairs = arguments.positional.first {
            for pair in try renderer.items(pairs) {
                let parts = try renderer.items(pair)
                guard parts.count == 2 else { throw TemplateFault.runtime("dict needs pairs") }
                try result.set(parts[0], parts[1])
            }
        }
        _ = try renderer.nested([.dictionary(result)] + arguments.named.map(\.value))
        for pair in arguments.named { try result.set(.own(pair.name), pair.value) }
        return result
    }

    private static func method(
        _ name: String, of dictionary: RuntimeDictionary, _ arguments: CallArguments, in renderer: TemplateRenderer
    ) throws -> RuntimeValue {
        switch name {
        case "get":
            guard arguments.named.isEmpty else { throw TemplateFault.runtime("dict.get() takes no keyword arguments") }
            let bound = try arguments.bound("get", ["key", "default"], required: 1)
            if case .string(let text)? = bound[0] { try renderer.spend(text.count / 16) }
            return try dictionary[bound[0] ?? .none] ?? bound[1] ?? .none
        case "fromkeys":
            let bound = try arguments.bound("fromkeys", ["iterable", "value"], required: 1)
            var result = RuntimeDictionary()
            _ = try renderer.nested([bound[1] ?? .none])
            let keys = try renderer.items(bound[0] ?? .none)
            try renderer.spend(keys.count)
            for key in keys { try result.set(key, bound[1] ?? .none) }
            return .dictionary(result)
        default:
            _ = try arguments.bound(name, [])
            return switch name {
            case "keys": .view(DictionaryView(kind: .keys, dictionary: dictionary))
            case "values": .view(DictionaryView(kind: .values, dictionary: dictionary))
            case "items": .view(DictionaryView(kind: .items, dictionary: dictionary))
            default: .dictionary(dictionary)
            }
        }
    }

    private static func method(
        _ name: String, ofList list: RuntimeValue, _ arguments: CallArguments, in renderer: TemplateRenderer
    ) throws -> RuntimeValue {
        let items = try renderer.items(list)
        try renderer.spend(items.count / 16)
        switch name {
        case "count":
            let item = try arguments.bound(name, ["value"], required: 1)[0] ?? .none
            return .int(try items.reduce(0) { try $1.equals(item, in: renderer) ? $0 + 1 : $0 })
        case "index":
            let item = try arguments.bound(name, ["value"], required: 1)[0] ?? .none
            guard let index = try items.firstIndex(where: { try $0.equals(item, in: renderer) }) else {
                throw TemplateFault.runtime("the value is not in the list")
            }
            return .int(index)
        default:
            _ = try arguments.bound(name, [])
            return .list(items)
        }
    }
}
