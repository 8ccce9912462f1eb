/// How tokens become text again: the `decoder` of `tokenizer.json`, cut into steps that work on one token after another,
/// so that a text can be shown while it is drawn and comes out the same as when it is decoded at once.
struct TokenDecoder: Sendable {
    /// A step that turns a token into none, one or several; what it holds back comes at the end.
    enum Step: Sendable {
        case replace(TextPattern, with: [UInt8])
        /// Tokens such as `<0xE2>` to bytes; a run of them that is not UTF-8 becomes one U+FFFD for each.
        case byteFallback
        case wordPiece(prefix: [UInt8], cleansUp: Bool)
        case metaspace(sign: [UInt8], dropsFirst: Bool)
        /// A mark that ends words becomes a space, and nothing at the end of the text.
        case suffix([UInt8])
        /// Takes a character from both ends of each token.
        case strip(character: [UInt8], start: Int, stop: Int)
        /// GPT-2's alphabet back to bytes; all tokens become one.
        case byteLevel
        /// All tokens become one.
        case fuse
    }

    /// Between tokens of a file without a decoder.
    let separator: [UInt8]
    let steps: [Step]

    private static let mostSteps = 64

    /// GPT-2's.
    static let byteLevel = TokenDecoder(steps: [.byteLevel])

    /// Whether tokens are only GPT-2's alphabet.
    var isByteLevel: Bool {
        if case .byteLevel? = steps.first { return steps.count == 1 }
        return false
    }

    /// The only step, where that is SentencePiece's sign for spaces.
    var metaspace: (sign: [UInt8], dropsFirst: Bool)? {
        if case .metaspace(let sign, let dropsFirst)? = steps.first, steps.count == 1 { return (sign, dropsFirst) }
        return nil
    }

    /// What a token adds to a text that has begun.
    func bytes(of token: [UInt8]) -> [UInt8] {
        if isByteLevel {
            var bytes: [UInt8] = []
            ByteAlphabet.append(bytesOf: token, to: &bytes)
            return bytes
        }
        for case .byteFallback in steps {
            if let byte = ByteFallback.byte(of: token) { return [byte] }
        }
        // Of a text's first token some decoders take a space away, so another one comes before it.
        var run = DecodingRun(self)
        let before = run.append([0x61])
        return Array((before + run.append(token) + run.finish()).dropFirst())
    }

    private init(steps: [Step]) {
        separator = []
        self.steps = steps
    }

    init(_ field: JSONField) throws {
        guard !field.isAbsent else {
            separator = [0x20]
            steps = []
            return
        }
        separator = []
        steps = try Self.read(field, depth: 0)
        // After all tokens are one, a text can only be followed as far as these can tell without its end.
        if let joint = steps.firstIndex(where: { $0.joins }) {
            for step in steps[(joint + 1)...] {
                switch step {
                case .strip, .fuse: break
                case .replace(let pattern, _) where pattern.literal != nil: break
                default: throw field.fault(.unsupported, "this step after Fuse or ByteLevel is not supported")
                }
            }
        }
        guard steps.count <= Self.mostSteps else { throw field.fault(.unsupported, "has too many steps") }
    }

    private static func read(_ field: JSONField, depth: Int) throws -> [Step] {
        switch try field.type() {
        case "ByteLevel": return [.byteLevel]
        case "Replace": return [.replace(try TextPattern(field["pattern"]), with: try field["content"].utf8())]
        case "ByteFallback": return [.byteFallback]
        case "Fuse": return [.fuse]
        case "WordPiece":
            return [.wordPiece(prefix: try field["prefix"].utf8(), cleansUp: try field["cleanup"].bool())]
        case "Metaspace":
            let metaspace = try Metaspace(field)
            return [.metaspace(sign: metaspace.sign, dropsFirst: metaspace.scheme != .never)]
        case "BPEDecoder":
            let mark = try field["suffix"].utf8()
            guard !mark.isEmpty else { throw field["suffix"].fault(.unsupported, "an empty suffix is not supported") }
            return [.suffix(mark)]
        case "Strip":
            return [
                .strip(
                    character: Array(String(try field["content"].scalar()).utf8),
                    start: try field["start"].int(below: 1025), stop: try field["stop"].int(below: 1025))
            ]
        case "Sequence":
            guard depth < 8 else { throw field.fault(.unsupported, "sequences are nested too deeply") }
            return try field["decoders"].elements(limit: mostSteps).flatMap { try read($0, depth: depth + 1) }
        case let other: throw field.fault(.unsupported, "the decoder \(other) is not supported")
        }
    }
}

