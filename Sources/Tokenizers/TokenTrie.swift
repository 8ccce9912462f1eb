/// Byte strings with a number each, for finding those that begin at a place of a text.
///
/// Children of a node lie side by side in the order of their bytes, so a node is two numbers and a byte; a vocabulary of
/// 250,000 tokens takes about 10 MB.
struct TokenTrie: Sendable {
    /// Where a node's children begin; they end where those of the next node begin.
    private var firstChild: [Int32] = []
    private var labels: [UInt8] = []
    /// The number of the string that ends at a node; −1 for none.
    private var values: [Int32] = []
    /// The children of the root by byte, as most searches end there; 0 for none.
    private var rootChildren = [Int32](repeating: 0, count: 256)

    /// - Parameter entries: of equal strings the last counts; an empty string is never found.
    init(_ entries: [(key: [UInt8], value: Int32)]) {
        // Most comparisons are decided by the first eight bytes.
        let heads = entries.map { entry in
            (0..<8).reduce(UInt64(0)) { $0 << 8 | ($1 < entry.key.count ? UInt64(entry.key[$1]) : 0) }
        }
        let order = entries.indices.sorted { a, b in
            if heads[a] != heads[b] { return heads[a] < heads[b] }
            if entries[a].key == entries[b].key { return a < b }
            return entries[a].key.lexicographicallyPrecedes(entries[b].key)
        }
        // Breadth first: nodes `0..<labels.count`, each standing for a range of the sorted strings.
        var ranges: [Range<Int>] = [order.indices]
        var depths: [Int] = [0]
        labels.append(0)
        var node = 0
        while node < ranges.count {
            let depth = depths[node]
            var place = ranges[node].lowerBound
            let end = ranges[node].upperBound
            var value: Int32 = -1
            while place < end, entries[order[place]].key.count == depth {
                value = entries[order[place]].value
                place += 1
            }
            values.append(depth == 0 ? -1 : value)
            firstChild.append(Int32(ranges.count))
            while place < end {
                let label = entries[order[place]].key[depth]
                var stop = place + 1
                while stop < end, entries[order[stop]].key[depth] == label { stop += 1 }
                if node == 0 { rootChildren[Int(label)] = Int32(ranges.count) }
                ranges.append(place..<stop)
                depths.append(depth + 1)
                labels.append(label)
                place = stop
            }
            node += 1
        }
        firstChild.append(Int32(ranges.count))
    }

    var isEmpty: Bool { labels.count == 1 }

    /// Calls `body` with the end and number of every string that begins at `start`, the shortest first.
    @inline(__always)
    func forEachMatch(
        in bytes: UnsafeBufferPointer<UInt8>, at start: Int, _ body: (_ end: Int, _ value: Int32) -> Void
    ) {
        guard start < bytes.count else { return }
        var node = Int(rootChildren[Int(bytes[start])])
        var end = start
        while node != 0 {
            end += 1
            if values[node] >= 0 { body(end, values[node]) }
            guard end < bytes.count else { return }
            node = child(of: node, bytes[end])
        }
    }

    /// The longest string that begins at `start`.
    func longestMatch(in bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> (end: Int, value: Int32)? {
        var found: (end: Int, value: Int32)?
        forEachMatch(in: bytes, at: start) { found = ($0, $1) }
        return found
    }

    /// Whether any string begins with this byte.
    func begins(with byte: UInt8) -> Bool { rootChildren[Int(byte)] != 0 }

    @inline(__always)
    private func child(of node: Int, _ label: UInt8) -> Int {
        var low = Int(firstChild[node])
        var high = Int(firstChild[node + 1])
        while high - low > 8 {
            let middle = (low + high) / 2
            if labels[middle] <= label { low = middle } else { high = middle }
        }
        while low < high {
            if labels[low] == label { return low }
            low += 1
        }
        return 0
    }
}
