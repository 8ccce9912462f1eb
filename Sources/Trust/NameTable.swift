/// Names numbered in order of appearance, kept as bytes in one stretch of memory: a million names cost little more than
/// their letters.
public struct NameTable: Sendable {
    private var bytes: [UInt8] = []
    /// Where each name ends.
    private var ends: [Int] = []
    /// Open addressing: the upper half of a slot holds 32 bits of the name's hash, the lower its number plus one; 0 is free.
    private var slots: [UInt64]

    public init() { slots = [UInt64](repeating: 0, count: 64) }

    /// - Parameter names: Repeated names get one number.
    public init(_ names: some Sequence<String>) {
        self.init()
        for name in names { _ = number(adding: name) }
    }

    public var count: Int { ends.count }
    public var indices: Range<Int> { 0..<ends.count }

    public subscript(index: Int) -> String {
        withBytes(of: index) { String(decoding: $0, as: UTF8.self) }
    }

    /// All names as strings, in order of their numbers.
    public var strings: [String] { indices.map { self[$0] } }

    /// The bytes of one name, UTF-8.
    func withBytes<Result>(of index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { all in
            body(UnsafeBufferPointer(rebasing: all[(index == 0 ? 0 : ends[index - 1])..<ends[index]]))
        }
    }

    /// The number of a name, if it is known.
    public func number(of name: String) -> Int? {
        var copy = name
        return copy.withUTF8 { find($0, hash: Self.hash($0)).number }
    }

    /// The number of a name, a new one if it is not known yet.
    public mutating func number(adding name: String) -> Int {
        var copy = name
        return copy.withUTF8 { text in number(adding: text) }
    }

    /// The same for bytes, which must be valid UTF-8.
    mutating func number(adding text: UnsafeBufferPointer<UInt8>) -> Int {
        let hash = Self.hash(text)
        let found = find(text, hash: hash)
        if let number = found.number { return number }
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
        slots[found.slot] = UInt64(hash) << 32 | UInt64(ends.count)
        if ends.count * 4 > slots.count * 3 { grow() }
        return ends.count - 1
    }

    private func find(_ text: UnsafeBufferPointer<UInt8>, hash: UInt32) -> (number: Int?, slot: Int) {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            if UInt32(slots[slot] >> 32) == hash {
                let number = Int(slots[slot] & 0xffff_ffff) - 1
                if withBytes(of: number, { $0.elementsEqual(text) }) { return (number, slot) }
            }
            slot = (slot + 1) & mask
        }
        return (nil, slot)
    }

    private mutating func grow() {
        var larger = [UInt64](repeating: 0, count: slots.count * 2)
        let mask = larger.count - 1
        for entry in slots where entry != 0 {
            var slot = Int(entry >> 32) & mask
            while larger[slot] != 0 { slot = (slot + 1) & mask }
            larger[slot] = entry
        }
        slots = larger
    }

    /// Seeded anew for each process, so that nobody can make up names that all fall together; numbers do not depend on it.
    private static func hash(_ text: UnsafeBufferPointer<UInt8>) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(text))
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }
}
