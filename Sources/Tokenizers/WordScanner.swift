/// Splits UTF-8 text into words as GPT-2's pattern does, by hand:
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
///
/// Every byte of the text is in exactly one word. The text must be valid UTF-8, as a `String`'s is.
struct WordScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let table: [ScalarClass]
    private var offset = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        table = ScalarClass.table
    }

    /// The next word, or `nil` at the end.
    mutating func next() -> Range<Int>? {
        let start = offset
        guard start < bytes.count else { return nil }
        let first = bytes[start]
        if first == 0x27, let length = contraction(at: start) {
            offset = start + length
            return start..<offset
        }
        // One space may lead a word.
        var body = start
        if first == 0x20 {
            body += 1
            guard body < bytes.count else {
                offset = body
                return start..<body
            }
        }
        let (kind, length) = classify(at: body)
        if kind != .space {
            offset = body + length
            while offset < bytes.count {
                let (next, length) = classify(at: offset)
                guard next == kind else { break }
                offset += length
            }
            return start..<offset
        }
        // White space: all of it at the end of the text, else all but the last, which may lead the next word.
        var last = start
        var end = start
        while end < bytes.count {
            let (next, length) = classify(at: end)
            guard next == .space else { break }
            last = end
            end += length
        }
        offset = end == bytes.count || last == start ? end : last
        return start..<offset
    }

    private func contraction(at start: Int) -> Int? {
        guard start + 1 < bytes.count else { return nil }
        switch bytes[start + 1] {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return 2
        case let first:
            guard start + 2 < bytes.count else { return nil }
            switch (first, bytes[start + 2]) {
            case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
                (UInt8(ascii: "l"), UInt8(ascii: "l")):
                return 3
            default: return nil
            }
        }
    }

    /// The kind of the scalar that begins at `start`, and its length in bytes.
    private func classify(at start: Int) -> (ScalarClass, Int) {
        let first = UInt32(bytes[start])
        if first < 0x80 { return (table[Int(first)], 1) }
        let second = UInt32(bytes[start + 1] & 0x3F)
        if first < 0xE0 { return (table[Int((first & 0x1F) << 6 | second)], 2) }
        let third = UInt32(bytes[start + 2] & 0x3F)
        if first < 0xF0 { return (table[Int((first & 0x0F) << 12 | second << 6 | third)], 3) }
        let value = (first & 0x07) << 18 | second << 12 | third << 6 | UInt32(bytes[start + 3] & 0x3F)
        return (Unicode.Scalar(value).map(ScalarClass.init) ?? .other, 4)
    }
}
