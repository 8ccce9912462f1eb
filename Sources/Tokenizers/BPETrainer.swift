/// Learns merges: again and again the pair of neighbours that occurs most often becomes one token.
///
/// Sennrich et al. 2016 on bytes. Counts are kept per distinct word and only changed where a merge happens, with a queue
/// of pairs whose counts are looked up again when they come to the front. Ties go to the pair of smaller ids, so the
/// result depends on nothing but the counts of the words; it equals that of Hugging Face's trainer.
struct BPETrainer {
    private var words = ByteTable(minimumCapacity: 1 << 14)
    private var counts: [Int] = []

    /// Counts the words of a text.
    mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var scanner = WordScanner(bytes)
            while let range = scanner.next() {
                let index = words.insert(UnsafeBufferPointer(rebasing: bytes[range]))
                if index == counts.count { counts.append(1) } else { counts[index] += 1 }
            }
        }
    }

    /// - Parameters:
    ///   - size: ids in all, special tokens and the 256 bytes among them; there are never fewer than those.
    ///   - minimumCount: a pair that occurs less often is not merged.
    func train(size: Int, minimumCount: Int, specialTokens: [String]) -> ByteLevelBPE {
        var tokens: [[UInt8]?] = specialTokens.map { Array($0.utf8) }
        var byteIDs = [Int32](repeating: 0, count: 256)
        for byte in ByteAlphabet.order {
            byteIDs[Int(byte)] = Int32(tokens.count)
            tokens.append([byte])
        }
        // The printable spelling of a special token must not come out of text.
        let reserved = Set(specialTokens.compactMap(ByteAlphabet.bytes(of:)))
        var known = ByteTable(minimumCapacity: size)
        var knownIDs: [Int32] = []
        for (id, bytes) in tokens.enumerated().dropFirst(specialTokens.count) {
            if let bytes, known.insert(bytes) == knownIDs.count { knownIDs.append(Int32(id)) }
        }
        var corpus = Corpus(words: words, counts: counts, byteIDs: byteIDs)
        var merges: [(left: Int32, right: Int32, id: Int32)] = []
        while tokens.count < size, let pair = corpus.mostFrequent(atLeast: max(minimumCount, 1)) {
            let made = (tokens[Int(pair.left)] ?? []) + (tokens[Int(pair.right)] ?? [])
            if reserved.contains(made) { continue }
            let index = known.insert(made)
            if index == knownIDs.count {
                knownIDs.append(Int32(tokens.count))
                tokens.append(made)
            }
            merges.append((pair.left, pair.right, knownIDs[index]))
            corpus.merge(pair, into: knownIDs[index])
        }
        let special = Dictionary(uniqueKeysWithValues: specialTokens.enumerated().map { ($0, $1) })
        return ByteLevelBPE(tokens: tokens, special: special, added: [:], byteIDs: byteIDs, mergeList: merges)
    }
}

/// The distinct words as lists of tokens, with the count of every pair of neighbours and the words that hold it.
private struct Corpus {
    struct Pair {
        let index: Int
        let left: Int32
        let right: Int32
    }

    private struct Candidate: Comparable {
        let count: Int
        let key: UInt64
        let index: Int

        static func < (a: Candidate, b: Candidate) -> Bool {
            a.count != b.count ? a.count > b.count : a.key < b.key
        }
    }

    /// Word `i` is `symbols[starts[i]..<starts[i] + lengths[i]]`; it shrinks in place.
    private var symbols: [Int32] = []
    private var starts: [Int] = []
    private var lengths: [Int] = []
    private let wordCounts: [Int]

    private var indices = PairTable(minimumCapacity: 1 << 14)
    private var keys: [UInt64] = []
    private var counts: [Int] = []
    /// Words that hold a pair, or once did.
    private var places: [[Int32]] = []
    private var queue = PriorityQueue<Candidate>()
    /// Pairs whose count has risen in the present merge, each once: `stamps` says in which merge it rose last.
    private var risen: [Int] = []
    private var stamps: [Int] = []
    private var round = 0

