/// Candidates from what the name head says, and its vote on what the lists found.
struct TaggedNameRecognizer {
    /// Least probability that a word is part of a name of whatever kind, and of one kind.
    static let anyName = 0.5
    static let oneKind = 0.3
    /// Least mean probability of the kind over a name's words.
    static let least: [NameHead.Kind: Double] = [.person: 0.4, .location: 0.35, .organization: 0.5]
    /// The same where neither a capital inside a sentence nor a list nor what stands around speaks for a name.
    static let bare = 0.9
    /// A name of the lists that the head thinks this unlikely, and that nothing introduced, is dropped.
    static let doubt = 0.08

    private static let entities: [NameHead.Kind: Entity] = [
        .person: .person, .location: .location, .organization: .organization,
    ]

    let tags: NameTags
    /// Recognise what is well known too: for comparison with marked texts.
    var includesKnown = false

    func candidates(_ text: ScannedText, _ context: RecognitionContext) -> [Candidate] {
        guard !tags.probabilities.isEmpty else { return [] }
        var found: [Candidate] = []
        let reader = NameReader(text: text, context: context)
        var i = 0
        while i < text.tokens.count {
            guard text.tokens[i].kind == .word, isName(i) else {
                i += 1
                continue
            }
            let end = runEnd(text, i)
            defer { i = end + 1 }
            // The kind is chosen over the whole: pieces of one name must not become two.
            let means = mean(text, i, end)
            for (kind, share) in means where share >= Self.least[kind] ?? 1 {
                guard let entity = Self.entities[kind], !isPlain(text, i, end, kind) else { continue }
                if !includesKnown, isKnown(text, i, end, kind, reader) { continue }
                if !includesKnown, !belongs(text, i, kind, context) { continue }
                if !isSupported(text, i, end, reader), means.reduce(0, { $0 + $1.1 }) < Self.bare { continue }
                found.append(
                    Candidate(
                        entity: entity, start: text.tokens[i].start, end: text.tokens[end].end, score: min(0.9, share)))
                break
            }
        }
        return found
    }

    /// Drops what the lists found and the head doubts; what the head is sure to be of another kind becomes that.
    func judged(_ candidate: Candidate, _ text: ScannedText, _ reader: NameReader) -> Candidate? {
        guard !tags.probabilities.isEmpty, candidate.score < 0.85 else { return candidate }
        let inside = text.tokens.indices.filter {
            text.tokens[$0].start >= candidate.start && text.tokens[$0].end <= candidate.end
                && text.tokens[$0].kind == .word
        }
        guard let first = inside.first, let last = inside.last else { return candidate }
        if candidate.entity == .person, candidate.score < 0.7, !reader.isAnnounced(first), reader.small(first) == nil,
            (inside.map { tags.probability(.person, $0) }.max() ?? 1) < Self.doubt,
            (inside.map { tags.anyName($0) }.max() ?? 1) < Self.anyName
        {
            return nil
        }
        guard let (kind, share) = mean(text, first, last).first, share >= 0.5, let entity = Self.entities[kind],
            [.person, .location, .organization].contains(candidate.entity)
        else { return candidate }
        var changed = candidate
        changed.entity = entity
        return changed
    }

    private func isName(_ i: Int) -> Bool {
        tags.anyName(i) >= Self.anyName && Self.entities.keys.contains { tags.probability($0, i) >= Self.oneKind }
    }

    /// Kinds with the mean of their probabilities over a run's words, the likeliest first.
    private func mean(_ text: ScannedText, _ first: Int, _ last: Int) -> [(NameHead.Kind, Double)] {
        let words = (first...last).filter { text.tokens[$0].kind == .word }
        return [NameHead.Kind.person, .location, .organization].map { kind in
            (kind, words.reduce(0) { $0 + tags.probability(kind, $1) } / Double(words.count))
        }.sorted { $0.1 > $1.1 }
    }

    /// The last token of the run: words of names, with `-`, `'`, `.` or a particle between them.
    private func runEnd(_ text: ScannedText, _ first: Int) -> Int {
        var end = first
        var at = first + 1
        while at < text.tokens.count, at - end <= 2, !text.tokens[at].startsLine {
            let token = text.tokens[at]
            if token.kind == .word {
                if isName(at) {
                    if isOther(at - 1, at), !token.isJoined { break }
                    end = at
                } else if !token.classes.contains(.particle), tags.anyName(at) < Self.anyName / 2 {
                    break
                }
            } else if let sign = text.sign(at) {
                guard
                    sign == UInt8(ascii: "-") || sign == UInt8(ascii: "'") || sign == UInt8(ascii: ".")
                        || sign == UInt8(ascii: "&")
                else { break }
            } else {
                break
            }
            at += 1
        }
        return end
    }

    /// Whether two neighbours are surely of two kinds.
    private func isOther(_ a: Int, _ b: Int) -> Bool {
        let kinds = [NameHead.Kind.person, .location, .organization]
        return kinds.contains { one in
            tags.probability(one, a) >= 0.8 && kinds.contains { $0 != one && tags.probability($0, b) >= 0.8 }
        }
    }

    /// `Thai`, `beach`, `Country`: words that the lists know, and know to be no name.
    private func isPlain(_ text: ScannedText, _ first: Int, _ last: Int, _ kind: NameHead.Kind) -> Bool {
        guard kind != .organization else { return false }
        return text.tokens[first...last].allSatisfy {
            $0.kind != .word
                || !$0.classes.isDisjoint(with: [.common, .neverName, .street, .unit])
                    && $0.classes.isDisjoint(with: kind == .location ? [.first, .last, .place] : [.first, .last])
        }
    }

    /// Whether something besides the head speaks for a name: a capital where none is due, a list, what stands around.
    private func isSupported(_ text: ScannedText, _ first: Int, _ last: Int, _ reader: NameReader) -> Bool {
        guard !includesKnown else { return true }
        let tokens = text.tokens
        return (first...last).contains { i in
            guard tokens[i].kind == .word else { return false }
            if !tokens[i].classes.isDisjoint(with: [.first, .last]) { return true }
            return tokens[i].isCapitalised && !text.isShouted && !reader.startsSentence(i)
        } || reader.isAnnounced(first)
            || text.hasContext([.kin, .residence, .work, .title], before: 3, of: first)
    }

    private func isKnown(_ text: ScannedText, _ first: Int, _ last: Int, _ kind: NameHead.Kind, _ reader: NameReader)
        -> Bool
    {
        let tokens = text.tokens[first...last]
        if kind != .person, tokens.contains(where: { !$0.classes.isDisjoint(with: [.neverName, .place]) }) {
            return true
        }
        return text.tokens[first].classes.contains(.keptStart) && (reader.keptEnd(first).map { $0 >= last } ?? false)
    }

    /// Whether it is somebody's: companies in the news and towns that were visited tell nothing of anyone.
    private func belongs(_ text: ScannedText, _ first: Int, _ kind: NameHead.Kind, _ context: RecognitionContext)
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
