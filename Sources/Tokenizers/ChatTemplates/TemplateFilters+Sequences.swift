/// Filters on lists and dictionaries.
extension TemplateFilters {
    static let sequences: [String: Filter] = [
        "length": length, "count": length,
        "first": { renderer, value, arguments in
            try renderer.iterate(try only(value, arguments, "first")).next()
                ?? .undefined(.hint("No first item, sequence was empty."))
        },
        "last": { renderer, value, arguments in
            if case .iterator = value { throw TemplateFault.runtime("'generator' object is not reversible") }
            return try renderer.items(try only(value, arguments, "last")).last
                ?? .undefined(.hint("No last item, sequence was empty."))
        },
        "list": { renderer, value, arguments in .list(try renderer.items(try only(value, arguments, "list"))) },
        "join": { renderer, value, arguments in
            let bound = try arguments.bound("join", ["d", "attribute"])
            let separator = try bound[0].map { try string($0) } ?? TracedText()
            let get = try getter(bound[1] ?? .none, renderer)
            var result = TracedText()
            for (index, item) in try renderer.items(value).enumerated() {
                if index > 0 { result.append(separator) }
                result.append(try string(try get(item)))
                guard result.count <= renderer.limits.textLength else { return .string(try renderer.checked(result)) }
            }
            return .string(try renderer.checked(result))
        },
        "reverse": { renderer, value, arguments in
            let value = try only(value, arguments, "reverse")
            if case .string(let text) = value {
                return .string(try renderer.checked(text.picking((0..<text.count).reversed())))
            }
            let items = Array(try renderer.items(value).reversed())
            // What cannot be walked backwards is made a list first.
            if case .iterator = value { return .list(items) }
            return .iterator(RuntimeIterator(try renderer.nested(items)))
        },
        "items": { renderer, value, arguments in
            switch try only(value, arguments, "items") {
            case .undefined: return .iterator(RuntimeIterator([]))
            case .dictionary(let dictionary):
                return .iterator(
                    RuntimeIterator(try renderer.nested(DictionaryView(kind: .items, dictionary: dictionary).items)))
            default: throw TemplateFault.runtime("Can only get item pairs from a mapping.")
            }
        },
        "dictsort": { renderer, value, arguments in
            let bound = try arguments.bound("dictsort", ["case_sensitive", "by", "reverse"])
            if case .undefined(let reason) = value { throw reason.fault }
            guard case .dictionary(let dictionary) = value else {
                throw TemplateFault.runtime("dictsort needs a mapping")
            }
            let by = try bound[1].map { try string($0).string } ?? "key"
            guard by == "key" || by == "value" else {
                throw TemplateFault.runtime("dictsort sorts by \"key\" or \"value\"")
            }
            let fold = bound[0]?.isTrue != true
            let keys = dictionary.entries.map { folded(by == "key" ? $0.key : $0.value, fold) }
            let order = try sorted(keys, reverse: bound[2]?.isTrue == true, renderer)
            return .list(
                try renderer.nested(order.map { .tuple([dictionary.entries[$0].key, dictionary.entries[$0].value]) }))
        },
        "sort": { renderer, value, arguments in
            let bound = try arguments.bound("sort", ["reverse", "case_sensitive", "attribute"])
            let items = try renderer.items(value)
            let fold = bound[1]?.isTrue != true
            var paths: [RuntimeValue] = [bound[2] ?? .none]
            if case .string(let text)? = bound[2] { paths = text.split(.own(","), limit: nil).map { .string($0) } }
            let getters = try paths.map { try getter($0, renderer) }
            let keys = try items.map { item in RuntimeValue.list(try getters.map { folded(try $0(item), fold) }) }
            return .list(try sorted(keys, reverse: bound[0]?.isTrue == true, renderer).map { items[$0] })
        },
        "unique": { renderer, value, arguments in
            let bound = try arguments.bound("unique", ["case_sensitive", "attribute"])
            let get = try getter(bound[1] ?? .none, renderer)
            let fold = bound[0]?.isTrue != true
            let iterator = try renderer.iterate(value)
            var seen: Set<HashKey> = []
            return try renderer.walk(value) {
                while let item = try iterator.next() {
                    if seen.insert(try folded(try get(item), fold).hashKey()).inserted { return item }
                }
                return nil
            }
        },
        "min": { try extreme($0, $1, $2, "min") },
        "max": { try extreme($0, $1, $2, "max") },
        "sum": { renderer, value, arguments in
            let bound = try arguments.bound("sum", ["attribute", "start"])
            let get = try getter(bound[0] ?? .none, renderer)
            var total = bound[1] ?? .int(0)
            if total.text != nil { throw TemplateFault.runtime("sum() can't sum strings") }
            for item in try renderer.items(value) { total = try total.arithmetic("+", try get(item), in: renderer) }
            return total
        },
        "map": { renderer, value, arguments in
            guard value.isTrue else { return .iterator(RuntimeIterator([])) }
            var made: ((RuntimeValue) throws -> RuntimeValue)?
            var source: RuntimeIterator?
            return try renderer.walk(value, arguments) {
                let apply = try made ?? mapping(arguments, renderer)
                let items = try source ?? renderer.iterate(value)
                (made, source) = (apply, items)
                try renderer.spend(1)
                return try items.next().map { try apply($0) }
            }
        },
        "select": { try choosing($0, $1, $2, attribute: false, keeps: true) },
        "reject": { try choosing($0, $1, $2, attribute: false, keeps: false) },
        "selectattr": { try choosing($0, $1, $2, attribute: true, keeps: true) },
        "rejectattr": { try choosing($0, $1, $2, attribute: true, keeps: false) },
        "attr": { renderer, value, arguments in
            let name = try string(try arguments.bound("attr", ["name"], required: 1)[0] ?? .none).string
            // A dictionary's keys are no attributes.
            if case .dictionary(let dictionary) = value, dictionary[name] != nil {
                return .undefined(.attribute(of: "dict", name))
            }
            return try value.attribute(name, in: renderer)
        },
        "batch": { renderer, value, arguments in
            let bound = try arguments.bound("batch", ["linecount", "fill_with"], required: 1)
            guard let size = bound[0]?.int, size > 0 else {
                throw TemplateFault.runtime("batch needs a whole number above 0")
            }
            let items = try renderer.items(value)
            let fill = bound[1].flatMap { $0.isNone ? nil : $0 }
            guard fill == nil || size <= renderer.limits.items else { throw TemplateFault.limit("a batch is too long") }
            let batches = stride(from: 0, to: items.count, by: min(size, max(1, items.count))).map {
                start -> RuntimeValue in
                let batch = Array(items[start..<min(items.count, start + min(size, items.count))])
                return .list(batch + (fill.map { Array(repeating: $0, count: size - batch.count) } ?? []))
            }
            return .iterator(RuntimeIterator(try renderer.nested(batches)))
        },
        "slice": { renderer, value, arguments in
            let bound = try arguments.bound("slice", ["slices", "fill_with"], required: 1)
            guard let slices = bound[0]?.int, slices > 0, slices <= renderer.limits.items else {
                throw TemplateFault.runtime("slice needs a whole number above 0")
            }
            let items = try renderer.items(value)
            let (size, extra) = items.count.quotientAndRemainder(dividingBy: slices)
            let fill = bound[1].flatMap { $0.isNone ? nil : $0 }
            var start = 0
            let parts = (0..<slices).map { slice -> RuntimeValue in
                let end = start + size + (slice < extra ? 1 : 0)
                defer { start = end }
                return .list(Array(items[start..<end]) + (slice >= extra ? fill.map { [$0] } ?? [] : []))
            }
            return .iterator(RuntimeIterator(try renderer.nested(parts)))
        },
    ]

