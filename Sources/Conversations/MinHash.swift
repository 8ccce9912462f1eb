/// Signatures of texts whose equal places estimate how much the texts have in common (Broder 1997): the share of equal
/// places among `count` estimates the Jaccard similarity of the texts' word triples, with a standard error of at most
/// 1 / (2 √count).
public struct MinHash: Sendable {
    /// Numbers of a signature.
    public static let count = 64

    public init() {}

    /// The signature of a text: its lower-case words in threes; a shorter text counts as one piece.
    public func signature(of text: String) -> [UInt32] {
        var least = [UInt32](repeating: .max, count: Self.count)
        var words: [UInt64] = []
        var word = StableHash()
        var isEmpty = true
        func end() {
            if !isEmpty { words.append(word.value) }
            word = StableHash()
            isEmpty = true
        }
        for scalar in text.unicodeScalars {
            if scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
                // Simple lower case is enough: both texts get the same.
                let small = scalar.properties.lowercaseMapping
                for byte in small.utf8 { word.add(CollectionOfOne(byte)) }
                isEmpty = false
            } else if scalar != "'" && scalar != "’" {
                end()
            }
        }
        end()
        let width = min(3, max(1, words.count))
        for start in 0..<max(1, words.count - width + 1) {
            var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
            for value in words.dropFirst(start).prefix(width) { hash = Self.mix(hash ^ value) }
            // One mixing per place: hashes under different salts.
            for place in 0..<Self.count {
                let value = UInt32(truncatingIfNeeded: Self.mix(hash &+ UInt64(place) &* 0xA24B_AED4_963E_E407))
                if value < least[place] { least[place] = value }
            }
        }
        return least
    }

    /// Estimated Jaccard similarity of the texts behind two signatures, 0 to 1.
    public func similarity(_ a: [UInt32], _ b: [UInt32]) -> Double {
        var equal = 0
        for place in 0..<min(a.count, b.count) where a[place] == b[place] { equal += 1 }
        return Double(equal) / Double(Self.count)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Finds texts that are nearly one that came before, by bands of their signatures (locality-sensitive hashing, 16 bands of 4):
/// a pair of similarity s meets in some band with probability 1 − (1 − s⁴)¹⁶, at s = 0.8 in all but 1 of 4,000 cases.
public struct NearDuplicates: Sendable {
    private static let rows = 4
    private let minHash = MinHash()
    /// From this similarity on a text counts as one that was there.
    public let threshold: Double
    private var signatures: [UInt32] = []
    private var bands: [[UInt64: Int32]]

    public init(threshold: Double = 0.8) {
        self.threshold = threshold
        bands = Array(repeating: [:], count: MinHash.count / Self.rows)
    }

    /// Texts taken in so far: those that were new.
    public var count: Int { signatures.count / MinHash.count }

    /// Whether a text with this signature is new; then it is remembered. 256 bytes and 16 entries each.
    public mutating func insert(_ signature: [UInt32]) -> Bool {
        var keys: [UInt64] = []
        for band in bands.indices {
            var hash = StableHash()
            for value in signature[band * Self.rows..<(band + 1) * Self.rows] {
                withUnsafeBytes(of: value) { hash.add($0) }
            }
            keys.append(hash.value)
            if let at = bands[band][hash.value] {
                let start = Int(at) * MinHash.count
                if minHash.similarity(signature, Array(signatures[start..<start + MinHash.count])) >= threshold {
                    return false
                }
            }
        }
        let number = Int32(count)
        signatures.append(contentsOf: signature)
        for (band, key) in keys.enumerated() where bands[band][key] == nil { bands[band][key] = number }
        return true
    }
}
