/// Reads the regular expressions that tokenizers split texts with.
///
/// The language is the part of Oniguruma's (Ruby's) that published tokenizers use: characters, sets, `\p{…}`, choices,
/// groups, `(?i:…)`, looking ahead, and repetition, which beyond `?` and small counts must be of single characters, so that
/// no text can take exponential time. The rest is refused by name rather than guessed at.
struct PatternParser {
    indirect enum Node {
        case set(ScalarSet)
        case sequence([Node])
        case choice([Node])
        case repetition(Node, least: Int, most: Int?, mode: Mode)
        case lookAhead(Node, isNegated: Bool)
    }

    enum Mode { case greedy, lazy, possessive }

    struct Fault: Error { var message: String }

    private let scalars: [UInt32]
    private var place = 0
    private var ignoresCase = false
    private var depth = 0

    private init(_ pattern: String) { scalars = pattern.unicodeScalars.map(\.value) }

    static func parse(_ pattern: String) throws -> Node {
        guard pattern.utf8.count <= 8192 else { throw Fault(message: "has more than 8192 bytes") }
        var parser = PatternParser(pattern)
        let node = try parser.choice()
        guard parser.place == parser.scalars.count else { throw Fault(message: "has a bracket too many") }
        return node
    }

    private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        place + ahead < scalars.count ? Unicode.Scalar(scalars[place + ahead]) : nil
    }

    private mutating func take(_ text: String) -> Bool {
        let wanted = text.unicodeScalars.map(\.value)
        guard scalars[place...].starts(with: wanted) else { return false }
        place += wanted.count
        return true
    }

    private mutating func choice() throws -> Node {
        depth += 1
        defer { depth -= 1 }
        guard depth < 32 else { throw Fault(message: "is nested too deeply") }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws -> Node {
        var items: [Node] = []
        while let next = peek(), next != "|", next != ")" { items.append(try repeated(try atom())) }
        return items.count == 1 ? items[0] : .sequence(items)
    }

    private mutating func atom() throws -> Node {
        guard let next = peek() else { throw Fault(message: "ends in the middle") }
        switch next {
        case "(": return try group()
        case "[": return .set(try set())
        case ".":
            place += 1
            return .set(ScalarSet(ranges: [0x0A...0x0A]).inverted())
        case "^", "$": throw Fault(message: "\(next) is not supported")
        case "*", "+", "?": throw Fault(message: "\(next) has nothing to repeat")
        case "\\": return .set(try escape(inSet: false))
        default:
            place += 1
            return .set(try literal(next.value))
        }
    }

    private mutating func group() throws -> Node {
        place += 1
        let outer = ignoresCase
        defer { ignoresCase = outer }
        var isAhead: Bool?
        if take("?i:") {
            ignoresCase = true
        } else if take("?=") {
            isAhead = true
        } else if take("?!") {
            isAhead = false
        } else if take("?:") {
        } else if peek() == "?" {
            throw Fault(message: "(?\(peek(1).map(String.init) ?? "") is not supported")
        }
        let node = try choice()
        guard take(")") else { throw Fault(message: "lacks a closing bracket") }
        return isAhead.map { .lookAhead(node, isNegated: !$0) } ?? node
    }

    private mutating func repeated(_ node: Node) throws -> Node {
        var bounds: (least: Int, most: Int?)
        switch peek() {
        case "*": bounds = (0, nil)
        case "+": bounds = (1, nil)
        case "?": bounds = (0, 1)
        case "{":
            guard let counts = counts() else { return node }
            bounds = counts
            place -= 1
        default: return node
        }
        let isCounted = scalars[place] == 0x7D
        place += 1
        var mode = Mode.greedy
        if peek() == "?" {
            guard !isCounted else { throw Fault(message: "? after a count is not supported") }
            mode = .lazy
            place += 1
        } else if peek() == "+" {
            guard !isCounted else { throw Fault(message: "+ after a count is not supported") }
            mode = .possessive
            place += 1
        }
        if let next = peek(), next == "*" || next == "+" || next == "?" {
            throw Fault(message: "a repetition of a repetition is not supported")
        }
        if case .lookAhead = node { throw Fault(message: "a repetition of looking ahead is not supported") }
        if case .set = node {
            if mode != .greedy, bounds.most != nil {
                throw Fault(message: "a lazy or possessive count is not supported")
            }
        } else {
            guard let most = bounds.most, most <= 8, mode == .greedy else {
                throw Fault(message: "an unbounded repetition of a group is not supported")
            }
        }
        return .repetition(node, least: bounds.least, most: bounds.most, mode: mode)
    }

    /// `{n}`, `{n,}`, `{,m}` or `{n,m}`; `nil` when the brace is only a brace.
    private mutating func counts() -> (least: Int, most: Int?)? {
        let start = place
        place += 1
        func number(_ parser: inout PatternParser) -> Int? {
            var digits = ""
            while let next = parser.peek(), ("0"..."9").contains(next) {
                digits.unicodeScalars.append(next)
                parser.place += 1
            }
            return Int(digits)
        }
        let least = number(&self)
        var most = least
        if take(",") {
            most = number(&self)
            if least == nil, most == nil { place = start }
        } else if least == nil {
            place = start
        }
        guard place != start, take("}"), (least ?? 0) <= 1000, (most ?? 0) <= 1000, (most ?? .max) >= (least ?? 0)
        else {
            place = start
            return nil
        }
        return (least ?? 0, most)
    }

    /// A character as written, with its other case where that does not matter.
    private func literal(_ value: UInt32) throws -> ScalarSet {
        guard ignoresCase else { return ScalarSet(ranges: [value...value]) }
        guard value < 0x80 else { throw Fault(message: "(?i:) of a character beyond ASCII is not supported") }
        var set = ScalarSet(ranges: [value...value])
        switch Unicode.Scalar(value)! {
        case "a"..."z": set.insert(value - 0x20...value - 0x20)
        case "A"..."Z": set.insert(value + 0x20...value + 0x20)
        default: break
        }
        // The long s and the sign for kelvin.
        if value | 0x20 == 0x73 { set.insert(0x17F...0x17F) }
        if value | 0x20 == 0x6B { set.insert(0x212A...0x212A) }
        return set
    }

    private mutating func escape(inSet: Bool) throws -> ScalarSet {
        place += 1
        guard let next = peek() else { throw Fault(message: "ends with a backslash") }
        place += 1
        switch next {
        case "s": return .spaces
        case "S": return ScalarSet.spaces.inverted()
        case "w": return .words
        case "W": return ScalarSet.words.inverted()
        case "d": return ScalarSet(categories: ScalarTraits.Category.nd.mask)
        case "D": return ScalarSet(categories: ScalarTraits.Category.nd.mask).inverted()
        case "p", "P":
            guard take("{") else { throw Fault(message: "\\\(next) lacks its brace") }
            var isNegated = next == "P"
            if take("^") { isNegated.toggle() }
            var name = ""
            while let letter = peek(), letter != "}" {
                name.unicodeScalars.append(letter)
                place += 1
            }
            guard take("}"), let set = ScalarSet.property(name) else {
                throw Fault(message: "\\\(next){\(name)} is not supported")
            }
            return isNegated ? set.inverted() : set
        case "n": return try literal(0x0A)
        case "r": return try literal(0x0D)
        case "t": return try literal(0x09)
        case "f": return try literal(0x0C)
        case "v": return try literal(0x0B)
        case "x" where take("{"):
            var digits = ""
            while let digit = peek(), digit != "}", digits.count < 8 {
                digits.unicodeScalars.append(digit)
                place += 1
            }
            guard take("}"), let value = UInt32(digits, radix: 16), Unicode.Scalar(value) != nil else {
                throw Fault(message: "\\x{\(digits)} is no character")
            }
            return try literal(value)
        case "u":
            let digits = String(String.UnicodeScalarView((0..<4).compactMap { peek($0) }))
            guard let value = UInt32(digits, radix: 16), digits.utf8.count == 4, Unicode.Scalar(value) != nil else {
                throw Fault(message: "\\u\(digits) is no character")
            }
            place += 4
            return try literal(value)
        case "a"..."z", "A"..."Z", "0"..."9": throw Fault(message: "\\\(next) is not supported")
        default: return try literal(next.value)
        }
    }

    private mutating func set() throws -> ScalarSet {
        depth += 1
        defer { depth -= 1 }
        guard depth < 32 else { throw Fault(message: "is nested too deeply") }
        place += 1
        let isNegated = take("^")
        var result = ScalarSet()
        var isFirst = true
        while true {
            guard let next = peek() else { throw Fault(message: "lacks a closing ]") }
            if next == "]", !isFirst { break }
            isFirst = false
            if next == "[" {
                guard peek(1) != ":" else { throw Fault(message: "[: :] is not supported") }
                result.insert(try set())
                continue
            }
            guard !(next == "&" && peek(1) == "&") else { throw Fault(message: "&& in a set is not supported") }
            let item = try setItem(next)
            guard let low = item.single, peek() == "-", let after = peek(1), after != "]", after != "[" else {
                result.insert(item.set)
                continue
            }
            place += 1
            guard let high = try setItem(after).single, low <= high, !ignoresCase else {
                throw Fault(message: "a range in a set is broken")
            }
            result.insert(low...high)
        }
        place += 1
        return isNegated ? result.inverted() : result
    }

    /// One member of a set: the set it stands for, and its value when it is one character.
    private mutating func setItem(_ next: Unicode.Scalar) throws -> (set: ScalarSet, single: UInt32?) {
        if next == "\\" {
            let isLetter = peek(1).map { "swWSdDpP".unicodeScalars.contains($0) } ?? false
            let set = try escape(inSet: true)
            return (set, isLetter ? nil : set.onlyMember)
        }
        place += 1
        return (try literal(next.value), next.value)
    }
}

extension ScalarSet {
    /// The member of a set of one character.
    fileprivate var onlyMember: UInt32? { singleRange.flatMap { $0.count == 1 ? $0.lowerBound : nil } }
}
