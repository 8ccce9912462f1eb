/// A map from byte strings to dense numbers: the first key inserted is 0, the next 1, and so on.
///
/// Looking up copies nothing, which a `[String: Int]` cannot do for a piece of a text; and it compares bytes, where
/// `String` holds differently coded but canonically equal texts to be one.
struct ByteTable: Sendable {
    /// What the hash depends on beside the key. Drawn anew in each process: whoever knows it can write words that all
    /// fall into one slot, so that each is compared with all before it.
    struct Seed: Sendable, Hashable {
        var start: UInt64
        /// Odd and large, so that every bit of a key counts.
        var factor: UInt64

        static let ofProcess = Seed(
            start: UInt64.random(in: UInt64.min...UInt64.max),
            factor: UInt64.random(in: UInt64.min...UInt64.max) | 0x8000_0000_0000_0001)
    }

    let seed: Seed
    private var arena: [UInt8] = []
    /// Key `i` is `arena[starts[i]..<starts[i + 1]]`.
    private var starts: [Int] = [0]
    /// Open addressing: the upper half of a slot holds bits of the key's hash, the lower half its number plus one.
    private var slots: [UInt64]

    init(minimumCapacity: Int = 0, seed: Seed = .ofProcess) {
        self.seed = seed
        var size = 64
        while size < minimumCapacity * 2 { size *= 2 }
        slots = [UInt64](repeating: 0, count: size)
    }

    var count: Int { starts.count - 1 }

    /// The key with this number.
    subscript(index: Int) -> ArraySlice<UInt8> { arena[starts[index]..<starts[index + 1]] }

    /// Forgets all keys and keeps the room.
    mutating func removeAll() {
        arena.removeAll(keepingCapacity: true)
        starts = [0]
        for slot in slots.indices { slots[slot] = 0 }
    }

    func find(_ key: UnsafeBufferPointer<UInt8>) -> Int? {
        let slot = locate(key, Self.hash(key, seed))
        let content = slots[slot]
        return content == 0 ? nil : Int(content & 0xFFFF_FFFF) - 1
    }

    func find(_ key: some Sequence<UInt8>) -> Int? {
        Array(key).withUnsafeBufferPointer { find($0) }
    }

    /// The key's number, given to it now unless it had one.
    mutating func insert(_ key: UnsafeBufferPointer<UInt8>) -> Int {
        let hash = Self.hash(key, seed)
        let slot = locate(key, hash)
        if slots[slot] != 0 { return Int(slots[slot] & 0xFFFF_FFFF) - 1 }
        let index = count
        arena.append(contentsOf: key)
        starts.append(arena.count)
        slots[slot] = (hash & 0xFFFF_FFFF_0000_0000) | UInt64(index + 1)
        if count * 2 > slots.count { grow() }
        return index
    }

    mutating func insert(_ key: some Sequence<UInt8>) -> Int {
        Array(key).withUnsafeBufferPointer { insert($0) }
    }

    /// The slot of the key, or the free one where it would go.
    private func locate(_ key: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int {
        let mask = slots.count - 1
        let tag = hash & 0xFFFF_FFFF_0000_0000
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let content = slots[slot]
            if content == 0 { return slot }
            if content & 0xFFFF_FFFF_0000_0000 == tag, equals(key, Int(content & 0xFFFF_FFFF) - 1) { return slot }
            slot = (slot + 1) & mask
        }
    }

    private func equals(_ key: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
        let start = starts[index]
        guard starts[index + 1] - start == key.count else { return false }
        return arena.withUnsafeBufferPointer { stored in
            for offset in 0..<key.count where stored[start + offset] != key[offset] { return false }
            return true
        }
    }

    private mutating func grow() {
        slots = [UInt64](repeating: 0, count: slots.count * 2)
        let (mask, seed) = (slots.count - 1, seed)
        arena.withUnsafeBufferPointer { stored in
            for index in 0..<count {
                let hash = Self.hash(
                    UnsafeBufferPointer(rebasing: stored[starts[index]..<starts[index + 1]]), seed)
                var slot = Int(truncatingIfNeeded: hash) & mask
                while slots[slot] != 0 { slot = (slot + 1) & mask }
                slots[slot] = (hash & 0xFFFF_FFFF_0000_0000) | UInt64(index + 1)
            }
        }
    }

    /// Eight bytes a step, multiplied and folded. Nothing that leaves this type depends on its value.
    static func hash(_ key: UnsafeBufferPointer<UInt8>, _ seed: Seed) -> UInt64 {
        var hash = seed.start ^ UInt64(key.count)
        let raw = UnsafeRawBufferPointer(key)
        var offset = 0
        while offset + 8 <= raw.count {
            hash = mix(hash ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self), seed)
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < raw.count {
            rest = rest << 8 | UInt64(raw[offset])
            offset += 1
        }
        return mix(hash ^ rest, seed)
    }

    private static func mix(_ value: UInt64, _ seed: Seed) -> UInt64 {
        let product = value.multipliedFullWidth(by: seed.factor)
        return product.high ^ product.low
    }
}
