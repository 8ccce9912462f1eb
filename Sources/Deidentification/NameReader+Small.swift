/// Names that no list has, in small letters, as they are typed in chats: where what stands around leaves little else.
extension NameReader {
    private static let here = FoldedHash("here").value
    private static let btw = FoldedHash("btw").value
    private static let way = FoldedHash("way").value
    private static let owners = Set(["my", "our", "his", "her", "their"].map { FoldedHash($0).value })

    /// `call me zdenek`, `hi, zdenek here`, `my sister zdenka lives there`.
    func small(_ i: Int) -> Name? {
        guard isUnknown(i) else { return nil }
        let tokens = text.tokens
        var last = i
        if i + 1 < tokens.count, isUnknown(i + 1), !tokens[i + 1].startsLine, !tokens[i + 1].isJoined { last = i + 1 }
        let isClosed = last + 1 >= tokens.count || tokens[last + 1].kind == .sign
        if text.isWord(i - 1, Word.me), text.isWord(i - 2, Word.call) || text.isWord(i - 2, Word.calls), isClosed {
            return Name(first: i, last: last, score: 0.65)
        }
        let opens = i == 0 || tokens[i - 1].kind == .sign || text.has(i - 1, .greeting)
        if opens, text.isWord(last + 1, Self.here), last + 2 >= tokens.count || tokens[last + 2].kind == .sign {
            return Name(first: i, last: last, score: 0.65)
        }
        // `hello, this is zdenek.`: unless it ends as words for things and feelings do.
        if text.isWord(i - 1, Word.is), text.isWord(i - 2, Word.this),
            i == 2 || tokens[i - 3].kind == .sign
                || text.has(i - 3, .greeting), isClosed, !isDescription(i), !isDescription(last)
        {
            return Name(first: i, last: last, score: 0.6)
        }
        // `i'm zdenek btw`
        let isAside =
            text.isWord(last + 1, Self.btw)
            || text.isWord(last + 1, Word.by) && text.isWord(last + 2, Word.the) && text.isWord(last + 3, Self.way)
        if isAside, isAnnounced(i), !isDescription(i), !isDescription(last) {
            return Name(first: i, last: last, score: 0.6)
        }
        if text.has(i - 1, .kin), i > 1, Self.owners.contains(tokens[i - 2].folded),
            text.has(last + 1, [.speech, .keepVerb])
        {
            return Name(first: i, last: last, score: 0.6)
        }
        return nil
    }

    private static let endings = [
        "ing", "ed", "ful", "ble", "ous", "ive", "ish", "ly", "ic", "ent", "ant", "less", "est", "ome", "al", "ate",
        "ism",
        "ness", "ion", "ment", "ty", "it", "er", "ss", "nt", "rd", "et", "ct",
    ].map { Array($0.utf8) }

    private func isDescription(_ i: Int) -> Bool {
        let word = text.bytes[text.tokens[i].start..<text.tokens[i].end]
        return text.tokens[i].classes.isDisjoint(with: [.first, .last])
            && Self.endings.contains { word.suffix($0.count).elementsEqual($0) }
    }

    /// A word of three letters or more that is no talk.
    private func isUnknown(_ i: Int) -> Bool {
        let token = text.tokens[i]
        return token.kind == .word && token.length > 2
            && token.classes.isDisjoint(with: [
                .common, .neverName, .keepVerb, .title, .greeting, .kin, .speech, .address,
            ])
            && !Self.notAName.contains(token.folded)
    }
}
