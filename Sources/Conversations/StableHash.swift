/// A hash that is the same on every machine and in every run: FNV-1a over 64 bits, its bits then mixed (the finalizer of
/// SplitMix64), since FNV alone leaves short texts close together.
///
/// For ids and splits; it keeps no secret.
public struct StableHash: Sendable {
    private var state: UInt64

    /// Hashes under different salts have nothing to do with each other.
    public init(salt: String = "") {
        state = 0xCBF2_9CE4_8422_2325
        if !salt.isEmpty {
            add(salt)
            // 0xFF never occurs in UTF-8: "ab" + "c" and "a" + "bc" stay apart.
            add(CollectionOfOne(0xFF))
        }
    }

    public mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            state = (state ^ UInt64(byte)) &* 0x100_0000_01B3
        }
    }

    public mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add($0) }
    }

    public var value: UInt64 {
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// 32 hexadecimal digits from two hashes of the same bytes under different salts: an id for a record that has none.
    public static func identifier(of bytes: some Collection<UInt8>) -> String {
        ["id-1", "id-2"].map { salt in
            var hash = StableHash(salt: salt)
            hash.add(bytes)
            let digits = String(hash.value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
