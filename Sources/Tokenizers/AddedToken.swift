/// A token that was added to a vocabulary after training: it is found in a text before anything else is done.
struct AddedToken: Sendable {
    var id: Int
    var content: [UInt8]
    /// Only where no letter, digit or `_` touches it.
    var isSingleWord = false
    /// Takes the white space to its left or right with it.
    var stripsLeft = false
    var stripsRight = false
    /// Looked for in the normalized text, normalized itself, instead of in the text as it is.
    var isNormalized = false
    /// A control token: never made from what a person typed, and skipped when decoding.
    var isSpecial: Bool

    /// Whether it is only text that has a token of its own: white space (Gemma's runs of line ends), or one of the characters
    /// that byte-level vocabularies were filled up with (DeepSeek's `ü`). Whoever types one steers nothing.
    var isText: Bool {
        guard !isSpecial else { return false }
        let scalars = String(decoding: content, as: UTF8.self).unicodeScalars
        if scalars.count == 1, let only = scalars.first, only.value < 0x100 { return true }
        return scalars.allSatisfy { ScalarTraits.of($0.value).isSpace }
    }

    private static let mostTokens = 1 << 17
    private static let longestToken = 4096

    /// The `added_tokens` of a file.
    static func read(_ field: JSONField) throws -> [AddedToken] {
        guard !field.isAbsent else { return [] }
        return try field.elements(limit: mostTokens).map { entry in
            let content = try entry["content"].utf8()
            guard content.count <= longestToken else {
                throw entry["content"].fault(.unsupported, "has \(content.count) bytes, more than \(longestToken)")
            }
            return AddedToken(
                id: try entry["id"].int(below: 1 << 24), content: content,
                isSingleWord: try entry["single_word"].bool(default: false),
                stripsLeft: try entry["lstrip"].bool(default: false),
                stripsRight: try entry["rstrip"].bool(default: false),
                isNormalized: try entry["normalized"].bool(default: false),
                isSpecial: try entry["special"].bool())
        }
    }
}

/// Which added tokens of a vocabulary are looked for in a text.
public enum AddedTokenParsing: String, Sendable, CaseIterable {
    /// None: every character of the text is only text.
    case none
    /// Those that are not special: what a person typed can never become `<|im_end|>` or `[SEP]`. This is Hugging Face's
    /// `encode_special_tokens`, and the default everywhere.
    case ordinary
    /// All: for text of our own, such as what a chat template writes.
    case all
}

/// Which added tokens are looked for: what a caller may ask for, and for a part of a prompt those that are only text.
enum AddedTokenSearch: Sendable {
    case none, text, ordinary, all

    init(_ parsing: AddedTokenParsing) {
        switch parsing {
        case .none: self = .none
        case .ordinary: self = .ordinary
        case .all: self = .all
        }
    }

    func finds(_ token: AddedToken) -> Bool {
        switch self {
        case .none: false
        case .text: token.isText
        case .ordinary: !token.isSpecial
        case .all: true
        }
    }
}

/// Finds added tokens in texts.
struct AddedTokens: Sendable {
    let tokens: [AddedToken]
    private let raw: TokenTrie
    private let normalized: TokenTrie
    private let hasOrdinaryRaw: Bool
    private let hasOrdinaryNormalized: Bool
    private let hasTextRaw: Bool
    private let hasTextNormalized: Bool
    /// The place in `tokens` by id, and by content.
    private var placesByID: [Int: Int] = [:]
    private var placesByContent = ByteTable()
    /// What a token's id decodes from: its normalized spelling if it is looked for in that form.
    let spellings: [[UInt8]]

