import Foundation

/// The project's one seeded generator: xoshiro256** 1.0 (Blackman and Vigna 2018), its state filled by SplitMix64.
///
/// The same seed gives the same numbers on every platform and in every version. Everything that draws takes one of these,
/// so a run is repeatable from its seed. Not for cryptography.
public struct SeededGenerator: RandomNumberGenerator, Sendable, Hashable, Codable {
    private var s0: UInt64
    private var s1: UInt64
    private var s2: UInt64
    private var s3: UInt64
    /// What sub-streams are derived from; it does not change as numbers are drawn.
    private let origin: UInt64

    /// A generator whose stream is fixed by `seed`.
    public init(seed: UInt64) {
        var mixer = SplitMix64(seed)
        s0 = mixer.next()
        s1 = mixer.next()
        s2 = mixer.next()
        s3 = mixer.next()
        origin = seed
    }

    /// For tests against the published outputs, which are given for a raw state.
    init(state: (UInt64, UInt64, UInt64, UInt64)) {
        (s0, s1, s2, s3) = state
        origin = 0
    }

    public mutating func next() -> UInt64 {
        let scrambled = s1 &* 5
        let result = (scrambled << 7 | scrambled >> 57) &* 9
        let shifted = s1 << 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = s3 << 45 | s3 >> 19
        return result
    }

    /// An independent stream for one purpose. It depends on the seed and the label alone, not on how many numbers were
    /// drawn before, so that adding a draw in one place leaves every other place as it was.
    public func fork(_ label: String) -> SeededGenerator {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
        for byte in label.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        var mixer = SplitMix64(origin ^ SplitMix64.mix(hash))
        return SeededGenerator(seed: mixer.next())
    }

    /// An independent stream for one of many, numbered.
    public func fork(_ label: String, _ index: Int) -> SeededGenerator {
        fork("\(label)/\(index)")
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    public mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Uniform in [low, high).
    public mutating func uniform(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * uniform()
    }

    /// Uniform in 0 ..< bound without bias (Lemire 2019). `bound` below 1 gives 0.
    public mutating func index(below bound: Int) -> Int {
        guard bound > 1 else { return 0 }
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold {
                product = next().multipliedFullWidth(by: range)
            }
        }
        return Int(product.high)
    }

    /// True with the given probability.
    public mutating func chance(_ probability: Double) -> Bool {
        uniform() < probability
    }

    /// A draw from the normal distribution (polar method of Marsaglia; one of each pair is used, so no hidden state).
    public mutating func normal(mean: Double = 0, deviation: Double = 1) -> Double {
        while true {
            let u = 2 * uniform() - 1
            let v = 2 * uniform() - 1
            let s = u * u + v * v
            if s > 0, s < 1 {
                return mean + deviation * u * (-2 * log(s) / s).squareRoot()
            }
        }
    }

    /// Puts the elements in random order (Fisher–Yates).
    public mutating func shuffle<Element>(_ array: inout [Element]) {
        guard array.count > 1 else { return }
        for last in stride(from: array.count - 1, to: 0, by: -1) {
            array.swapAt(last, index(below: last + 1))
        }
    }

    /// The elements in random order.
    public mutating func shuffled<Element>(_ array: [Element]) -> [Element] {
        var copy = array
        shuffle(&copy)
        return copy
    }

    /// One element, or `nil` of an empty array.
    public mutating func element<Element>(of array: [Element]) -> Element? {
        array.isEmpty ? nil : array[index(below: array.count)]
    }

    /// An index drawn with probability proportional to its weight; negative and non-finite weights count as 0.
    /// `nil` when no weight is positive.
    public mutating func index(weights: [Double]) -> Int? {
        let total = weights.reduce(0) { $0 + ($1 > 0 && $1.isFinite ? $1 : 0) }
        guard total > 0, total.isFinite else { return nil }
        var left = uniform() * total
        var lastPositive: Int?
        for (index, weight) in weights.enumerated() where weight > 0 && weight.isFinite {
            lastPositive = index
            left -= weight
            if left < 0 { return index }
        }
        return lastPositive
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): turns any seed, also 0, into well-mixed words.
struct SplitMix64 {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    static func mix(_ word: UInt64) -> UInt64 {
        var z = word
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
