/// Byte-pair encoding as `tokenizer.json` has it: words become characters, or bytes, and these are merged in the order
/// that was learned (Sennrich et al. 2016).
struct BPEModel: Sendable {
    let vocabulary: TokenVocabulary
    private let merges: PairTable
    private let isWholeWordFirst: Bool

    /// The ids of the 256 bytes when words come as plain bytes, which spares GPT-2's alphabet; else empty.
    private var byteIDs: [Int32] = []
    /// The words that are tokens by their plain bytes, for `ignore_merges`.
    private var wholeWords = ByteTable()
    private var wholeWordIDs: [Int32] = []

    private let unknown: Int32?
    private let fusesUnknown: Bool
    /// The ids of `<0x00>` to `<0xFF>`, −1 where there is none; empty without byte fallback.
    private let fallback: [Int32]
    private let prefix: [UInt8]
    private let suffix: [UInt8]
    /// The ids of single characters below 65,536; −1 where there is none.
    private let characters: [Int32]
    /// Neighbours that some merge joins, as pairs of scalars. Between any others a word can be cut, since no merge
    /// reaches across. `nil` when that cannot be said.
    private let neighbours: PairTable?

    /// - Parameter takesBytes: words are plain bytes, for the vocabulary spells tokens in GPT-2's alphabet and a
    ///   pre-tokenizer turns bytes into it last.
    init(_ model: JSONField, takesBytes: Bool) throws {
        if !model["dropout"].isAbsent, try model["dropout"].double() > 0 {
            throw model["dropout"].fault(.unsupported, "leaving out merges at random is not supported")
        }
        let prefix = model["continuing_subword_prefix"].isAbsent ? [] : try model["continuing_subword_prefix"].utf8()
        let vocabulary = try TokenVocabulary(object: model["vocab"])
        var unknown: Int32?
        if !model["unk_token"].isAbsent {
            let spelling = try model["unk_token"].utf8()
            unknown = vocabulary.id(of: spelling)
            // Old files name an empty token where they have none.
            guard unknown != nil || spelling.isEmpty else {
                throw model["unk_token"].fault(
                    .missingToken, "\"\(String(decoding: spelling, as: UTF8.self))\" is not in the vocabulary")
            }
        }
        self.init(
            vocabulary: vocabulary,
            merges: try BPEMerges.read(model["merges"], vocabulary, prefixLength: prefix.count), takesBytes: takesBytes,
            isWholeWordFirst: try model["ignore_merges"].bool(default: false), unknown: unknown,
            fusesUnknown: try model["fuse_unk"].bool(default: false),
            fallback: try model["byte_fallback"].bool(default: false) ? ByteFallback.ids(in: vocabulary) : [],
            prefix: prefix, suffix: model["end_of_word_suffix"].isAbsent ? [] : try model["end_of_word_suffix"].utf8())
    }

