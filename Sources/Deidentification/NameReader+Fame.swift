/// Names of public figures and of works, by what stands beside them: whose songs somebody likes tells nothing of anyone who talks.
extension NameReader {
    /// Most words between a name and what says that it is famous.
    private static let reach = 8

    /// Whether the name is said to be an artist's, a player's, a hero's or a work's: `the singer …`, `… movie`, `my favourite skater is …`,
    /// `… is my favourite actor`. Never is a name that the conversation knows otherwise, or that a friend's or relative's mention stands before.
    func isOfFame(_ first: Int, _ last: Int) -> Bool {
        guard text.classes.contains(.fame), !isAnnounced(first), !text.hasContext(.kin, before: 5, of: first),
            !(first...last).contains(where: { context.knownNames.contains(text.tokens[$0].folded) })
        else { return false }
        return isCalledFamous(first) || isNamedWork(last) || isFavourite(before: first) || isFavourite(after: last)
    }

    /// `the singer …`, `rap-singer …`; not `my singer …`.
    private func isCalledFamous(_ first: Int) -> Bool {
        text.has(first - 1, .fame) && !text.tokens[first].startsLine && !text.isWord(first - 2, Word.my)
            && !text.isWord(first - 2, Word.our)
    }

    /// `… movie`, `…'s songs`.
    private func isNamedWork(_ last: Int) -> Bool {
        let owned = text.isSign(last + 1, "'") && text.isWord(last + 2, Word.s)
        let next = owned ? last + 3 : last + 1
        return text.has(next, .fame) && !text.tokens[next].startsLine
    }

    /// `my favourite hindi song is …`
    private func isFavourite(before first: Int) -> Bool {
        var isFamous = false
        for i in stride(from: first - 1, through: max(0, first - Self.reach), by: -1) {
            let token = text.tokens[i]
            if token.classes.contains(.fame) { isFamous = true }
            if Word.favourites.contains(token.folded), token.kind == .word { return isFamous }
            if token.startsLine || endsSentence(i) { return false }
        }
        return false
    }

    /// `… is my favourite cartoon artist`
    private func isFavourite(after last: Int) -> Bool {
        guard text.has(last + 1, .keepVerb) || text.isSign(last + 1, "'") else { return false }
        var isLiked = false
        for i in (last + 2)..<max(last + 2, min(text.tokens.count, last + Self.reach)) {
            let token = text.tokens[i]
            if token.startsLine || endsSentence(i) { return false }
            if Word.favourites.contains(token.folded), token.kind == .word { isLiked = true }
            if isLiked, token.classes.contains(.fame) { return true }
        }
        return false
    }

    private func endsSentence(_ i: Int) -> Bool { text.isSign(i, ".") || text.isSign(i, "!") || text.isSign(i, "?") }
}
