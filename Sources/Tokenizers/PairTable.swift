/// A map from a pair of ids to a number: the merges when encoding, the pair counts when training.
struct PairTable: Sendable {
    private var keys: [UInt64]
    private var values: [UInt64]
    private(set) var count = 0

    /// No pair of ids: both halves of a real key fit in 31 bits.
    private static let free = UInt64.max

    init(minimumCapacity: Int = 0) {
        var size = 64
        while size < minimumCapacity * 2 { size *= 2 }
        keys = [UInt64](repeating: Self.free, count: size)
        values = [UInt64](repeating: 0, count: size)
    }

    static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    func find(_ key: UInt64) -> UInt64? {
        let slot = locate(key)
        return keys[slot] == Self.free ? nil : values[slot]
    }

    /// The value of `key`; `fresh` is stored first when there was none.
    mutating func find(_ key: UInt64, orInsert fresh: UInt64) -> UInt64 {
        let slot = locate(key)
        if keys[slot] != Self.free { return values[slot] }
        keys[slot] = key
        values[slot] = fresh
        count += 1
        if count * 2 > keys.count { grow() }
        return fresh
    }

    /// Stores a value, in place of the one before if there is one.
    mutating func set(_ key: UInt64, to value: UInt64) {
        _ = find(key, orInsert: value)
        values[locate(key)] = value
    }

    private func locate(_ key: UInt64) -> Int {
        let mask = keys.count - 1
        var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 20) & mask
        while keys[slot] != key && keys[slot] != Self.free { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        let (oldKeys, oldValues) = (keys, values)
        keys = [UInt64](repeating: Self.free, count: oldKeys.count * 2)
        values = [UInt64](repeating: 0, count: oldKeys.count * 2)
        for (key, value) in zip(oldKeys, oldValues) where key != Self.free {
            let slot = locate(key)
            keys[slot] = key
            values[slot] = value
        }
    }
}
