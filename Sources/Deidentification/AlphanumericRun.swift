/// Letters and digits without a gap: `AB1234563`, as tokens.
struct AlphanumericRun {
    /// Places among the tokens, inclusive.
    var first: Int
    var last: Int
    /// The characters as bytes, letters as written.
    var bytes: ArraySlice<UInt8>
    var digitCount: Int

    /// The run that begins at a token, if one begins there and nothing but a sign or a space stands before it.
    init?(_ text: ScannedText, at i: Int, longest: Int) {
        let tokens = text.tokens
        guard tokens[i].kind != .sign, !tokens[i].isJoined || i == 0 || tokens[i - 1].kind == .sign else { return nil }
        first = i
        last = i
        digitCount = tokens[i].kind == .number ? tokens[i].length : 0
        while last + 1 < tokens.count, tokens[last + 1].isJoined, tokens[last + 1].kind != .sign {
            last += 1
            if tokens[last].kind == .number { digitCount += tokens[last].length }
            if tokens[last].end - tokens[i].start > longest { break }
        }
        bytes = text.bytes[tokens[i].start..<tokens[last].end]
        guard bytes.count <= longest else { return nil }
    }
}
