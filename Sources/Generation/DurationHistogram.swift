/// How long something took, counted in buckets that double: small enough to keep for as long as a process lives.
public struct DurationHistogram: Sendable, Hashable {
    /// Upper ends of the buckets in seconds, from one millisecond to over a minute.
    public static let bounds: [Double] = (0...17).map { 0.001 * Double(1 << $0) }

    /// How many fell into each bucket alone; beyond the last bound at the end.
    public private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
    /// Of all of them, in seconds.
    public private(set) var sum = 0.0

    public init() {}

    public mutating func add(_ duration: Duration) {
        let parts = duration.components
        let seconds = max(Double(parts.seconds) + Double(parts.attoseconds) / 1e18, 0)
        counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        sum += seconds
    }
}