    init(
        vocabulary: TokenVocabulary, merges list: [BPEMerge], takesBytes: Bool, isWholeWordFirst: Bool = false,
        unknown: Int32? = nil, fusesUnknown: Bool = false, fallback: [Int32] = [], prefix: [UInt8] = [],
        suffix: [UInt8] = []
    ) {
        self.vocabulary = vocabulary
        self.isWholeWordFirst = isWholeWordFirst
        self.unknown = unknown
        self.fusesUnknown = fusesUnknown
        self.fallback = fallback
        self.prefix = prefix
        self.suffix = suffix
        // Of equal pairs the last counts.
        var merges = PairTable(minimumCapacity: list.count)
        for (rank, merge) in list.enumerated() {
            merges.set(PairTable.key(merge.left, merge.right), to: WordMerger.pack(rank: rank, id: merge.id))
        }
        self.merges = merges
        var characters = [Int32](repeating: -1, count: 0x10000)
        for value in 0..<UInt32(0x10000) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            characters[Int(value)] = vocabulary.id(of: UTF8.encode(scalar)!) ?? -1
        }
        self.characters = characters
        let isBytes = takesBytes && prefix.isEmpty && suffix.isEmpty && fallback.isEmpty
        neighbours =
            prefix.isEmpty && suffix.isEmpty && !isWholeWordFirst && !isBytes
            ? Self.neighbours(list, vocabulary, apart: fallback + [unknown ?? -1]) : nil
        if isBytes { useBytes() }
    }

    /// True when words are to be given as plain bytes, not in GPT-2's alphabet.
    var takesBytes: Bool { !byteIDs.isEmpty }

    /// Prepares for words of plain bytes; not possible when a byte has no token.
    private mutating func useBytes() {
        let ids = ByteAlphabet.scalars.map { characters[Int($0.value)] }
        guard !ids.contains(-1) else { return }
        byteIDs = ids
        guard isWholeWordFirst else { return }
        wholeWords = ByteTable(minimumCapacity: vocabulary.count)
        vocabulary.forEachToken { spelling, id in
            guard let bytes = ByteAlphabet.bytes(of: String(decoding: spelling, as: UTF8.self)) else { return }
            if wholeWords.insert(bytes) == wholeWordIDs.count { wholeWordIDs.append(id) }
        }
    }

    /// - Parameter apart: tokens that stand for other text than they spell; merging one rules the table out.
    private static func neighbours(
        _ merges: [BPEMerge], _ vocabulary: TokenVocabulary, apart: [Int32]
    ) -> PairTable? {
        let apart = Set(apart)
        var pairs = PairTable(minimumCapacity: 1 << 14)
        for merge in merges {
            if apart.contains(merge.left) || apart.contains(merge.right) { return nil }
            guard let spelling = vocabulary.spelling(of: Int(merge.id)) else { return nil }
            spelling.withUnsafeBufferPointer { text in
                var (last, place) = text.scalar(at: 0)
                while place < text.count {
                    let (value, length) = text.scalar(at: place)
                    _ = pairs.find(PairTable.key(Int32(last), Int32(value)), orInsert: 1)
                    last = value
                    place += length
                }
            }
        }
        return pairs
    }

    /// Appends the ids of a word.
    func encode(_ word: UnsafeBufferPointer<UInt8>, _ workspace: Workspace, into ids: inout [Int]) {
        if takesBytes {
            workspace.cache.append(word, to: &ids) { word, tokens in
                if isWholeWordFirst, let place = wholeWords.find(word) { return tokens.append(wholeWordIDs[place]) }
                workspace.merger.merge(word, byteIDs: byteIDs, merges: merges, into: &tokens)
            }
        } else if let neighbours {
            var start = 0
            while start < word.count {
                let end = cut(word, from: start, neighbours)
                workspace.cache.append(UnsafeBufferPointer(rebasing: word[start..<end]), to: &ids) {
                    merge($0, workspace, into: &$1)
                }
                start = end
            }
        } else {
            workspace.cache.append(word, to: &ids) { word, tokens in
                if isWholeWordFirst, let id = vocabulary.id(of: word) { return tokens.append(id) }
                merge(word, workspace, into: &tokens)
            }
        }
    }

    /// Where a word that begins at `start` can be cut next.
    @inline(__always)
    private func cut(_ word: UnsafeBufferPointer<UInt8>, from start: Int, _ neighbours: PairTable) -> Int {
        var (last, place) = word.scalar(at: start)
        place += start
        while place < word.count {
            let (value, length) = word.scalar(at: place)
            // What is unknown may be fused with what follows.
            if neighbours.find(PairTable.key(Int32(last), Int32(value))) == nil, id(of: last) >= 0 { return place }
            last = value
            place += length
        }
        return place
    }

    /// The id of a single character; −1 for none.
    @inline(__always)
    private func id(of value: UInt32) -> Int32 {
        if value < 0x10000 { return characters[Int(value)] }
        return vocabulary.id(of: UTF8.encode(Unicode.Scalar(value)!)!) ?? -1
    }

    /// Appends the ids that the characters of a word merge to.
    private func merge(_ word: UnsafeBufferPointer<UInt8>, _ workspace: Workspace, into ids: inout [Int32]) {
        workspace.merger.begin()
        var isPending = false
        var place = 0
        while place < word.count {
            let (value, length) = word.scalar(at: place)
            let symbol = symbol(value, isFirst: place == 0, isLast: place + length == word.count)
            if symbol.id >= 0 {
                if isPending, let unknown { workspace.merger.append(unknown) }
                isPending = false
                workspace.merger.append(symbol.id)
            } else if !fallback.isEmpty, symbol.bytes.allSatisfy({ fallback[Int($0)] >= 0 }) {
                // An unknown character before is added only after these bytes: that is what models were trained with.
                for byte in symbol.bytes { workspace.merger.append(fallback[Int(byte)]) }
            } else if let unknown {
                if isPending, !fusesUnknown { workspace.merger.append(unknown) }
                isPending = true
            }
            place += length
        }
        if isPending, let unknown { workspace.merger.append(unknown) }
        workspace.merger.finish(merges, into: &ids)
    }

    /// The token that a character begins as, or its bytes.
    @inline(__always)
    private func symbol(_ value: UInt32, isFirst: Bool, isLast: Bool) -> (id: Int32, bytes: [UInt8]) {
        let isMarked = (!isFirst && !prefix.isEmpty) || (isLast && !suffix.isEmpty)
        if !isMarked {
            let id = id(of: value)
            if id >= 0 { return (id, []) }
        }
        var bytes = isFirst ? [] : prefix
        bytes.append(scalar: value)
        if isLast { bytes += suffix }
        return (isMarked ? vocabulary.id(of: bytes) ?? -1 : -1, bytes)
    }
}

/// Tokens for single bytes, spelled `<0x00>` to `<0xFF>`, which stand in for characters that have none.
enum ByteFallback {
    /// The ids of the 256 tokens; −1 for those that the vocabulary lacks.
    static func ids(in vocabulary: TokenVocabulary) -> [Int32] {
        (UInt8.min...UInt8.max).map { vocabulary.id(of: spelling(of: $0)) ?? -1 }
    }

    static func spelling(of byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return Array("<0x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)], UInt8(ascii: ">")]
    }

    /// The byte that a token stands for; `nil` when it is another token. Digits in lower case count, and so does a sign.
    static func byte(of token: some Collection<UInt8>) -> UInt8? {
        let token = Array(token)
        guard token.count == 6, token.starts(with: Array("<0x".utf8)), token[5] == UInt8(ascii: ">") else { return nil }
        return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
    }
}
