/// A row of digits that could be a telephone number, with how it is written.
struct PhoneShape {
    /// Places among the tokens, inclusive.
    var first: Int
    var last: Int
    var groups: [Int] = []
    var digits: [UInt8] = []
    var hasPlus = false
    var hasBrackets = false
    var hasExtension = false
    /// The signs between groups; a space counts.
    var separators: Set<UInt8> = []

    private static let x = FoldedHash("x").value
    private static let extensions = Set(["x", "ext", "extension"].map { FoldedHash($0).value })

    /// Reads the row that begins at `index` with `+`, `(` or a digit; `nil` when there is none of 7 to 15 digits.
    init?(_ text: ScannedText, at index: Int) {
        let tokens = text.tokens
        first = index
        last = index
        var i = index
        if text.isSign(i, "+") {
            hasPlus = true
            i += 1
            guard i < tokens.count, tokens[i].isJoined else { return nil }
        }
        var open = false
        var separator: UInt8?
        while i < tokens.count, i - index < 24 {
            let token = tokens[i]
            if i > index, token.startsLine { break }
            if token.kind == .number {
                guard digits.count + token.length <= 15 else {
                    // More digits than any telephone has: not the beginning of one.
                    if token.isJoined || groups.isEmpty { return nil }
                    break
                }
                if !groups.isEmpty { separators.insert(separator ?? UInt8(ascii: " ")) }
                groups.append(token.length)
                for digit in text.digits(i) { digits.append(digit - 0x30) }
                last = i
                separator = nil
                i += 1
            } else if let sign = text.sign(i) {
                switch sign {
                case UInt8(ascii: "("):
                    guard !open, groups.count <= 1, i + 1 < tokens.count, tokens[i + 1].kind == .number else {
                        i = tokens.count
                        continue
                    }
                    open = true
                    hasBrackets = true
                    i += 1
                case UInt8(ascii: ")"):
                    guard open else {
                        i = tokens.count
                        continue
                    }
                    open = false
                    last = i
                    i += 1
                case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"):
                    guard !groups.isEmpty, separator == nil, i + 1 < tokens.count,
                        tokens[i + 1].kind == .number || text.isSign(i + 1, "("), !tokens[i + 1].startsLine,
                        token.isJoined == tokens[i + 1].isJoined
                    else {
                        i = tokens.count
                        continue
                    }
                    separator = sign
                    i += 1
                default: i = tokens.count
                }
            } else {
                break
            }
        }
        guard !open, (7...15).contains(digits.count) else { return nil }
        readExtension(text)
    }

    private mutating func readExtension(_ text: ScannedText) {
        let tokens = text.tokens
        var i = last + 1
        if text.isSign(i, ",") { i += 1 }
        guard i < tokens.count, tokens[i].kind == .word, Self.extensions.contains(tokens[i].folded) else { return }
        if tokens[i].folded == Self.x, !tokens[i].isJoined { return }
        i += 1
        if text.isSign(i, ".") || text.isSign(i, ":") { i += 1 }
        guard i < tokens.count, tokens[i].kind == .number, tokens[i].length <= 6 else { return }
        last = i
        hasExtension = true
    }
}
