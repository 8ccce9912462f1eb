/// The filters after `|`; each takes the value and its arguments.
enum TemplateFilters {
    typealias Filter = @Sendable (TemplateRenderer, RuntimeValue, CallArguments) throws -> RuntimeValue

    /// Jinja's filters that this renderer refuses by name.
    static let foreign: Set<String> = [
        "filesizeformat", "groupby", "pprint", "random", "striptags", "urlencode", "urlize", "wordwrap", "xmlattr",
    ]

    /// The filter of a name. What it is given counts as work: most look through all of it, however little they give.
    static func named(_ name: String) -> Filter? {
        guard let filter = text[name] ?? sequences[name] ?? numbers[name] else { return nil }
        return { renderer, value, arguments in
            switch value {
            case .string, .list, .tuple, .dictionary, .view, .range:
                try renderer.spend((try renderer.count(of: value) ?? 0) / 16)
            default: break
            }
            return try filter(renderer, value, arguments)
        }
    }

    /// Jinja's `soft_str`: a text as it is, anything else as it would be printed.
    static func string(_ value: RuntimeValue) throws -> TracedText { try value.printed() }

    /// The same where the length of what comes of it does not count the work.
    private static func counted(_ value: RuntimeValue, _ renderer: TemplateRenderer) throws -> TracedText {
        let text = try string(value)
        try renderer.spend(text.count / 16)
        return text
    }

    static let text: [String: Filter] = [
        "trim": { renderer, value, arguments in
            let chars = try arguments.bound("trim", ["chars"])[0]
            let text = try counted(value, renderer)
            guard let chars, !chars.isNone else { return .string(text.trimmed { $0.isPythonSpace }) }
            let set = Set(try TextMethods.string(chars, "trim").scalars)
            return .string(text.trimmed { set.contains($0) })
        },
        "upper": { try .measured(string(only($1, $2, "upper")).uppercased(), $0) },
        "lower": { try .measured(string(only($1, $2, "lower")).lowercased(), $0) },
        "capitalize": { try .measured(string(only($1, $2, "capitalize")).capitalized(), $0) },
        "title": { try .measured(string(only($1, $2, "title")).wordsCapitalized(), $0) },
        "string": { try .measured(string(only($1, $2, "string")), $0) },
        "safe": { renderer, value, arguments in
            var text = try counted(only(value, arguments, "safe"), renderer)
            text.isMarkup = true
            return .string(text)
        },
        "escape": escape, "e": escape, "forceescape": escape,
        "replace": { renderer, value, arguments in
            let bound = try arguments.bound("replace", ["old", "new", "count"], required: 2)
            let (old, new) = (try string(bound[0] ?? .none), try string(bound[1] ?? .none))
            let limit = bound[2].flatMap { $0.isNone ? nil : $0 }
            if let limit, limit.int == nil { throw TemplateFault.runtime("replace needs a whole number as its count") }
            return .string(try renderer.replaced(try counted(value, renderer), old, new, limit: limit?.int))
        },
        "format": { renderer, value, arguments in
            guard arguments.positional.isEmpty || arguments.named.isEmpty else {
                throw TemplateFault.runtime("format takes positional or named arguments, not both")
            }
            var values = RuntimeValue.tuple(arguments.positional)
            if !arguments.named.isEmpty {
                var dictionary = RuntimeDictionary()
                for pair in arguments.named { try dictionary.set(.own(pair.name), pair.value) }
                values = .dictionary(dictionary)
            }
            return .string(try PercentFormat(renderer).format(try string(value), values))
        },
        "center": { renderer, value, arguments in
            let width = try arguments.bound("center", ["width"])[0]
            guard let width = width.map(\.int) ?? 80 else { throw TemplateFault.runtime("center needs a whole number") }
            return .string(try renderer.padded(try counted(value, renderer), to: width, with: .own(" "), "center"))
        },
        "indent": indent,
        "truncate": { renderer, value, arguments in
            let bound = try arguments.bound("truncate", ["length", "killwords", "end", "leeway"])
            let end = try bound[2].map { try TextMethods.string($0, "truncate") } ?? .own("...")
            guard let length = bound[0].map(\.int) ?? 255, let leeway = bound[3].map({ $0.isNone ? 5 : $0.int }) ?? 5,
                length >= end.count, leeway >= 0
            else { throw TemplateFault.runtime("truncate needs a length that holds its end") }
            // Jinja asks for the length before it asks whether this is a text.
            if let count = try renderer.count(of: value), count <= length || count - length <= leeway { return value }
            let text = try TextMethods.string(value, "truncate")
            let kept = text[0..<length - end.count]
            if bound[1]?.isTrue == true { return .string(kept + end) }
            return .string((kept.findLast(.own(" ")).map { kept[0..<$0] } ?? kept) + end)
        },
        "wordcount": { renderer, value, arguments in
            let text = try counted(try only(value, arguments, "wordcount"), renderer)
            var (count, isInside) = (0, false)
            for scalar in text.scalars {
                let isWord = scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                if isWord, !isInside { count += 1 }
                isInside = isWord
            }
            return .int(count)
        },
        "tojson": tojson,
    ]

