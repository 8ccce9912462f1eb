/// One way in which a tokenizer cuts a text into words: a part of the `pre_tokenizer` of `tokenizer.json`.
enum PreTokenizer: Sendable {
    /// White space goes, punctuation stands alone, as in BERT.
    case bert
    /// Words and runs of signs; white space goes.
    case whitespace
    case whitespaceSplit
    case punctuation(SplitBehavior)
    /// Numbers apart from the rest, as runs or one by one.
    case digits(individually: Bool)
    case split(TextPattern, SplitBehavior, isInverted: Bool)
    case delimiter([UInt8])
    case metaspace(Metaspace)
    /// Bytes in GPT-2's alphabet, a space before the first word if asked for, cut by GPT-2's pattern if asked for.
    case byteLevel(addsPrefixSpace: Bool, splits: Bool)

    /// The steps of a file's pre-tokenizer; none when it has none.
    static func read(_ field: JSONField, depth: Int = 0) throws -> [PreTokenizer] {
        guard !field.isAbsent else { return [] }
        switch try field.type() {
        case "BertPreTokenizer": return [.bert]
        case "Whitespace": return [.whitespace]
        case "WhitespaceSplit": return [.whitespaceSplit]
        case "Punctuation":
            return [.punctuation(field["behavior"].isAbsent ? .isolated : try SplitBehavior(field["behavior"]))]
        case "Digits": return [.digits(individually: try field["individual_digits"].bool())]
        case "Split":
            return [
                .split(
                    try TextPattern(field["pattern"]), try SplitBehavior(field["behavior"]),
                    isInverted: try field["invert"].bool())
            ]
        case "CharDelimiterSplit": return [.delimiter(Array(String(try field["delimiter"].scalar()).utf8))]
        case "Metaspace": return [.metaspace(try Metaspace(field))]
        case "ByteLevel":
            return [
                .byteLevel(
                    addsPrefixSpace: try field["add_prefix_space"].bool(),
                    splits: try field["use_regex"].bool(default: true))
            ]
        case "Sequence":
            guard depth < 8 else { throw field.fault(.unsupported, "sequences are nested too deeply") }
            return try field["pretokenizers"].elements(limit: 64).flatMap { try read($0, depth: depth + 1) }
        case let other: throw field.fault(.unsupported, "the pre-tokenizer \(other) is not supported")
        }
    }

    func apply(_ words: inout WordPieces) {
        switch self {
        case .bert:
            words.split(.removed) { Self.find($0, where: { ScalarTraits.of($0).isSpace }, $1) }
            words.split(.isolated) { Self.find($0, where: BertNormalizer.isPunctuation, $1) }
        case .whitespace:
            words.split(.removed, isInverted: true) { text, found in
                var place = 0
                while place < text.count {
                    let start = place
                    let kind = Self.kind(text.scalar(at: place).value)
                    repeat {
                        place += text.scalar(at: place).length
                    } while place < text.count
                        && Self.kind(text.scalar(at: place).value) == kind
                    if kind != 0 { found(start..<place) }
                }
            }
        case .whitespaceSplit: words.split(.removed) { Self.find($0, where: { ScalarTraits.of($0).isSpace }, $1) }
        case .punctuation(let behavior):
            words.split(behavior) { Self.find($0, where: BertNormalizer.isPunctuation, $1) }
        case .digits(let individually):
            words.split(individually ? .isolated : .contiguous) { Self.find($0, where: Self.isNumeric, $1) }
        case .split(let pattern, let behavior, let isInverted):
            words.split(behavior, isInverted: isInverted) { pattern.forEachMatch(in: $0, $1) }
        case .delimiter(let text):
            words.split(.removed) { bytes, found in
                var place = 0
                while place < bytes.count {
                    let length = bytes.scalar(at: place).length
                    if bytes[place..<place + length].elementsEqual(text) { found(place..<place + length) }
                    place += length
                }
            }
        case .metaspace(let metaspace): metaspace.apply(&words)
        case .byteLevel(let addsPrefixSpace, let splits):
            Self.cutBytes(&words, addsPrefixSpace: addsPrefixSpace, splits: splits)
            words.rewrite { text, origin, output in
                var newOrigin = 0
                for (place, byte) in text.enumerated() {
                    output.append(scalar: ByteAlphabet.scalars[Int(byte)].value)
                    if place < origin { newOrigin = place + 1 }
                }
                return newOrigin
            }
        }
    }

