/// Puts documents of different lengths into rows of one length, so that little is spent on padding.
///
/// First fit decreasing: longest first, each into the first row with room; at most 11/9 of the best number of rows plus one
/// (Johnson 1973). Deterministic: equal lengths keep their order.
public enum Packing {
    /// Rows as lists of document numbers.
    /// - Parameters:
    ///   - lengths: Tokens per document.
    ///   - capacity: Tokens per row.
    /// - Throws: `TrainingError` naming the first document that is empty or does not fit a row.
    public static func rows(lengths: [Int], capacity: Int) throws -> [[Int]] {
        guard capacity > 0 else { throw TrainingError(.options, "rows of \(capacity) tokens hold nothing") }
        if let odd = lengths.firstIndex(where: { $0 < 1 || $0 > capacity }) {
            throw TrainingError(.data, "document \(odd) has \(lengths[odd]) tokens, a row holds 1 to \(capacity)")
        }
        let order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
        var tree = RoomTree(count: lengths.count, capacity: capacity)
        var rows: [[Int]] = []
        for document in order {
            let row = tree.take(lengths[document])
            if row == rows.count { rows.append([]) }
            rows[row].append(document)
        }
        return rows
    }

    /// Share of the rows' tokens that documents fill, from 0 to 1.
    public static func fill(rows: [[Int]], lengths: [Int], capacity: Int) -> Double {
        guard !rows.isEmpty else { return 0 }
        let used = rows.joined().reduce(0) { $0 + lengths[$1] }
        return Double(used) / Double(rows.count * capacity)
    }
}

/// Room left per row in a tournament tree: the first row with enough room is found in logarithmic time.
private struct RoomTree {
    private var largest: [Int]
    private let leaves: Int

    init(count: Int, capacity: Int) {
        var leaves = 1
        while leaves < count { leaves *= 2 }
        self.leaves = leaves
        largest = [Int](repeating: capacity, count: 2 * leaves)
    }

    /// Takes `length` from the first row that has it and says which row that is. There are as many rows as documents, so
    /// there always is one.
    mutating func take(_ length: Int) -> Int {
        var node = 1
        while node < leaves { node = largest[2 * node] >= length ? 2 * node : 2 * node + 1 }
        let row = node - leaves
        largest[node] -= length
        while node > 1 {
            node /= 2
            largest[node] = max(largest[2 * node], largest[2 * node + 1])
        }
        return row
    }
}
