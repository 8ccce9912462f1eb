/// A text as the recognizers see it: its bytes, cut into words, numbers and signs, each word looked up once.
struct ScannedText: Sendable {
    struct Token: Sendable {
        enum Kind: UInt8, Sendable { case word, number, sign }

        /// UTF-8 offsets.
        var start: Int
        var end: Int
        var kind: Kind
        /// Nothing stands between it and the token before.
        var isJoined: Bool
        /// A line end stands between it and the token before, or nothing stands before.
        var startsLine: Bool
        /// Its first letter is a capital.
        var isCapitalised: Bool
        /// All its letters are capitals and there are two or more.
        var isAllCapitals: Bool
        /// It has no small letter, so that even one capital is all of it.
        var hasNoSmall = false
        /// Hash of the folded word; for a sign of one byte that byte, for other signs 0.
        var folded: UInt64
        var classes: WordClass

        var length: Int { end - start }
    }

    /// The text in UTF-8 with look-alike and invisible characters folded: what all offsets of candidates count in.
    let bytes: [UInt8]
    /// The text as it came, and how its offsets go with those of `bytes`; `nil` where the two are the same.
    private let folding: (original: [UInt8], map: LookalikeFolding)?
    private(set) var tokens: [Token] = []
    private(set) var hasAt = false
    private(set) var hasDigit = false
    private(set) var hasDot = false
    private(set) var hasColon = false
    private(set) var hasCapital = false
    /// Words in small letters occur: then capitals mean something.
    private(set) var hasSmall = false
    /// A word like `Anna` occurs, small letters after a capital.
    private(set) var hasMixed = false
    /// Everything is in capitals, so that they say nothing.
    var isShouted: Bool { hasCapital && !hasSmall && !hasMixed }
    /// All classes of all words, to skip recognizers that have nothing to hold on to.
    private(set) var classes: WordClass = []

    init(_ text: String, lexicon: Lexicon) {
        let original = Array(text.utf8)
        if let map = LookalikeFolding(original) {
            bytes = map.bytes
            folding = (original, map)
        } else {
            bytes = original
            folding = nil
        }
        tokens.reserveCapacity(bytes.count / 4 + 4)
        scan(lexicon)
    }

    private mutating func scan(_ lexicon: Lexicon) {
        let count = bytes.count
        var i = 0
        var joined = false
        var line = true
        while i < count {
            let byte = bytes[i]
            if byte == 0x20 || byte == 0x09 || byte == 0x0D {
                i += 1
                joined = false
            } else if byte == 0x0A {
                i += 1
                joined = false
                line = true
            } else if Self.isDigit(byte) {
                let start = i
                repeat { i += 1 } while i < count && Self.isDigit(bytes[i])
                append(.number, start, i, joined, line)
                hasDigit = true
                joined = true
                line = false
            } else if byte >= 0x80 || Self.isLetter(byte) {
                let start = i
                word(&i, joined, line, lexicon)
                if i == start {
                    // A sign or space outside ASCII, or a stray byte.
                    let (scalar, length) = Self.scalar(bytes, at: i)
                    i += length
                    if scalar.properties.isWhitespace {
                        joined = false
                        if scalar.value == 0x2028 || scalar.value == 0x2029 || scalar.value == 0x85 { line = true }
                        continue
                    }
                    // Printed apostrophes and dashes count as the typed ones.
                    let plain: UInt64 =
                        switch scalar.value {
                        case 0x2018, 0x2019: 0x27
                        case 0x2010...0x2014: 0x2D
                        default: 0
                        }
                    append(.sign, start, i, joined, line, folded: plain)
                }
                joined = true
                line = false
            } else {
                if byte == UInt8(ascii: "@") { hasAt = true }
                if byte == UInt8(ascii: ".") { hasDot = true }
                if byte == UInt8(ascii: ":") { hasColon = true }
                append(.sign, i, i + 1, joined, line, folded: UInt64(byte))
                i += 1
                joined = true
                line = false
            }
        }
    }

    private mutating func append(
        _ kind: Token.Kind, _ start: Int, _ end: Int, _ joined: Bool, _ line: Bool, folded: UInt64 = 0
    ) {
        tokens.append(
            Token(
                start: start, end: end, kind: kind, isJoined: joined, startsLine: line, isCapitalised: false,
                isAllCapitals: false, folded: folded, classes: []))
    }

