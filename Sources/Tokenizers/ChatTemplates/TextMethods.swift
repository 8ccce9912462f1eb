/// The methods of Python's strings that templates call.
enum TextMethods {
    static let names: Set<String> = [
        "capitalize", "casefold", "center", "count", "endswith", "find", "format", "index", "isalnum", "isalpha",
        "isascii",
        "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isspace", "isupper", "join", "ljust", "lower",
        "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition",
        "rsplit",
        "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill",
        "encode", "expandtabs", "format_map", "istitle", "isprintable", "maketrans", "translate",
    ]

    static func call(
        _ name: String, on text: TracedText, _ arguments: CallArguments, in renderer: TemplateRenderer
    ) throws -> RuntimeValue {
        try renderer.spend(text.count / 16)
        switch name {
        case "format": return .string(try renderer.checked(try BraceFormat(renderer).format(text, arguments)))
        case "split", "rsplit": return try split(name, text, arguments, in: renderer)
        case "splitlines":
            let keep = try arguments.bound(name, ["keepends"])[0]?.isTrue ?? false
            let lines = text.lines(keepEnds: keep, most: renderer.limits.items)
            return .list(try renderer.checked(lines.map { .string($0) }))
        case "replace":
            let bound = try arguments.bound(name, ["old", "new", "count"], required: 2)
            let (old, new) = (try string(bound[0], name), try string(bound[1], name))
            return .string(try renderer.replaced(text, old, new, limit: try int(bound[2], name)))
        default: break
        }
        guard arguments.named.isEmpty else { throw TemplateFault.runtime("str.\(name)() takes no keyword arguments") }
        if let value = try plain(name, text, arguments) { return value }
        if let value = try trimmed(name, text, arguments) { return value }
        if let value = try searched(name, text, arguments) { return value }
        return try shaped(name, text, arguments, in: renderer)
    }

    static func string(_ value: RuntimeValue?, _ name: String) throws -> TracedText {
        switch value {
        case .string(let text)?: return text
        case .undefined(let reason)?: throw reason.fault
        default: throw TemplateFault.runtime("\(name) needs a text, not '\(value?.typeName ?? "nothing")'")
        }
    }

    private static func int(_ value: RuntimeValue?, _ name: String) throws -> Int? {
        guard let value else { return nil }
        if case .undefined(let reason) = value { throw reason.fault }
        guard let int = value.int else {
            throw TemplateFault.runtime("\(name) needs a whole number, not '\(value.typeName)'")
        }
        return int
    }

    private static func split(
        _ name: String, _ text: TracedText, _ arguments: CallArguments, in renderer: TemplateRenderer
    ) throws -> RuntimeValue {
        let bound = try arguments.bound(name, ["sep", "maxsplit"])
        let separator = bound[0].flatMap { $0.isNone ? nil : $0 }
        let mark = try separator.map { try string($0, name) }
        guard mark?.isEmpty != true else { throw TemplateFault.runtime("empty separator") }
        // One piece more than a list may have tells that there are too many; all of them could take gigabytes.
        let most = renderer.limits.items
        let limit = try int(bound[1], name).flatMap { $0 < 0 ? nil : min($0, most) } ?? most
        let pieces = name == "split" ? text.split(mark, limit: limit) : text.splitFromEnd(mark, limit: limit)
        // What content cut apart may spell something new where it meets again.
        let isCut = pieces.count > 1 && mark?.hasContent == true
        return .list(try renderer.checked(pieces.map { .string(isCut ? $0.marked(.content) : $0) }))
    }

