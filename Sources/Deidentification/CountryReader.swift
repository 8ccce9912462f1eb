/// Names of countries, regions and large cities: single words and phrases of the lists, and by their form `Republic of …`, `… Islands`,
/// `United …`, `South …`.
///
/// What is said with a form of state, a compass point or a saint around a listed word is one name with it.
struct CountryReader {
    let text: ScannedText
    let lexicon: Lexicon

    private static let united = FoldedHash("united").value
    private static let people = FoldedHash("people").value

    /// The last token of the name that begins at a word, if one does.
    func end(of i: Int) -> Int? {
        let tokens = text.tokens
        if tokens[i].classes.contains(.keptStart),
            let end = text.phraseEnd(i, in: lexicon.places, longest: lexicon.longestKept)
        {
            return end
        }
        // `South Korea`, `New Zealand`, `Papua New Guinea`.
        var named = i
        while named < tokens.count, named - i < 2, tokens[named].classes.contains(.compass), goesWith(named),
            named == i || !tokens[named].startsLine
        {
            named += 1
        }
        if named > i, isPlace(named), !tokens[named].startsLine { return lastPlace(named) }
        // `Burkina Faso`, `Czech Republic`, `People's Republic of China`: up to four words before the form.
        var at = i
        while at < tokens.count, at - i <= 4, at == i || !tokens[at].startsLine {
            if tokens[at].classes.contains(.polity) {
                guard goesWith(at) || at > i && tokens[at - 1].folded == Self.united else { break }
                if let end = realm(behind: at) { return end }
                // Without a realm behind, something must stand before that is part of a name.
                return at > i && isNamed(at - 1) ? at : nil
            }
            guard opens(at) || at > i && isPossessive(at) else { break }
            at += 1
        }
        return isPlace(i) ? lastPlace(i) : nil
    }

    /// `… of China`, `… of the Netherlands`, `… of Great Britain`.
    private func realm(behind form: Int) -> Int? {
        guard text.isWord(form + 1, Word.of) else { return nil }
        var at = text.isWord(form + 2, Word.the) ? form + 3 : form + 2
        if text.tokens.indices.contains(at), !isPlace(at), text.tokens[at].isCapitalised, isPlace(at + 1) { at += 1 }
        return isPlace(at) ? lastPlace(at) : nil
    }

    private func isPlace(_ i: Int) -> Bool { text.has(i, .place) }

    private func lastPlace(_ i: Int) -> Int {
        var end = i
        while isPlace(end + 1), !text.tokens[end + 1].startsLine { end += 1 }
        return end
    }

    /// A form of state counts as one with a capital, or where nothing has any.
    private func goesWith(_ i: Int) -> Bool { text.tokens[i].isCapitalised || !text.hasCapital }

    /// What may stand before the form: `Czech`, `Democratic`, `Federated`, `United Arab`.
    private func opens(_ i: Int) -> Bool {
        let token = text.tokens[i]
        guard token.kind == .word else { return false }
        if token.folded == Self.united || token.classes.contains(.neverName) { return true }
        return token.isCapitalised
            && (token.folded == Self.people || token.classes.isDisjoint(with: [.common, .keepVerb]))
    }

    /// The `'s` of `People's`.
    private func isPossessive(_ i: Int) -> Bool {
        text.isSign(i, "'") && text.isWord(i + 1, Word.s)
            || text.isWord(i, Word.s) && text.isSign(i - 1, "'") && text.tokens[i].isJoined
    }

    private func isNamed(_ i: Int) -> Bool {
        let token = text.tokens[i]
        return token.folded == Self.united || token.classes.contains(.neverName) || token.isCapitalised
    }
}