    private static let length: Filter = { renderer, value, arguments in
        guard let count = try renderer.count(of: try only(value, arguments, "length")) else {
            throw TemplateFault.runtime("object of type '\(value.typeName)' has no len()")
        }
        return .int(count)
    }

    private static func folded(_ value: RuntimeValue, _ folds: Bool) -> RuntimeValue {
        if folds, case .string(let text) = value { return .string(text.lowercased()) }
        return value
    }

    /// The places of the keys in ascending order; equal ones keep theirs.
    private static func sorted(_ keys: [RuntimeValue], reverse: Bool, _ renderer: TemplateRenderer) throws -> [Int] {
        try keys.indices.sorted { left, right in
            try renderer.spend(1)
            let (a, b) = reverse ? (right, left) : (left, right)
            if try keys[a].isLess(keys[b], in: renderer) { return true }
            if try keys[b].isLess(keys[a], in: renderer) { return false }
            return left < right
        }
    }

    private static func extreme(
        _ renderer: TemplateRenderer, _ value: RuntimeValue, _ arguments: CallArguments, _ name: String
    ) throws -> RuntimeValue {
        let bound = try arguments.bound(name, ["case_sensitive", "attribute"])
        let get = try getter(bound[1] ?? .none, renderer)
        var best: (item: RuntimeValue, key: RuntimeValue)?
        for item in try renderer.items(value) {
            let key = folded(try get(item), bound[0]?.isTrue != true)
            guard let current = best else {
                best = (item, key)
                continue
            }
            let (first, second) = name == "min" ? (key, current.key) : (current.key, key)
            if try first.isLess(second, in: renderer) { best = (item, key) }
        }
        return best?.item ?? .undefined(.hint("No aggregated item, sequence was empty."))
    }