    /// Methods without arguments.
    private static func plain(_ name: String, _ text: TracedText, _ arguments: CallArguments) throws -> RuntimeValue? {
        func every(_ test: (Unicode.Scalar) -> Bool) -> RuntimeValue {
            .bool(!text.isEmpty && text.scalars.allSatisfy(test))
        }
        let value: RuntimeValue
        switch name {
        case "upper": value = .string(text.uppercased())
        case "lower": value = .string(text.lowercased())
        case "title": value = .string(text.titlecased())
        case "capitalize": value = .string(text.capitalized())
        case "swapcase": value = .string(text.caseSwapped())
        case "isupper": value = .bool(text.isAll(upper: true))
        case "islower": value = .bool(text.isAll(upper: false))
        case "isspace": value = every(\.isPythonSpace)
        case "isascii": value = .bool(text.scalars.allSatisfy(\.isASCII))
        case "isdecimal": value = every { $0.properties.numericType == .decimal }
        case "isdigit": value = every { $0.properties.numericType == .decimal || $0.properties.numericType == .digit }
        case "isnumeric": value = every { $0.properties.numericType != nil }
        case "isalpha": value = every(\.isLetter)
        case "isalnum": value = every { $0.isLetter || $0.properties.numericType != nil }
        case "isidentifier":
            let starts = text.scalars.first.map { $0 == "_" || $0.properties.isXIDStart } ?? false
            value = .bool(starts && text.scalars.allSatisfy { $0.properties.isXIDContinue })
        default: return nil
        }
        _ = try arguments.bound(name, [])
        return value
    }

    private static func trimmed(_ name: String, _ text: TracedText, _ arguments: CallArguments) throws -> RuntimeValue?
    {
        guard name == "strip" || name == "lstrip" || name == "rstrip" else { return nil }
        let value = try arguments.bound(name, ["chars"])[0]
        let drops: (Unicode.Scalar) -> Bool
        if let value, !value.isNone {
            let set = Set(try string(value, name).scalars)
            drops = { set.contains($0) }
        } else {
            drops = { $0.isPythonSpace }
        }
        return .string(text.trimmed(left: name != "rstrip", right: name != "lstrip", drops))
    }

    private static func searched(_ name: String, _ text: TracedText, _ arguments: CallArguments) throws -> RuntimeValue?
    {
        /// The part of the text that optional bounds name, as slices do.
        func bounds(_ bound: [RuntimeValue?]) throws -> (start: Int, end: Int) {
            func place(_ value: RuntimeValue?, _ fallback: Int) throws -> Int {
                guard let value, !value.isNone, let int = try int(value, name) else { return fallback }
                return int < 0 ? max(0, int + text.count) : int
            }
            return (try place(bound[1], 0), min(try place(bound[2], text.count), text.count))
        }
        switch name {
        case "startswith", "endswith":
            let bound = try arguments.bound(name, ["prefix", "start", "end"], required: 1)
            let (start, end) = try bounds(bound)
            var candidates = [bound[0] ?? .none]
            if case .tuple(let items)? = bound[0] { candidates = items }
            let matched = try candidates.map { try string($0, name) }.contains { mark in
                guard start <= end, mark.count <= end - start else { return false }
                return text.matches(mark, at: name == "startswith" ? start : end - mark.count)
            }
            return .bool(matched)
        case "find", "index", "rfind", "rindex":
            let bound = try arguments.bound(name, ["sub", "start", "end"], required: 1)
            let (start, end) = try bounds(bound)
            let mark = try string(bound[0], name)
            let found =
                name.hasPrefix("r") ? text.findLast(mark, from: start, to: end) : text.find(mark, from: start, to: end)
            guard found != nil || name.hasSuffix("find") else { throw TemplateFault.runtime("substring not found") }
            return .int(found ?? -1)
        case "count":
            let bound = try arguments.bound(name, ["sub", "start", "end"], required: 1)
            let (first, end) = try bounds(bound)
            var start = first
            let mark = try string(bound[0], name)
            guard !mark.isEmpty else { return .int(max(0, end - start + 1)) }
            var count = 0
            while let found = text.find(mark, from: start, to: end) {
                count += 1
                start = found + mark.count
            }
            return .int(count)
        case "partition", "rpartition":
            let mark = try string(try arguments.bound(name, ["sep"], required: 1)[0], name)
            guard !mark.isEmpty else { throw TemplateFault.runtime("empty separator") }
            guard let found = name == "partition" ? text.find(mark) : text.findLast(mark) else {
                let empty = RuntimeValue.own("")
                return .tuple(name == "partition" ? [.string(text), empty, empty] : [empty, empty, .string(text)])
            }
            let end = found + mark.count
            return .tuple([.string(text[0..<found]), .string(text[found..<end]), .string(text[from: end])])
        case "removeprefix":
            let mark = try string(try arguments.bound(name, ["prefix"], required: 1)[0], name)
            return .string(text.matches(mark, at: 0) ? text[from: mark.count] : text)
        case "removesuffix":
            let mark = try string(try arguments.bound(name, ["suffix"], required: 1)[0], name)
            return .string(text.matches(mark, at: text.count - mark.count) ? text[0..<text.count - mark.count] : text)
        default: return nil
        }
    }

