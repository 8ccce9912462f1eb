/// A small seeded source of randomness, the same on every machine (Steele, Lea and Flood 2014, SplitMix64).
///
/// The simulation keeps its own, so that a log is made again byte for byte from its seed whatever other rooms change.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    /// An independent stream for item `index` of a run: work may then be cut in pieces without changing its outcome.
    public init(seed: UInt64, stream index: Int) {
        var mixer = SplitMix64(seed: seed)
        let base = mixer.next()
        mixer = SplitMix64(seed: base ^ (UInt64(bitPattern: Int64(index)) &* 0x9E37_79B9_7F4A_7C15))
        state = mixer.next()
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// True with probability `p`.
    mutating func chance(_ p: Double) -> Bool {
        unit() < p
    }

    /// Uniform in `0..<count`; `count` must be positive.
    mutating func index(_ count: Int) -> Int {
        Int(next() % UInt64(count))
    }

    /// One element, or `nil` of an empty list.
    mutating func pick<T>(_ items: [T]) -> T? {
        items.isEmpty ? nil : items[index(items.count)]
    }

    /// The elements in random order (Fisher–Yates). Our own, since the order of the standard library's is not promised.
    mutating func shuffled<T>(_ items: [T]) -> [T] {
        var items = items
        for last in stride(from: items.count - 1, to: 0, by: -1) { items.swapAt(last, index(last + 1)) }
        return items
    }

    /// One element drawn in proportion to its weight; `nil` when no weight is positive.
    mutating func pick<T>(weighted items: [(T, Double)]) -> T? {
        let total = items.reduce(0) { $0 + max(0, $1.1) }
        guard total > 0 else { return nil }
        var left = unit() * total
        for (item, weight) in items where weight > 0 {
            left -= weight
            if left < 0 { return item }
        }
        return items.last { $0.1 > 0 }?.0
    }
}
