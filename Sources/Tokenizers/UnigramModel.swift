/// The unigram language model of SentencePiece (Kudo 2018): of all ways to cut a word into tokens the most probable.
struct UnigramModel: Sendable {
    let vocabulary: TokenVocabulary
    private let scores: [Double]
    private let trie: TokenTrie
    private let unknown: Int32
    private let unknownScore: Double
    /// The ids of `<0x00>` to `<0xFF>`; empty without byte fallback.
    private let fallback: [Int32]

    /// How much less probable an unknown character is than the least probable token.
    private static let unknownPenalty = 10.0

    init(_ model: JSONField) throws {
        var scores: [Double] = []
        vocabulary = try TokenVocabulary(scores: model["vocab"]) { scores.append($0) }
        guard !model["unk_id"].isAbsent else {
            throw model["unk_id"].fault(.unsupported, "is missing, so some texts would have no ids")
        }
        let unknown = try model["unk_id"].int()
        guard unknown < scores.count else {
            throw model["unk_id"].fault(.malformed, "\(unknown) is not in the vocabulary")
        }
        self.unknown = Int32(unknown)
        self.scores = scores
        unknownScore = (scores.min() ?? 0) - Self.unknownPenalty
        var entries: [(key: [UInt8], value: Int32)] = []
        entries.reserveCapacity(scores.count)
        vocabulary.forEachToken { entries.append((Array($0), $1)) }
        trie = TokenTrie(entries)
        fallback = try model["byte_fallback"].bool(default: false) ? ByteFallback.ids(in: vocabulary) : []
    }

    /// Appends the ids of a word.
    func encode(_ word: UnsafeBufferPointer<UInt8>, _ workspace: Workspace, into ids: inout [Int]) {
        workspace.cache.append(word, to: &ids) { word, tokens in
            workspace.lattice.begin(word.count)
            fill(&workspace.lattice, word)
            collect(&workspace.lattice, word, &tokens)
        }
    }

    /// The best way to every place of the word, left to right.
    private func fill(_ lattice: inout UnigramLattice, _ word: UnsafeBufferPointer<UInt8>) {
        var start = 0
        while start < word.count {
            let length = word.scalar(at: start).length
            let score = lattice.score(at: start)
            var hasSingle = false
            trie.forEachMatch(in: word, at: start) { end, id in
                lattice.offer(score + scores[Int(id)], id: id, from: start, to: end)
                if end == start + length { hasSingle = true }
            }
            if !hasSingle {
                lattice.offer(score + unknownScore, id: unknown, from: start, to: start + length)
            }
            start += length
        }
    }

    /// Walks the best way back and appends its tokens; unknown characters side by side are one token.
    private func collect(
        _ lattice: inout UnigramLattice, _ word: UnsafeBufferPointer<UInt8>, _ tokens: inout [Int32]
    ) {
        let mark = tokens.count
        var end = word.count
        while end > 0 {
            var (id, start) = lattice.best(at: end)
            if id == unknown {
                while start > 0 {
                    let (before, beginning) = lattice.best(at: start)
                    guard before == unknown else { break }
                    start = beginning
                }
                let text = UnsafeBufferPointer(rebasing: word[start..<end])
                if let known = vocabulary.id(of: text) {
                    tokens.append(known)
                } else if !fallback.isEmpty, text.allSatisfy({ fallback[Int($0)] >= 0 }) {
                    for byte in text.reversed() { tokens.append(fallback[Int(byte)]) }
                } else {
                    tokens.append(unknown)
                }
                id = unknown
            } else {
                tokens.append(id)
            }
            end = start
        }
        tokens[mark...].reverse()
    }
}

/// The best way to each place of a word: its score, its last token, and where that begins.
struct UnigramLattice {
    private struct Node {
        var score: Double
        var id: Int32
        var start: Int32
    }

    private var nodes: [Node] = []

    mutating func begin(_ length: Int) {
        nodes.removeAll(keepingCapacity: true)
        for _ in 0...length { nodes.append(Node(score: 0, id: -1, start: -1)) }
    }

    @inline(__always)
    func score(at place: Int) -> Double { nodes[place].score }

    /// Takes a way when it is the first or better than the one before; of equals the first stays.
    @inline(__always)
    mutating func offer(_ score: Double, id: Int32, from start: Int, to end: Int) {
        if nodes[end].start < 0 || score > nodes[end].score {
            nodes[end] = Node(score: score, id: id, start: Int32(start))
        }
    }

    func best(at place: Int) -> (id: Int32, start: Int) { (nodes[place].id, Int(nodes[place].start)) }
}