    /// The first half of `byteLevel`, which leaves the bytes as they are.
    static func cutBytes(_ words: inout WordPieces, addsPrefixSpace: Bool, splits: Bool) {
        if addsPrefixSpace {
            words.rewrite { text, origin, output in
                let lacks = text.first != 0x20
                if lacks { output.append(0x20) }
                output.append(contentsOf: text)
                return lacks && origin > 0 ? origin + 1 : origin
            }
        }
        if splits { words.split(.isolated) { TextPattern.gpt2.forEachMatch(in: $0, $1) } }
    }

    /// Finds single characters.
    @inline(__always)
    private static func find(
        _ text: UnsafeBufferPointer<UInt8>, where isMember: (UInt32) -> Bool, _ found: (Range<Int>) -> Void
    ) {
        var place = 0
        while place < text.count {
            let (value, length) = text.scalar(at: place)
            if isMember(value) { found(place..<place + length) }
            place += length
        }
    }

    /// 0 for white space, 1 for the characters of words, 2 for the rest, to the regex engine of `Whitespace`.
    private static func kind(_ value: UInt32) -> Int {
        let traits = ScalarTraits.of(value)
        if traits.isSpace { return 0 }
        return traits.isWord || value == 0x200C || value == 0x200D ? 1 : 2
    }

    /// A number of any kind, as of Unicode 17 here.
    private static func isNumeric(_ value: UInt32) -> Bool {
        if value < 0x80 { return (0x30...0x39).contains(value) }
        if ScalarTraits.of(value).isNumber { return true }
        guard value >= 0x10000, let scalar = Unicode.Scalar(value), !scalar.isNewer(than: (17, 0)) else { return false }
        switch scalar.properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: return true
        default: return false
        }
    }
}

/// Spaces written as a visible sign, as SentencePiece does: `▁`.
struct Metaspace: Sendable {
    enum Scheme: String {
        /// Before every piece that does not begin with the sign, before the first only, or never.
        case always, first, never
    }

    let sign: [UInt8]
    let scheme: Scheme
    /// Cuts before every sign.
    let splits: Bool

    init(_ field: JSONField) throws {
        sign = Array(String(try field["replacement"].scalar()).utf8)
        let adds = try field["add_prefix_space"].bool(default: true)
        if field["prepend_scheme"].isAbsent {
            scheme = adds ? .always : .never
        } else {
            let name = try field["prepend_scheme"].string()
            guard let scheme = Scheme(rawValue: name) else {
                throw field["prepend_scheme"].fault(.unsupported, "\(name) is not supported")
            }
            guard adds || scheme == .never else {
                throw field.fault(.malformed, "add_prefix_space and prepend_scheme contradict each other")
            }
            self.scheme = scheme
        }
        splits = try field["split"].bool(default: true)
    }

    /// Appends a token with a space for every sign, or nothing.
    static func append(_ token: ArraySlice<UInt8>, _ sign: [UInt8], dropsSigns: Bool, to output: inout [UInt8]) {
        var rest = token
        while let first = rest.first {
            if first == sign[0], rest.starts(with: sign) {
                if !dropsSigns { output.append(0x20) }
                rest.removeFirst(sign.count)
            } else {
                output.append(first)
                rest.removeFirst()
            }
        }
    }

    func apply(_ words: inout WordPieces) {
        words.rewrite { text, origin, output in
            let start = output.count
            var newOrigin = 0
            let hasSign =
                text.first == 0x20 || (text.count >= sign.count && text[..<sign.count].elementsEqual(sign))
            if !hasSign, scheme == .always || (scheme == .first && origin > 0) {
                output.append(contentsOf: sign)
                if origin > 0 { newOrigin = sign.count }
            }
            for (place, byte) in text.enumerated() {
                if byte == 0x20 { output.append(contentsOf: sign) } else { output.append(byte) }
                if place < origin { newOrigin = output.count - start }
            }
            return newOrigin
        }
        guard splits else { return }
        words.split(.mergedWithNext) { text, found in
            var place = 0
            while place < text.count {
                if text[place] == sign[0], place + sign.count <= text.count,
                    text[place..<place + sign.count].elementsEqual(sign)
                {
                    found(place..<place + sign.count)
                    place += sign.count
                } else {
                    place += 1
                }
            }
        }
    }
}
