/// Joins the symbols of one word, its bytes or characters, into tokens: always the pair of lowest rank, the leftmost among equals.
///
/// Holds the room that it works in, so that encoding a text allocates next to nothing.
struct WordMerger {
    /// A merge: its place in the order, and the token it makes, packed into one number.
    static func pack(rank: Int, id: Int32) -> UInt64 { UInt64(rank) << 32 | UInt64(UInt32(bitPattern: id)) }
    private static func id(_ packed: UInt64) -> Int32 { Int32(truncatingIfNeeded: packed) }

    private var symbols: [Int32] = []
    private var candidates: [UInt64] = []
    private var next: [Int32] = []
    private var previous: [Int32] = []
    private var queue = PriorityQueue<UInt64>()
    private static let rankMask: UInt64 = 0xFFFF_FFFF_0000_0000

    /// Words up to this long are searched for their best pair from end to end, which is quicker than a queue but takes
    /// time quadratic in the length: a page of one letter must not stop a server.
    private static let shortest = 48

    /// Appends the tokens that a word's bytes merge to.
    mutating func merge(
        _ word: UnsafeBufferPointer<UInt8>, byteIDs: [Int32], merges: PairTable, into output: inout [Int32]
    ) {
        begin()
        for byte in word { symbols.append(byteIDs[Int(byte)]) }
        finish(merges, into: &output)
    }

    /// Forgets the symbols of the last word.
    mutating func begin() { symbols.removeAll(keepingCapacity: true) }

    /// Adds a symbol at the end of the word.
    @inline(__always)
    mutating func append(_ id: Int32) { symbols.append(id) }

    /// Merges the symbols and appends what comes of them to `output`.
    mutating func finish(_ merges: PairTable, into output: inout [Int32]) {
        if symbols.count > 1 {
            if symbols.count <= Self.shortest { scan(merges) } else { work(merges) }
        }
        output.append(contentsOf: symbols)
    }

    /// By looking at every pair each time. `candidates[i]` is the merge of symbols i and i + 1.
    private mutating func scan(_ merges: PairTable) {
        candidates.removeAll(keepingCapacity: true)
        for i in 0..<(symbols.count - 1) {
            candidates.append(merges.find(PairTable.key(symbols[i], symbols[i + 1])) ?? .max)
        }
        while true {
            var best = UInt64.max
            var place = 0
            for i in 0..<candidates.count where candidates[i] < best {
                best = candidates[i]
                place = i
            }
            guard best != .max else { return }
            symbols[place] = Self.id(best)
            symbols.remove(at: place + 1)
            candidates.remove(at: place)
            if place < candidates.count {
                candidates[place] = merges.find(PairTable.key(symbols[place], symbols[place + 1])) ?? .max
            }
            if place > 0 {
                candidates[place - 1] = merges.find(PairTable.key(symbols[place - 1], symbols[place])) ?? .max
            }
        }
    }

    /// By a queue of pairs over a linked list; a pair that has changed since it was queued is passed over.
    ///
    /// The queue holds rank and place of a pair in one number, the rank in the upper half.
    private mutating func work(_ merges: PairTable) {
        let end = symbols.count
        next.removeAll(keepingCapacity: true)
        previous.removeAll(keepingCapacity: true)
        for i in 0..<end {
            next.append(Int32(i + 1))
            previous.append(Int32(i - 1))
        }
        queue.removeAll()
        for i in 0..<(end - 1) {
            guard let merge = merges.find(PairTable.key(symbols[i], symbols[i + 1])) else { continue }
            queue.push(merge & Self.rankMask | UInt64(i))
        }
        while let top = queue.pop() {
            let left = Int(top & ~Self.rankMask)
            guard symbols[left] >= 0, next[left] < end else { continue }
            let right = Int(next[left])
            guard let merge = merges.find(PairTable.key(symbols[left], symbols[right])),
                merge & Self.rankMask == top & Self.rankMask
            else { continue }
            symbols[left] = Self.id(merge)
            symbols[right] = -1
            let after = Int(next[right])
            next[left] = Int32(after)
            if after < end {
                previous[after] = Int32(left)
                if let merge = merges.find(PairTable.key(symbols[left], symbols[after])) {
                    queue.push(merge & Self.rankMask | UInt64(left))
                }
            }
            let before = Int(previous[left])
            if before >= 0, let merge = merges.find(PairTable.key(symbols[before], symbols[left])) {
                queue.push(merge & Self.rankMask | UInt64(before))
            }
        }
        var count = 0
        for symbol in symbols where symbol >= 0 {
            symbols[count] = symbol
            count += 1
        }
        symbols.removeSubrange(count...)
    }
}