extension TokenDecoder.Step {
    /// Whether all tokens become one.
    var joins: Bool {
        switch self {
        case .fuse, .byteLevel: true
        default: false
        }
    }
}

/// A decoder at work on the tokens of one text.
struct DecodingRun: Sendable {
    private let decoder: TokenDecoder
    private var states: [State]
    private var isFirst = true
    private var output: [UInt8] = []

    /// What a step remembers.
    private struct State: Sendable {
        /// Bytes held back: of a run of byte tokens, of a character cut short, or of a possible match.
        var held: [UInt8] = []
        /// No token has come yet; for a joined text, nothing of it.
        var isFirst = true
        /// Characters that may still be stripped from the front of a joined text.
        var left = 0
        var isHolding = false
    }

    init(_ decoder: TokenDecoder) {
        self.decoder = decoder
        states = decoder.steps.map { step in
            var state = State()
            if case .strip(_, let start, _) = step { state.left = start }
            return state
        }
        joint = decoder.steps.firstIndex { $0.joins } ?? decoder.steps.count
    }

    /// The step that joins all tokens.
    private let joint: Int

    /// The bytes that the next token completes.
    mutating func append(_ token: [UInt8]) -> [UInt8] {
        output.removeAll(keepingCapacity: true)
        if !isFirst { output.append(contentsOf: decoder.separator) }
        isFirst = false
        push(token, at: 0)
        return output
    }

    /// What was still held back.
    mutating func finish() -> [UInt8] {
        output.removeAll(keepingCapacity: true)
        for step in decoder.steps.indices { close(step) }
        return output
    }

    /// Gives a token, or after the joint a part of the text, to a step.
    private mutating func push(_ token: [UInt8], at step: Int) {
        guard step < decoder.steps.count else {
            output.append(contentsOf: token)
            return
        }
        let isFirst = states[step].isFirst
        states[step].isFirst = false
        switch decoder.steps[step] {
        case .fuse: push(token, at: step + 1)
        case .byteLevel:
            ByteAlphabet.append(bytesOf: token, to: &states[step].held)
            let held = states[step].held
            let whole = held.count - StreamingDecoder.unfinished(held)
            guard whole > 0 else { return }
            states[step].held.removeFirst(whole)
            push(Array(String(decoding: held[..<whole], as: UTF8.self).utf8), at: step + 1)
        case .replace(let pattern, let content):
            if step > joint, let literal = pattern.literal {
                replaceJoined(token, literal, content, step)
            } else {
                push(pattern.replacing(token, with: content), at: step + 1)
            }
        case .byteFallback:
            if let byte = ByteFallback.byte(of: token) {
                states[step].held.append(byte)
            } else {
                releaseBytes(step)
                push(token, at: step + 1)
            }
        case .wordPiece(let prefix, let cleansUp):
            var text = token
            if !isFirst {
                text = token.starts(with: prefix) ? Array(token.dropFirst(prefix.count)) : [0x20] + token
            }
            push(cleansUp ? WordPieceCleanup.clean(text) : text, at: step + 1)
        case .metaspace(let sign, let dropsFirst):
            var text: [UInt8] = []
            Metaspace.append(token[...], sign, dropsSigns: isFirst && dropsFirst, to: &text)
            push(text, at: step + 1)
        case .suffix(let mark):
            if states[step].isHolding {
                push(Self.replace(mark, in: states[step].held, with: [0x20]), at: step + 1)
            }
            states[step].held = token
            states[step].isHolding = true
        case .strip(let character, let start, let stop):
            if step > joint {
                stripJoined(token, character, stop, step)
            } else {
                push(Self.strip(token, character, start, stop), at: step + 1)
            }
        }
    }

