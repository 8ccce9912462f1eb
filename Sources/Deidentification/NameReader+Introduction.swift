/// Names that somebody gives when asked, or gives of their own accord.
extension NameReader {
    private static let strongEnds = Set(
        ["name", "names", "nmae", "naem", "nam", "nme", "firstname", "surname", "lastname"].map { FoldedHash($0).value }
    )
    private static let goes = Set(["go", "goes", "going"].map { FoldedHash($0).value })
    private static let `as` = FoldedHash("as").value
    private static let iams = Set(["iam", "ima", "imm"].map { FoldedHash($0).value })
    private static let mistypedIs = Set(["si", "iz", "iis", "os"].map { FoldedHash($0).value })

    private func word(_ i: Int) -> UInt64 {
        text.tokens.indices.contains(i) && text.tokens[i].kind == .word ? text.tokens[i].folded : 0
    }
    static let notAName = Set(
        [
            "not", "on", "in", "at", "the", "a", "an", "also", "too", "same", "similar", "nice", "weird", "hard",
            "long",
            "short", "unique", "very", "what", "called", "spelled", "pronounced", "just", "none", "nothing", "it", "to",
            "that",
            "later", "back", "when", "if", "crazy", "maybe", "when", "after", "tomorrow", "tonight", "now", "stupid",
            "names", "name", "anything", "whatever", "old", "by", "and", "or", "but", "actually", "really", "so",
        ].map { FoldedHash($0).value })

    /// A short text that answers a question for a name: all of it is the name.
    func answer(_ i: Int) -> Name? {
        guard context.asksName, i == 0 else { return nil }
        let tokens = text.tokens
        let words = tokens.filter { $0.kind == .word }
        guard (1...3).contains(words.count), tokens.count <= 5, !tokens.contains(where: { $0.kind == .number }),
            words.allSatisfy({ isFreeForName($0) })
        else { return nil }
        let last = tokens.lastIndex { $0.kind == .word } ?? 0
        return Name(first: 0, last: last, score: 0.7)
    }

    /// Whether an introduction ends before a place.
    func isAnnounced(_ i: Int) -> Bool { i > 0 && strength(before: i) != nil }

    /// The name at `i` when an introduction ends before it.
    func introduction(before i: Int) -> Name? {
        let tokens = text.tokens
        guard i > 0, let strength = strength(before: i), !Self.notAName.contains(tokens[i].folded) else { return nil }
        let token = tokens[i]
        let isListed = !token.classes.isDisjoint(with: [.first, .last])
        switch strength {
        case .sure:
            // "My name is x": x is a name whatever it is, unless it is plain talk.
            guard isListed || isFreeForName(token) || (token.isCapitalised && !text.isShouted && token.length > 1)
            else {
                return nil
            }
        case .asked:
            // "What's your name? x": often something else is said next ("Text me").
            let isFollowedByCapital = i + 1 < tokens.count && token.isCapitalised && tokens[i + 1].isCapitalised
            guard isListed || isFreeForName(token) && (endsHere(i) || isFollowedByCapital && !text.isShouted) else {
                return nil
            }
        case .likely:
            // "I'm x": mostly not a name.
            let isNamed = isListed && token.classes.isDisjoint(with: [.common, .neverName, .title])
            let isUnknownCapital =
                token.isCapitalised && !token.isAllCapitals && !text.isShouted && isFreeForName(token)
                && token.classes.isDisjoint(with: .suffix) && !isDoing(i)
            guard isNamed || isUnknownCapital else { return nil }
            if !token.isCapitalised, token.classes.contains(.ambiguous), !endsHere(i) { return nil }
        }
        if token.classes.contains(.keptStart), keptEnd(i) != nil, !isListed { return nil }
        let isNamed =
            token.classes.contains(.first) && token.classes.isDisjoint(with: [.ambiguous, .common, .neverName])
        var end = i
        var words = 1
        while words < 4, end + 1 < tokens.count {
            var next = end + 1
            if text.isSign(next, "-") || text.isSign(next, "'"), tokens[next].isJoined, next + 1 < tokens.count,
                tokens[next + 1].isJoined, tokens[next + 1].folded != Word.s
            {
                next += 1
            } else if text.isSign(next, "."), tokens[end].length <= 2, next + 1 < tokens.count {
                next += 1
            }
            let candidate = tokens[next]
            guard candidate.kind == .word, !candidate.startsLine else { break }
            let isName =
                !candidate.classes.isDisjoint(with: [.last, .first, .suffix, .particle])
                && candidate.classes.isDisjoint(with: [.common, .keepVerb])
            let isCapital =
                candidate.isCapitalised && !text.isShouted && candidate.classes.isDisjoint(with: .neverName)
                && !(candidate.classes.contains(.common) && candidate.classes.isDisjoint(with: [.last, .first]))
            // `my name is anna pustivsek`: a second word that no list has, where nothing follows.
            let isSecond =
                words == 1 && !token.isCapitalised && candidate.length > 2 && candidate.classes.isEmpty
                && (strength != .likely
                    ? endsHere(next)
                    : isNamed && (endsHere(next) || text.has(next + 1, [.common, .speech])))
            guard
                isName && (candidate.isCapitalised || !token.isCapitalised) || isCapital || isSecond,
                candidate.folded != Word.i
            else {
                break
            }
            end = next
            words += 1
        }
        return Name(first: i, last: end, score: strength == .likely ? 0.7 : 0.85)
    }