    /// The value, when no argument came with it.
    static func only(_ value: RuntimeValue, _ arguments: CallArguments, _ name: String) throws -> RuntimeValue {
        _ = try arguments.bound("the filter '\(name)'", [])
        return value
    }

    private static let escape: Filter = { renderer, value, arguments in
        let text = try string(try only(value, arguments, "escape"))
        let names: [Unicode.Scalar: String] = ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&#34;", "'": "&#39;"]
        var escaped = text.isMarkup ? text : try renderer.checked(text.mapped { names[$1] ?? String($1) })
        escaped.isMarkup = true
        return .string(escaped)
    }

    private static let indent: Filter = { renderer, value, arguments in
        let bound = try arguments.bound("indent", ["width", "first", "blank"])
        let text = try TextMethods.string(value, "indent")
        let blanks: TracedText
        switch bound[0] {
        case nil: blanks = .own("    ")
        case .string(let width)?: blanks = width
        case let width?:
            guard let width = width.int else { throw TemplateFault.runtime("indent needs a whole number or a text") }
            blanks = try renderer.repeated(.own(" "), width)
        }
        let isBlankIndented = bound[2]?.isTrue == true
        let most = renderer.limits.items
        var lines = (text + .own("\n")).lines(most: most)
        guard lines.count <= most else { throw TemplateFault.limit("a list has more than \(most) items") }
        guard lines.count * blanks.count <= renderer.limits.textLength else {
            throw TemplateFault.limit("a text is longer than \(renderer.limits.textLength) characters")
        }
        for index in 1..<max(1, lines.count) where isBlankIndented || !lines[index].isEmpty {
            lines[index] = blanks + lines[index]
        }
        if bound[1]?.isTrue == true { lines[0] = blanks + lines[0] }
        return .string(try renderer.checked(TracedText.own("\n").joining(lines)))
    }

    private static let tojson: Filter = { renderer, value, arguments in
        let bound = try arguments.bound("tojson", ["ensure_ascii", "indent", "separators", "sort_keys"])
        var indent: String?
        switch bound[1] {
        case nil, RuntimeValue.none?: break
        case .string(let text)?:
            guard text.count <= 1_000 else { throw TemplateFault.limit("tojson's indent is past 1000") }
            indent = text.string
        case let number?:
            guard let number = number.int else {
                throw TemplateFault.runtime("tojson's indent is a whole number or a text")
            }
            guard number <= 1_000 else { throw TemplateFault.limit("tojson's indent is past 1000") }
            indent = String(repeating: " ", count: max(0, number))
        }
        var separators: (String, String)?
        if let pair = bound[2], !pair.isNone {
            let parts = try renderer.items(pair)
            guard parts.count == 2 else { throw TemplateFault.runtime("tojson's separators are two texts") }
            let texts = try parts.map { try TextMethods.string($0, "tojson") }
            separators = (texts[0].string, texts[1].string)
        }
        var json = TemplateJSON(indent: indent, separators: separators)
        json.escapesUnicode = bound[0]?.isTrue == true
        json.sortsKeys = bound[3]?.isTrue == true
        return .string(try json.text(of: value, in: renderer))
    }
}

extension RuntimeValue {
    /// A text whose length is checked.
    fileprivate static func measured(_ text: TracedText, _ renderer: TemplateRenderer) throws -> RuntimeValue {
        .string(try renderer.checked(text))
    }
}