    private mutating func close(_ step: Int) {
        switch decoder.steps[step] {
        case .byteFallback: releaseBytes(step)
        case .byteLevel:
            let held = states[step].held
            if !held.isEmpty { push(Array(String(decoding: held, as: UTF8.self).utf8), at: step + 1) }
        case .suffix(let mark):
            if states[step].isHolding {
                push(Self.replace(mark, in: states[step].held, with: []), at: step + 1)
            }
        case .replace where step > joint:
            if !states[step].held.isEmpty { push(states[step].held, at: step + 1) }
        case .strip(let character, _, let stop) where step > joint:
            // At most `stop` are taken from the end; a run that was held back may be longer.
            let count = states[step].held.count / character.count
            let kept = max(count - stop, 0) * character.count
            if kept > 0 { push(Array(states[step].held[..<kept]), at: step + 1) }
        default: break
        }
        states[step].held.removeAll()
    }

    private static func replace(_ literal: [UInt8], in token: [UInt8], with content: [UInt8]) -> [UInt8] {
        guard let first = token.firstIndex(of: literal[0]) else { return token }
        var result = Array(token[..<first])
        var place = first
        while place < token.count {
            if token[place] == literal[0], token[place...].starts(with: literal) {
                result += content
                place += literal.count
            } else {
                result.append(token[place])
                place += 1
            }
        }
        return result
    }

    private mutating func releaseBytes(_ step: Int) {
        let bytes = states[step].held
        guard !bytes.isEmpty else { return }
        states[step].held.removeAll()
        if String(validating: bytes, as: UTF8.self) != nil {
            push(bytes, at: step + 1)
        } else {
            for _ in bytes { push([0xEF, 0xBF, 0xBD], at: step + 1) }
        }
    }

    private mutating func replaceJoined(_ part: [UInt8], _ literal: [UInt8], _ content: [UInt8], _ step: Int) {
        let text = states[step].held + part
        var result: [UInt8] = []
        var place = 0
        while place < text.count {
            let rest = text[place...]
            if rest.starts(with: literal) {
                result += content
                place += literal.count
            } else if rest.count < literal.count, literal.starts(with: rest) {
                break
            } else {
                result.append(text[place])
                place += 1
            }
        }
        states[step].held = Array(text[place...])
        if !result.isEmpty { push(result, at: step + 1) }
    }

    private mutating func stripJoined(_ part: [UInt8], _ character: [UInt8], _ stop: Int, _ step: Int) {
        var text = (states[step].held + part)[...]
        states[step].held.removeAll()
        while states[step].left > 0, !text.isEmpty {
            if text.starts(with: character) {
                text = text.dropFirst(character.count)
                states[step].left -= 1
            } else {
                states[step].left = 0
            }
        }
        var end = text.endIndex
        if stop > 0 {
            while end - text.startIndex >= character.count,
                text[..<end].suffix(character.count).elementsEqual(character)
            {
                end -= character.count
            }
        }
        states[step].held = Array(text[end...])
        if end > text.startIndex { push(Array(text[..<end]), at: step + 1) }
    }

    private static func strip(_ token: [UInt8], _ character: [UInt8], _ start: Int, _ stop: Int) -> [UInt8] {
        var text = token[...]
        for _ in 0..<start {
            guard text.starts(with: character) else { break }
            text = text.dropFirst(character.count)
        }
        for _ in 0..<stop {
            guard text.count >= character.count, text.suffix(character.count).elementsEqual(character) else { break }
            text = text.dropLast(character.count)
        }
        return Array(text)
    }
}

/// The spaces that BERT's decoder takes out again before punctuation and contractions.
enum WordPieceCleanup {
    private static let rules: [(TextPattern, [UInt8])] = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ].map { (TextPattern(literal: Array($0.0.utf8)), Array($0.1.utf8)) }

    private static let firsts = Array(".?!,'nd".utf8)

    static func clean(_ text: [UInt8]) -> [UInt8] {
        // Only a space before one of these begins any of the rules.
        let isTouched = text.indices.dropLast().contains { place in
            text[place] == 0x20 && firsts.contains(text[place + 1])
        }
        guard isTouched else { return text }
        return rules.reduce(text) { $1.0.replacing($0, with: $1.1) }
    }
}