    /// - Parameters:
    ///   - field: `added_tokens`, for errors.
    ///   - vocabulary: the model's tokens, which give an added token its id when they hold it.
    init(
        _ tokens: [AddedToken], _ field: JSONField, _ vocabulary: TokenVocabulary, normalizer: Normalizer?
    ) throws {
        var kept: [AddedToken] = []
        var next = vocabulary.count
        for (number, token) in tokens.enumerated() where !token.content.isEmpty {
            let name = String(decoding: token.content.prefix(64), as: UTF8.self)
            let id = vocabulary.id(of: token.content).map(Int.init) ?? next
            // Hugging Face goes by the vocabulary, then by order, and only warns when the file says otherwise.
            guard id == token.id else {
                throw field.fault(
                    .malformed, "entry \(number): \"\(name)\" has the id \(token.id), but is number \(id)")
            }
            guard placesByContent.insert(token.content) == kept.count else {
                throw field.fault(.malformed, "entry \(number): \"\(name)\" is given twice")
            }
            placesByID[id] = kept.count
            kept.append(token)
            next = max(next, id + 1)
        }
        self.tokens = kept
        let spellings = kept.map { token in
            guard token.isNormalized, let normalizer else { return token.content }
            var text = NormalizedText(bytes: token.content, origin: 0)
            var spare: [UInt8] = []
            normalizer.apply(&text, &spare)
            return text.bytes
        }
        self.spellings = spellings
        func entries(_ isNormalized: Bool) -> [(key: [UInt8], value: Int32)] {
            kept.indices.filter { kept[$0].isNormalized == isNormalized }.map { (spellings[$0], Int32($0)) }
        }
        raw = TokenTrie(entries(false))
        normalized = TokenTrie(entries(true))
        hasOrdinaryRaw = kept.contains { !$0.isNormalized && !$0.isSpecial }
        hasOrdinaryNormalized = kept.contains { $0.isNormalized && !$0.isSpecial }
        hasTextRaw = kept.contains { !$0.isNormalized && $0.isText }
        hasTextNormalized = kept.contains { $0.isNormalized && $0.isText }
    }

    func token(of id: Int) -> AddedToken? { placesByID[id].map { tokens[$0] } }

    func spelling(of id: Int) -> [UInt8]? { placesByID[id].map { spellings[$0] } }

    func id(of content: [UInt8]) -> Int? { placesByContent.find(content).map { tokens[$0].id } }

    /// Cuts a text into added tokens and what lies between, in order; pieces are never empty.
    /// - Parameter inNormalized: looks for those tokens that are looked for in normalized text.
    @inline(__always)
    func split(
        _ text: UnsafeBufferPointer<UInt8>, _ search: AddedTokenSearch, inNormalized: Bool,
        _ body: (_ range: Range<Int>, _ token: Int?) -> Void
    ) {
        let hasAny =
            switch search {
            case .none: false
            case .text: inNormalized ? hasTextNormalized : hasTextRaw
            case .ordinary: inNormalized ? hasOrdinaryNormalized : hasOrdinaryRaw
            case .all: !(inNormalized ? normalized : raw).isEmpty
            }
        guard hasAny else {
            if !text.isEmpty { body(0..<text.count, nil) }
            return
        }
        self.search(text, search, inNormalized ? normalized : raw, body)
    }

    private func search(
        _ text: UnsafeBufferPointer<UInt8>, _ search: AddedTokenSearch, _ trie: TokenTrie,
        _ body: (_ range: Range<Int>, _ token: Int?) -> Void
    ) {
        var done = 0
        var place = 0
        while place < text.count {
            guard trie.begins(with: text[place]), let match = trie.longestMatch(in: text, at: place) else {
                place += 1
                continue
            }
            let token = tokens[Int(match.value)]
            var (start, end) = (place, match.end)
            place = match.end
            // What is passed over is passed over as a whole, as in the reference.
            if !search.finds(token) { continue }
            if token.isSingleWord, !standsAlone(text, start, end) { continue }
            if token.stripsLeft { start = max(spaceStart(text, before: start), done) }
            if token.stripsRight { end = spaceEnd(text, after: end) }
            if done < start { body(done..<start, nil) }
            body(start..<max(end, start), token.id)
            done = end
        }
        if done < text.count { body(done..<text.count, nil) }
    }

    private func standsAlone(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
        func isWord(_ value: UInt32) -> Bool {
            ScalarTraits.of(value).isWord || value == 0x200C || value == 0x200D
        }
        if start > 0, isWord(text.scalar(at: text.scalarStart(before: start)).value) { return false }
        return end == text.count || !isWord(text.scalar(at: end).value)
    }

    private func spaceStart(_ text: UnsafeBufferPointer<UInt8>, before end: Int) -> Int {
        var start = end
        while start > 0 {
            let before = text.scalarStart(before: start)
            guard ScalarTraits.of(text.scalar(at: before).value).isSpace else { break }
            start = before
        }
        return start
    }

    private func spaceEnd(_ text: UnsafeBufferPointer<UInt8>, after start: Int) -> Int {
        var end = start
        while end < text.count {
            let (value, length) = text.scalar(at: end)
            guard ScalarTraits.of(value).isSpace else { break }
            end += length
        }
        return end
    }
}
