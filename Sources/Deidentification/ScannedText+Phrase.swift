extension ScannedText {
    /// The last token of the longest phrase of a list that begins at a word: `Ben & Jerry`, `St. Kitts`. Its words stand on one line.
    func phraseEnd(_ i: Int, in list: Set<UInt64>, longest: Int) -> Int? {
        var hash = tokens[i].folded
        var found = list.contains(hash) ? i : nil
        var at = i
        for _ in 1..<max(longest, 1) {
            var next = at + 1
            while next < tokens.count, next - at <= 2, let sign = sign(next),
                sign == 0x2E || sign == 0x2D || sign == 0x27 || sign == 0x26
            {
                next += 1
            }
            guard next < tokens.count, tokens[next].kind == .word, !tokens[next].startsLine else { break }
            hash = FoldedHash.phrase(hash, tokens[next].folded)
            at = next
            if list.contains(hash) { found = at }
        }
        return found
    }
}
