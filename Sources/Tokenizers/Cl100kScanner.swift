/// Splits UTF-8 text into words as the pattern of OpenAI's cl100k does, which Llama 3 and Qwen took over, by hand:
/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`.
///
/// Every byte of the text is in exactly one word. The text must be valid UTF-8, as a `String`'s is.
struct Cl100kScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let digits: Int
    private let table: [ScalarClass]
    private var offset = 0

    /// - Parameter digits: the longest run of digits that is one word.
    init(_ bytes: UnsafeBufferPointer<UInt8>, digits: Int) {
        self.bytes = bytes
        self.digits = digits
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
        let (kind, length) = classify(at: start)
        switch kind {
        case .letter:
            skip(.letter, from: start + length)
        case .number:
            var end = start + length
            var count = 1
            while count < digits, end < bytes.count {
                let (next, length) = classify(at: end)
                guard next == .number else { break }
                end += length
                count += 1
            }
            offset = end
        case .other:
            // One sign may lead a word.
            let body = start + length
            if body < bytes.count, classify(at: body).0 == .letter {
                skip(.letter, from: body)
            } else {
                signs(from: body)
            }
        case .space:
            let body = start + length
            if first != 0x0D, first != 0x0A, body < bytes.count {
                switch classify(at: body).0 {
                case .letter:
                    skip(.letter, from: body)
                    return start..<offset
                case .other where first == 0x20:
                    signs(from: body)
                    return start..<offset
                default: break
                }
            }
            spaces(from: start)
        }
        return start..<offset
    }

    private mutating func skip(_ kind: ScalarClass, from start: Int) {
        offset = start
        while offset < bytes.count {
            let (next, length) = classify(at: offset)
            guard next == kind else { return }
            offset += length
        }
    }

    /// Signs, with the line ends after them.
    private mutating func signs(from start: Int) {
        skip(.other, from: start)
        while offset < bytes.count, bytes[offset] == 0x0D || bytes[offset] == 0x0A { offset += 1 }
    }

    /// White space up to its last line end; without one, all of it at the end of the text, else all but the last, which
    /// may lead the next word.
    private mutating func spaces(from start: Int) {
        var (end, last, lineEnd) = (start, start, start)
        while end < bytes.count {
            let (next, length) = classify(at: end)
            guard next == .space else { break }
            last = end
            end += length
            if bytes[last] == 0x0D || bytes[last] == 0x0A { lineEnd = end }
        }
        offset = lineEnd > start ? lineEnd : end == bytes.count || last == start ? end : last
    }

    /// The length of a contraction in either case; the long s counts as an s.
    private func contraction(at start: Int) -> Int? {
        guard start + 1 < bytes.count else { return nil }
        switch bytes[start + 1] | 0x20 {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return 2
        case let first:
            guard start + 2 < bytes.count else { return nil }
            if bytes[start + 1] == 0xC5, bytes[start + 2] == 0xBF { return 3 }
            switch (first, bytes[start + 2] | 0x20) {
            case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
                (UInt8(ascii: "l"), UInt8(ascii: "l")):
                return 3
            default: return nil
            }
        }
    }

    /// The kind of the scalar that begins at `start`, and its length in bytes.
    @inline(__always)
    private func classify(at start: Int) -> (ScalarClass, Int) {
        let (value, length) = bytes.scalar(at: start)
        if value < 0x10000 { return (table[Int(value)], length) }
        return (Unicode.Scalar(value).map(ScalarClass.init) ?? .other, length)
    }
}