    init(words: ByteTable, counts wordCounts: [Int], byteIDs: [Int32]) {
        self.wordCounts = wordCounts
        for word in 0..<words.count {
            starts.append(symbols.count)
            for byte in words[word] { symbols.append(byteIDs[Int(byte)]) }
            lengths.append(symbols.count - starts[word])
            for place in starts[word]..<max(symbols.count - 1, starts[word]) {
                change(symbols[place], symbols[place + 1], by: wordCounts[word], word: word)
            }
        }
        for index in keys.indices { queue.push(Candidate(count: counts[index], key: keys[index], index: index)) }
        risen.removeAll()
    }

    /// The pair to merge next; `nil` when none occurs often enough.
    mutating func mostFrequent(atLeast minimum: Int) -> Pair? {
        while let top = queue.pop() {
            if counts[top.index] != top.count {  // it has lost occurrences to merges: back to where it now belongs
                if counts[top.index] >= minimum {
                    queue.push(Candidate(count: counts[top.index], key: top.key, index: top.index))
                }
                continue
            }
            guard top.count >= minimum else { return nil }
            return Pair(
                index: top.index, left: Int32(truncatingIfNeeded: top.key >> 32),
                right: Int32(truncatingIfNeeded: top.key))
        }
        return nil
    }

    /// Joins every occurrence of the pair and brings the counts of its neighbours up to date.
    mutating func merge(_ pair: Pair, into id: Int32) {
        round += 1
        let holders = places[pair.index]
        places[pair.index] = []
        for holder in holders {
            let word = Int(holder)
            let (start, count) = (starts[word], wordCounts[word])
            var length = lengths[word]
            var read = 0
            var write = 0
            while read < length {
                let symbol = symbols[start + read]
                guard symbol == pair.left, read + 1 < length, symbols[start + read + 1] == pair.right else {
                    symbols[start + write] = symbol
                    read += 1
                    write += 1
                    continue
                }
                if write > 0 {
                    let before = symbols[start + write - 1]
                    change(before, pair.left, by: -count, word: word)
                    change(before, id, by: count, word: word)
                }
                symbols[start + write] = id
                read += 2
                write += 1
                if read < length {
                    let after = symbols[start + read]
                    change(pair.right, after, by: -count, word: word)
                    change(id, after, by: count, word: word)
                }
            }
            length = write
            lengths[word] = length
        }
        counts[pair.index] = 0
        for index in risen where counts[index] > 0 {
            queue.push(Candidate(count: counts[index], key: keys[index], index: index))
        }
        risen.removeAll(keepingCapacity: true)
    }

    private mutating func change(_ left: Int32, _ right: Int32, by amount: Int, word: Int) {
        let key = PairTable.key(left, right)
        let index = Int(indices.find(key, orInsert: UInt64(keys.count)))
        if index == keys.count {
            keys.append(key)
            counts.append(0)
            places.append([])
            stamps.append(-1)
        }
        counts[index] += amount
        guard amount > 0 else { return }
        if places[index].last != Int32(word) { places[index].append(Int32(word)) }
        if stamps[index] != round {
            stamps[index] = round
            risen.append(index)
        }
    }
}

extension ByteLevelBPE {
    /// Learns a vocabulary from texts.
    ///
    /// Ids: the special tokens in their order, the 256 bytes, then merges by falling frequency. The result depends only
    /// on how often each word occurs, not on the order of the texts.
    /// - Parameters:
    ///   - vocabularySize: ids in all; fewer when the texts run out of pairs, never less than 256 and the special ones.
    ///   - specialTokens: distinct, and not a single character of the printable alphabet of bytes, which would share a
    ///     spelling with a byte; others are passed over.
    ///   - minimumCount: a pair that occurs less often is not worth a token.
    public static func train(
        texts: some Sequence<String>, vocabularySize: Int, specialTokens: [String] = [], minimumCount: Int = 2
    ) -> ByteLevelBPE {
        var trainer = BPETrainer()
        for text in texts { trainer.add(text) }
        var seen: Set<String> = []
        let special = specialTokens.filter { token in
            !token.isEmpty && ByteAlphabet.bytes(of: token)?.count != 1 && seen.insert(token).inserted
        }
        return trainer.train(size: vocabularySize, minimumCount: minimumCount, specialTokens: special)
    }
}