    private static func shaped(
        _ name: String, _ text: TracedText, _ arguments: CallArguments, in renderer: TemplateRenderer
    ) throws -> RuntimeValue {
        switch name {
        case "join":
            let items = try renderer.items(try arguments.bound(name, ["iterable"], required: 1)[0] ?? .none)
            let pieces = try items.map { try string($0, name) }
            // Counted before it is built: one long text may come many times.
            let length = pieces.reduce(text.count * max(pieces.count - 1, 0)) { $0 + $1.count }
            guard length <= renderer.limits.textLength else {
                throw TemplateFault.limit("a text is longer than \(renderer.limits.textLength) characters")
            }
            return .string(try renderer.checked(text.joining(pieces)))
        case "center", "ljust", "rjust":
            let bound = try arguments.bound(name, ["width", "fillchar"], required: 1)
            let fill = try bound[1].map { try string($0, name) } ?? .own(" ")
            guard fill.count == 1 else { throw TemplateFault.runtime("\(name) fills with one character") }
            return .string(try renderer.padded(text, to: try int(bound[0], name) ?? 0, with: fill, name))
        case "zfill":
            let width = try int(try arguments.bound(name, ["width"], required: 1)[0], name) ?? 0
            let sign = text.scalars.first == "-" || text.scalars.first == "+" ? 1 : 0
            let zeros = try renderer.repeated(.own("0"), width - text.count)
            return .string(text[0..<sign] + zeros + text[from: sign])
        default: throw TemplateFault.unsupported("the text method '\(name)' is not supported")
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }
}

extension TemplateRenderer {
    func replaced(_ text: TracedText, _ old: TracedText, _ new: TracedText, limit: Int?) throws -> TracedText {
        // Counted before it is built: a short text may blow up to any length.
        if new.count > old.count {
            let most = old.isEmpty ? text.count + 1 : text.count / old.count
            let times = min(most, limit.map { $0 < 0 ? most : $0 } ?? most)
            if text.count + times.multipliedReportingOverflow(by: new.count).partialValue > limits.textLength {
                var (found, start) = (0, 0)
                while !old.isEmpty, found < times, let next = text.find(old, from: start) {
                    found += 1
                    start = next + old.count
                }
                let count = old.isEmpty ? times : found
                guard count <= limits.textLength / max(1, new.count) else {
                    throw TemplateFault.limit("a text is longer than \(limits.textLength) characters")
                }
            }
        }
        return try checked(text.replacing(old, with: new, limit: limit))
    }

    /// Blanks on both sides (the odd one where Python puts it), on the right or on the left.
    func padded(_ text: TracedText, to width: Int, with fill: TracedText, _ side: String) throws -> TracedText {
        guard width > text.count else { return text }
        let missing = width - text.count
        let left = side == "ljust" ? 0 : side == "rjust" ? missing : missing / 2 + (missing & width & 1)
        return try repeated(fill, left) + text + (try repeated(fill, missing - left))
    }
}
