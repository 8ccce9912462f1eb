/// Flat, town, state, postcode and country behind a street.
extension AddressReader {
    // MARK: What follows

    /// The last token of flat, town, state, postcode and country behind an address.
    func tail(after start: Int) -> Int {
        let tokens = text.tokens
        var last = start
        var places = 0
        for _ in 0..<8 {
            var at = last + 1
            if text.isSign(at, ".") && at + 1 < tokens.count && tokens[at + 1].startsLine { at += 1 }
            var isSeparated = false
            if text.isSign(at, ",") {
                isSeparated = true
                at += 1
            }
            guard at < tokens.count else { break }
            if tokens[at].startsLine { isSeparated = true }
            // Quoting signs at the beginning of a line.
            var signs = 0
            while at < tokens.count, signs < 4, isSeparated, tokens[at].kind == .sign,
                tokens[at].startsLine || signs > 0,
                text.isSign(at, ">") || text.isSign(at, "?") || text.isSign(at, "*")
            {
                at += 1
                signs += 1
            }
            guard at < tokens.count else { break }
            if let piece = flat(at) {
                last = piece.last
            } else if tokens[at].classes.contains(.military), let piece = box(at) {
                last = piece.last
            } else if tokens[at].kind == .number, tokens[at].length >= 3, tokens[at].length <= 6, !goesOn(at) {
                // A postcode, perhaps with its second half.
                last = at
                if text.isSign(at + 1, "-"), at + 2 < tokens.count, tokens[at + 1].isJoined, tokens[at + 2].isJoined,
                    tokens[at + 2].kind == .number, tokens[at + 2].length <= 4
                {
                    last = at + 2
                }
            } else if tokens[at].kind == .word, let end = placeEnd(at, isSeparated: isSeparated), places < 4 {
                last = end
                places += 1
            } else {
                break
            }
        }
        return last
    }

    /// Whether a number goes on in another: a telephone's first group is no postcode.
    func goesOn(_ i: Int) -> Bool {
        let tokens = text.tokens
        guard i + 1 < tokens.count, !tokens[i + 1].startsLine else { return false }
        if tokens[i + 1].kind == .number { return true }
        return tokens[i].startsLine && tokens[i + 1].isJoined && !text.isSign(i + 1, ".") && !text.isSign(i + 1, ",")
    }

    /// A town, state or country that begins at a place: capitalised words up to a comma, line end, number or the end.
    func placeEnd(_ i: Int, isSeparated: Bool) -> Int? {
        let tokens = text.tokens
        var end = i
        var at = i
        var words = 0
        while at < tokens.count, words < 5, at == i || !tokens[at].startsLine {
            let token = tokens[at]
            if token.kind == .word,
                token.isCapitalised || token.classes.contains(.particle) || token.folded == Word.and
                    || (!text.hasCapital && isSeparated && !token.classes.contains(.common))
            {
                end = at
                words += 1
            } else if text.isSign(at, "-") || text.isSign(at, "'") || text.isSign(at, "."), token.isJoined,
                at + 1 < tokens.count, tokens[at + 1].kind == .word, text.isSign(at, ".") || tokens[at + 1].isJoined,
                !text.isSign(at, ".") || tokens[at - 1].length <= 3
            {
                // goes on
            } else {
                break
            }
            at += 1
        }
        guard words > 0, tokens[i].classes.isDisjoint(with: [.keepVerb]),
            !isTalk(i) || tokens[i].classes.contains(.street)
        else { return nil }
        if end + 1 >= tokens.count || tokens[end + 1].startsLine { return end }
        let next = tokens[end + 1]
        if next.kind == .number { return end }
        // Behind a comma, what another comma or a full stop closes; otherwise talk goes on.
        if next.kind == .sign, isSeparated { return end }
        if isSeparated, next.kind == .word, tokens[i].classes.contains(.neverName) { return end }
        return nil
    }
}
