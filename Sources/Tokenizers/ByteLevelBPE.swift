/// Byte-level byte-pair encoding as in GPT-2: every text has ids, and every list of ids made from a text gives it back
/// byte for byte.
///
/// Read from and written to Hugging Face `tokenizer.json` (see `init(contentsOf:)`, `save(to:)`); trained by
/// `train(texts:vocabularySize:specialTokens:)`. Copies share one cache of words; calls from many tasks do not wait for
/// each other.
public struct ByteLevelBPE: Tokenizer {
    /// Tokens that no text can become, by id: pad, end, and the like.
    public let specialTokens: [Int: String]
    public let vocabularySize: Int
    /// The merges in order, as pairs of ids.
    let mergeList: [(left: Int32, right: Int32)]
    /// The bytes of token `i` are `arena[starts[i]..<starts[i + 1]]`; empty for an id that the file leaves out.
    private let arena: [UInt8]
    private let starts: [Int]
    private let specialIDs: [String: Int]
    /// The spellings of all added tokens.
    private let spellings: TokenTrie
    /// Added tokens that are not special: never made from text either, but shown when decoded.
    let addedTokens: [Int: String]
    private let ordinary: ByteTable
    private let ordinaryIDs: [Int32]
    private let byteIDs: [Int32]
    private let merges: PairTable
    private let pool = WorkspacePool()

    /// - Parameters:
    ///   - tokens: bytes by id; `nil` where there is no such id.
    ///   - special: spelling of each special token, whose bytes in `tokens` are ignored.
    ///   - added: likewise of the other added tokens.
    ///   - byteIDs: the id of each of the 256 bytes.
    ///   - mergeList: pairs in order with the id of what they make, which must not be a special or added token.
    init(
        tokens: [[UInt8]?], special: [Int: String], added: [Int: String], byteIDs: [Int32],
        mergeList: [(left: Int32, right: Int32, id: Int32)]
    ) {
        var arena: [UInt8] = []
        var starts = [0]
        var ordinary = ByteTable(minimumCapacity: tokens.count)
        var ordinaryIDs: [Int32] = []
        for (id, bytes) in tokens.enumerated() {
            if let text = special[id] ?? added[id] {
                arena.append(contentsOf: text.utf8)
            } else if let bytes {
                arena.append(contentsOf: bytes)
                if ordinary.insert(bytes) == ordinaryIDs.count { ordinaryIDs.append(Int32(id)) }
            }
            starts.append(arena.count)
        }
        var merges = PairTable(minimumCapacity: mergeList.count)
        for (rank, merge) in mergeList.enumerated() {
            _ = merges.find(
                PairTable.key(merge.left, merge.right), orInsert: WordMerger.pack(rank: rank, id: merge.id))
        }
        self.arena = arena
        self.starts = starts
        self.ordinary = ordinary
        self.ordinaryIDs = ordinaryIDs
        self.merges = merges
        self.byteIDs = byteIDs
        self.mergeList = mergeList.map { ($0.left, $0.right) }
        specialTokens = special
        addedTokens = added
        vocabularySize = tokens.count
        spellings = TokenTrie(
            special.merging(added) { first, _ in first }.map { (Array($1.utf8), Int32($0)) })
        specialIDs = Dictionary(special.merging(added) { first, _ in first }.map { ($1, $0) }, uniquingKeysWith: min)
    }

    /// With `parsing` other than `all` no added token is found, be it special or not.
    public func encode(_ text: String, parsing: AddedTokenParsing) -> [Int] {
        var text = text
        return text.withUTF8 { bytes in
            guard parsing == .all else { return encode(bytes) }
            var ids: [Int] = []
            var (done, place) = (0, 0)
            while place < bytes.count {
                guard let match = spellings.longestMatch(in: bytes, at: place) else {
                    place += 1
                    continue
                }
                ids += encode(UnsafeBufferPointer(rebasing: bytes[done..<place]))
                ids.append(Int(match.value))
                (done, place) = (match.end, match.end)
            }
            return ids + encode(UnsafeBufferPointer(rebasing: bytes[done...]))
        }
    }

    private func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> [Int] {
        var ids: [Int] = []
        ids.reserveCapacity(bytes.count / 3 + 1)
        pool.lend { workspace in
            var scanner = WordScanner(bytes)
            while let word = scanner.next() {
                workspace.cache.append(UnsafeBufferPointer(rebasing: bytes[word]), to: &ids) { word, tokens in
                    workspace.merger.merge(word, byteIDs: byteIDs, merges: merges, into: &tokens)
                }
            }
        }
        return ids
    }

    /// The text of the ids. Bytes that are not UTF-8, which only ids not made from a text can give, become U+FFFD.
    public func decode(_ ids: [Int]) -> String {
        var bytes: [UInt8] = []
        for id in ids { bytes.append(contentsOf: self.bytes(of: id)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The bytes that an id adds to a text: none for special tokens and unknown ids.
    public func bytes(of id: Int) -> ArraySlice<UInt8> {
        guard id >= 0, id < vocabularySize, specialTokens[id] == nil else { return [] }
        return arena[starts[id]..<starts[id + 1]]
    }

    /// The id of a token in the vocabulary's spelling: a special token as it is, others in GPT-2's printable alphabet,
    /// where a space is `Ġ`.
    public func id(of token: String) -> Int? {
        if let id = specialIDs[token] { return id }
        return ByteAlphabet.bytes(of: token).flatMap { ordinary.find($0) }.map { Int(ordinaryIDs[$0]) }
    }

    public func token(of id: Int) -> String? {
        if let text = specialTokens[id] ?? addedTokens[id] { return text }
        guard id >= 0, id < vocabularySize, starts[id] < starts[id + 1] else { return nil }
        return ByteAlphabet.text(of: arena[starts[id]..<starts[id + 1]])
    }

    /// A decoder for ids that come one at a time.
    public func streamingDecoder() -> StreamingDecoder { StreamingDecoder { bytes(of: $0) } }
}
