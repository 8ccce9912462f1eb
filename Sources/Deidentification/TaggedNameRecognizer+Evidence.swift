/// What the lists and the words around say for and against a name by the head.
extension TaggedNameRecognizer {
    /// `Thai`, `beach`, `Country`: words that the lists know, and know to be no name.
    func isPlain(_ text: ScannedText, _ first: Int, _ last: Int, _ kind: NameHead.Kind) -> Bool {
        guard kind != .organization else { return false }
        return text.tokens[first...last].allSatisfy {
            $0.kind != .word
                || !$0.classes.isDisjoint(with: [.common, .neverName, .street, .unit])
                    && $0.classes.isDisjoint(with: kind == .location ? [.first, .last, .place] : [.first, .last])
        }
    }

    /// `on the beach`: behind an article, small, where names have capitals; `from a PI`: all of it capitals, which names no person. Companies may
    /// be so (`at a KPMG office`).
    func isThing(_ text: ScannedText, _ first: Int, _ last: Int, _ kind: NameHead.Kind) -> Bool {
        guard first == last, text.tokens[first].classes.isDisjoint(with: [.first, .last, .place]) else { return false }
        if text.isWord(first - 1, Word.a) || text.isWord(first - 1, Word.an) {
            return kind == .person && text.tokens[first].isAllCapitals && !text.isShouted
        }
        return text.hasCapital && !text.tokens[first].isCapitalised && text.isWord(first - 1, Word.the)
    }

    /// Whether something besides the head speaks for a name: a capital where none is due, a list, what stands around.
    func isSupported(_ text: ScannedText, _ first: Int, _ last: Int, _ reader: NameReader) -> Bool {
        guard !includesKnown else { return true }
        let tokens = text.tokens
        return (first...last).contains { i in
            guard tokens[i].kind == .word else { return false }
            if !tokens[i].classes.isDisjoint(with: [.first, .last]) { return true }
            return tokens[i].isCapitalised && !text.isShouted && !reader.startsSentence(i)
        } || reader.isAnnounced(first)
            || text.hasContext([.kin, .residence, .work, .title], before: 3, of: first)
    }

    func isKnown(_ text: ScannedText, _ first: Int, _ last: Int, _ kind: NameHead.Kind, _ reader: NameReader)
        -> Bool
    {
        let tokens = text.tokens[first...last]
        if kind != .person, tokens.contains(where: { !$0.classes.isDisjoint(with: [.neverName, .place]) }) {
            return true
        }
        return text.tokens[first].classes.contains(.keptStart) && (reader.keptEnd(first).map { $0 >= last } ?? false)
    }

    /// Whether it is somebody's: companies in the news and towns that were visited tell nothing of anyone.
    func belongs(_ text: ScannedText, _ first: Int, _ kind: NameHead.Kind, _ context: RecognitionContext)
        -> Bool
    {
        switch kind {
        case .organization: text.hasContext(.work, before: 5, of: first)
        case .location:
            text.hasContext([.residence, .address], before: 5, of: first) || PlaceRecognizer.isOrigin(text, first)
                || context.asked.contains(.residence) && first <= 2
        default: true
        }
    }
}