    /// Reads a run of letters, if one stands at `i`.
    private mutating func word(_ i: inout Int, _ joined: Bool, _ line: Bool, _ lexicon: Lexicon) {
        let start = i
        var hash = FoldedHash()
        var capitals = 0
        var smalls = 0
        var startsWithCapital = false
        while i < bytes.count {
            let byte = bytes[i]
            if Self.isLetter(byte) {
                if byte < 0x61 {
                    if i == start { startsWithCapital = true }
                    capitals += 1
                    hash.add(byte | 0x20)
                } else {
                    smalls += 1
                    hash.add(byte)
                }
                i += 1
            } else if byte >= 0x80 {
                let (scalar, length) = Self.scalar(bytes, at: i)
                guard scalar.properties.isAlphabetic || (i > start && (0x300...0x36F).contains(scalar.value)) else {
                    break
                }
                if scalar.properties.isUppercase {
                    if i == start { startsWithCapital = true }
                    capitals += 1
                } else {
                    smalls += 1
                }
                hash.add(scalar)
                i += length
            } else {
                break
            }
        }
        guard i > start else { return }
        if startsWithCapital { hasCapital = true }
        if smalls > 0 && !startsWithCapital { hasSmall = true }
        if smalls > 0 && startsWithCapital { hasMixed = true }
        let found = lexicon.classes(of: hash.value)
        classes.formUnion(found)
        tokens.append(
            Token(
                start: start, end: i, kind: .word, isJoined: joined, startsLine: line, isCapitalised: startsWithCapital,
                isAllCapitals: smalls == 0 && capitals > 1, hasNoSmall: smalls == 0, folded: hash.value, classes: found)
        )
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
    static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }

    /// The scalar that begins at `i` and its length in bytes. `bytes` come from a `String`, so they are well-formed.
    static func scalar(_ bytes: [UInt8], at i: Int) -> (Unicode.Scalar, Int) {
        let lead = bytes[i]
        let length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        guard i + length <= bytes.count else { return ("\u{FFFD}", 1) }
        var value = length == 1 ? UInt32(lead) : UInt32(lead) & (0xFF >> (UInt32(length) + 1))
        for k in 1..<max(length, 1) { value = value << 6 | UInt32(bytes[i + k] & 0x3F) }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
    }
}

extension ScannedText {
    /// The text as it came.
    var original: [UInt8] { folding?.original ?? bytes }

    /// Where a range of `bytes` stands in the text as it came.
    func originalRange(_ start: Int, _ end: Int) -> Range<Int> {
        guard let map = folding?.map, start < end, end <= map.ends.count else { return start..<max(start, end) }
        return Int(map.starts[start])..<Int(map.ends[end - 1])
    }

    /// The sign of one byte at a place among the tokens.
    func sign(_ index: Int) -> UInt8? {
        guard tokens.indices.contains(index), tokens[index].kind == .sign, tokens[index].folded < 0x80 else {
            return nil
        }
        return UInt8(truncatingIfNeeded: tokens[index].folded)
    }

    func isSign(_ index: Int, _ character: Unicode.Scalar) -> Bool {
        sign(index) == UInt8(truncatingIfNeeded: character.value)
    }

    /// The tokens that lie between two bytes. They are in order: the first is found by halves, since a long text may hold many names.
    func tokens(from start: Int, to end: Int) -> Range<Int> {
        var low = 0
        var high = tokens.count
        while low < high {
            let middle = (low + high) / 2
            if tokens[middle].start < start { low = middle + 1 } else { high = middle }
        }
        return low..<(low + tokens[low...].prefix { $0.end <= end }.count)
    }

    /// Whether the token is a word with one of these classes.
    func has(_ index: Int, _ classes: WordClass) -> Bool {
        tokens.indices.contains(index) && !tokens[index].classes.isDisjoint(with: classes)
    }

    /// Whether the token is this word; `word` is folded.
    func isWord(_ index: Int, _ word: UInt64) -> Bool {
        tokens.indices.contains(index) && tokens[index].kind == .word && tokens[index].folded == word
    }

    /// Whether a word of these classes stands among the `before` tokens before or the `after` tokens behind.
    func hasContext(_ wanted: WordClass, before: Int = 8, after: Int = 0, of first: Int, _ last: Int? = nil) -> Bool {
        guard !classes.isDisjoint(with: wanted) else { return false }
        let end = last ?? first
        for i in max(0, first - before)..<max(0, first) where !tokens[i].classes.isDisjoint(with: wanted) {
            return true
        }
        guard after > 0 else { return false }
        for i in (end + 1)..<max(end + 1, min(tokens.count, end + 1 + after))
        where !tokens[i].classes.isDisjoint(with: wanted) { return true }
        return false
    }

    func isOneLetter(_ index: Int) -> Bool {
        let token = tokens[index]
        return token.length == 1 || Self.scalar(bytes, at: token.start).1 == token.length
    }

    /// The digits of a number token as they stand.
    func digits(_ index: Int) -> ArraySlice<UInt8> { bytes[tokens[index].start..<tokens[index].end] }

    /// The value of a number token of at most six digits, else `nil`.
    func value(_ index: Int) -> Int? {
        guard tokens.indices.contains(index), tokens[index].kind == .number, tokens[index].length <= 6 else {
            return nil
        }
        return digits(index).reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