    private enum Strength { case sure, asked, likely }

    private func strength(before i: Int) -> Strength? {
        var at = i - 1
        while at > 0, text.isSign(at, "\"") || text.isSign(at, ":") || text.isSign(at, "*") { at -= 1 }
        guard text.tokens[at].kind == .word || text.isSign(at, ",") || text.isSign(at, "?") else { return nil }
        // `my name is`, `name's`, `name:`, `his name was`, `under the name of`; `what's your name? x`.
        if Self.strongEnds.contains(text.tokens[at].folded), at < i - 1 { return .sure }
        if text.isSign(at, "?"), text.isWord(at - 1, Word.name), asksName(endingAt: at - 1) { return .asked }
        if text.isWord(at, Word.is) || text.isWord(at, Word.was), at > 0 {
            if Self.strongEnds.contains(text.tokens[at - 1].folded) { return .sure }
            if text.isWord(at - 1, Word.this), at < 3 || text.isSign(at - 2, ".") || text.isSign(at - 2, ",") {
                return .likely
            }
        }
        if text.isWord(at, Word.s), text.isSign(at - 1, "'"), at > 1 {
            if Self.strongEnds.contains(text.tokens[at - 2].folded) { return .sure }
        }
        if text.isWord(at, Word.me), text.isWord(at - 1, Word.call) || text.isWord(at - 1, Word.calls) {
            return .likely
        }
        if text.isWord(at, Word.named) || text.isWord(at, Word.called) { return .likely }
        // `I go by x`, `they know me as x`, `signed, x`; and as it is typed: `my nmae is`, `iam`, `my name si`.
        if text.isWord(at, Word.by), Self.goes.contains(word(at - 1)) { return .likely }
        if text.isWord(at, Self.as), text.isWord(at - 1, Word.me) { return .likely }
        if Self.iams.contains(text.tokens[at].folded) { return .likely }
        if Self.mistypedIs.contains(text.tokens[at].folded), Self.strongEnds.contains(word(at - 1)) { return .sure }
        if text.isWord(at, Word.im) { return .likely }
        if text.isWord(at, Word.am), text.isWord(at - 1, Word.i) { return .likely }
        if text.isWord(at, Word.m), text.isSign(at - 1, "'"), text.isWord(at - 2, Word.i) { return .likely }
        return nil
    }

    /// Whether the question that ends at this word asks for somebody's name (`your name`, `the name on the account`).
    private func asksName(endingAt i: Int) -> Bool {
        (max(0, i - 4)..<i).contains { [Word.your, Word.whats, Word.s, Word.is].contains(text.tokens[$0].folded) }
    }

    private func isFreeForName(_ token: ScannedText.Token) -> Bool {
        guard token.length > 1 else { return false }
        if !token.classes.isDisjoint(with: [.first, .last]) {
            return token.isCapitalised || token.classes.isDisjoint(with: .common)
        }
        return token.classes.isDisjoint(with: [.common, .neverName, .keepVerb, .title, .greeting, .kin])
            && !Self.notAName.contains(token.folded)
    }

    /// `I'm Studying`: what somebody does, with the capital of a heading.
    private func isDoing(_ i: Int) -> Bool {
        let word = text.bytes[text.tokens[i].start..<text.tokens[i].end]
        return word.count > 5 && word.suffix(3).elementsEqual("ing".utf8)
    }

    private func endsHere(_ i: Int) -> Bool {
        i + 1 >= text.tokens.count || text.tokens[i + 1].kind == .sign
    }
}
