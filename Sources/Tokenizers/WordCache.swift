import Synchronization

/// What one encoding call works with: the tokens of words seen before, and room for merging.
///
/// Not for two threads at once; `WordCachePool` lends each to one call at a time.
final class WordCache: @unchecked Sendable {
    /// Words kept; when full the cache starts anew, so hostile text costs speed and never memory.
    private static let capacity = 1 << 16
    /// Longer words are rare and not worth the room.
    private static let longestWord = 64

    private var words = ByteTable(minimumCapacity: 4096)
    /// Tokens of word `i` are `tokens[starts[i]..<starts[i + 1]]`.
    private var starts: [Int] = [0]
    private var tokens: [Int32] = []
    private var merger = WordMerger()
    private var scratch: [Int32] = []

    /// Appends the tokens of one word to `output`.
    func encode(
        _ word: UnsafeBufferPointer<UInt8>, byteIDs: [Int32], merges: PairTable, into output: inout [Int]
    ) {
        if word.count <= Self.longestWord {
            if words.count >= Self.capacity {
                words.removeAll()
                starts = [0]
                tokens.removeAll(keepingCapacity: true)
            }
            let index = words.insert(word)
            if index + 1 == starts.count {
                merger.merge(word, byteIDs: byteIDs, merges: merges, into: &tokens)
                starts.append(tokens.count)
            }
            for place in starts[index]..<starts[index + 1] { output.append(Int(tokens[place])) }
        } else {
            scratch.removeAll(keepingCapacity: true)
            merger.merge(word, byteIDs: byteIDs, merges: merges, into: &scratch)
            for token in scratch { output.append(Int(token)) }
        }
    }
}

/// Caches that are not in use. Each call takes one and brings it back, so calls never wait for one another.
final class WordCachePool: Sendable {
    private let idle = Mutex<[WordCache]>([])

    func lend<R>(_ body: (WordCache) -> R) -> R {
        let cache = idle.withLock { $0.popLast() } ?? WordCache()
        defer { idle.withLock { $0.append(cache) } }
        return body(cache)
    }
}