    /// Looks up a path such as `function.name`; `none` gives the item itself.
    private static func getter(
        _ path: RuntimeValue, _ renderer: TemplateRenderer, fallback: RuntimeValue? = nil
    ) throws -> (RuntimeValue) throws -> RuntimeValue {
        let parts: [RuntimeValue]
        switch path {
        case .none: return { $0 }
        case .string(let text):
            parts = text.split(.own("."), limit: nil).map { part in
                let isNumber = !part.isEmpty && part.scalars.allSatisfy(\.isASCIIDigit)
                return isNumber ? Int(part.string).map { .int($0) } ?? .string(part) : .string(part)
            }
        default: parts = [path]
        }
        return { item in
            var value = item
            for part in parts {
                value = try value.item(part, in: renderer)
                if let fallback, value.isUndefined { value = fallback }
            }
            return value
        }
    }

    private static func mapping(
        _ given: CallArguments, _ renderer: TemplateRenderer
    ) throws -> (RuntimeValue) throws -> RuntimeValue {
        var arguments = given
        if arguments.positional.isEmpty, let attribute = arguments.take("attribute") {
            let fallback = arguments.take("default").flatMap { $0.isNone ? nil : $0 }
            if let extra = arguments.named.first { throw TemplateFault.runtime("map has no argument '\(extra.name)'") }
            return try getter(attribute, renderer, fallback: fallback)
        }
        guard !arguments.positional.isEmpty else { throw TemplateFault.runtime("map needs a filter or an attribute") }
        let name = try string(arguments.positional.removeFirst()).string
        guard let filter = named(name) else { throw unknown("filter", name, foreign.contains(name)) }
        return { try filter(renderer, $0, arguments) }
    }

    private static func choosing(
        _ renderer: TemplateRenderer, _ value: RuntimeValue, _ given: CallArguments, attribute: Bool, keeps: Bool
    ) throws -> RuntimeValue {
        guard value.isTrue else { return .iterator(RuntimeIterator([])) }
        var made: ((RuntimeValue) throws -> Bool)?
        var source: RuntimeIterator?
        func prepare() throws -> (RuntimeValue) throws -> Bool {
            var arguments = given
            var get: (RuntimeValue) throws -> RuntimeValue = { $0 }
            if attribute {
                guard !arguments.positional.isEmpty else {
                    throw TemplateFault.runtime("Missing parameter for attribute name")
                }
                get = try getter(arguments.positional.removeFirst(), renderer)
            }
            guard !arguments.positional.isEmpty else { return { try get($0).isTrue } }
            let name = try string(arguments.positional.removeFirst()).string
            guard let test = TemplateTests.named(name) else { throw unknown("test", name, false) }
            return { try test(renderer, try get($0), arguments) }
        }
        return try renderer.walk(value, given) {
            let test = try made ?? prepare()
            let items = try source ?? renderer.iterate(value)
            (made, source) = (test, items)
            while let item = try items.next() {
                try renderer.spend(1)
                if try test(item) == keeps { return item }
            }
            return nil
        }
    }

    /// What is said of a filter or a test that is not there.
    static func unknown(_ kind: String, _ name: String, _ isForeign: Bool) -> TemplateFault {
        isForeign
            ? .unsupported("the \(kind) '\(name)' is not supported")
            : TemplateFault(.syntax, "there is no \(kind) named '\(name)'")
    }
}
