/// Candidates from what the name head says, and its vote on what the lists found.
struct TaggedNameRecognizer {
    /// Least probability that a word is part of a name of whatever kind, and of one kind.
    static let anyName = 0.5
    static let oneKind = 0.3
    /// Least mean probability of the kind over a name's words.
    static let least: [NameHead.Kind: Double] = [.person: 0.4, .location: 0.3, .organization: 0.5]
    /// The same where neither a capital inside a sentence nor a list nor what stands around speaks for a name.
    static let bare = 0.9
    /// A name of the lists that the head thinks this unlikely, and that nothing introduced, is dropped.
    static let doubt = 0.08
    /// A plain word behind a place belongs to its name where the head is this sure of it.
    static let placeWord = 0.5

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
                guard let entity = Self.entities[kind], !isPlain(text, i, end, kind), !isThing(text, i, end, kind)
                else {
                    continue
                }
                if !includesKnown, isKnown(text, i, end, kind, reader) { continue }
                if !includesKnown, !belongs(text, i, kind, context) { continue }
                if !isSupported(text, i, end, reader), sureness(text, i, end) < Self.bare { continue }
                let last = kind == .location ? placeEnd(text, i, end) : end
                found.append(
                    Candidate(
                        entity: entity, start: text.tokens[i].start, end: text.tokens[last].end,
                        score: min(0.9, share)))
                break
            }
        }
        return found
    }

    /// Drops what the lists found and the head doubts; what the head is sure to be of another kind becomes that.
    func judged(_ candidate: Candidate, _ text: ScannedText, _ reader: NameReader) -> Candidate? {
        guard !tags.probabilities.isEmpty, candidate.score < 0.85 else { return candidate }
        let inside = text.tokens(from: candidate.start, to: candidate.end).filter { text.tokens[$0].kind == .word }
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

    /// Mean probability that a run's words are part of any name.
    private func sureness(_ text: ScannedText, _ first: Int, _ last: Int) -> Double {
        let words = (first...last).filter { text.tokens[$0].kind == .word }
        return words.reduce(0) { $0 + tags.anyName($1) } / Double(words.count)
    }

    /// Kinds with the mean of their probabilities over a run's words, the likeliest first.
    private func mean(_ text: ScannedText, _ first: Int, _ last: Int) -> [(NameHead.Kind, Double)] {
        let words = (first...last).filter { text.tokens[$0].kind == .word }
        var means = [NameHead.Kind.person, .location, .organization].map { kind in
            (kind, words.reduce(0) { $0 + tags.probability(kind, $1) } / Double(words.count))
        }
        // A town's form decides between place and person; a person it stays where no place is sought.
        if ToponymShape.fits(text, first, last) { means[1].1 += means[0].1 }
        if isCompany(text, first, last) { means[2].1 += means[0].1 + means[1].1 }
        return means.sorted { $0.1 > $1.1 }
    }

    /// Whether a company's word ends a name of several words or stands behind it: `Zlin Airlines`. A listed place stays one.
    private func isCompany(_ text: ScannedText, _ first: Int, _ last: Int) -> Bool {
        let company: WordClass = [.companyEnd, .companyWord]
        guard !text.tokens[first...last].contains(where: { $0.classes.contains(.place) }) else { return false }
        if last > first, text.has(last, company) { return true }
        return text.has(last + 1, company) && text.tokens[last + 1].isCapitalised && !text.tokens[last + 1].startsLine
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

    /// The last token of a place without the plain words behind it: the `Zlin` of `Zlin Country Club`.
    private func placeEnd(_ text: ScannedText, _ first: Int, _ last: Int) -> Int {
        var end = last
        let kept: WordClass = [.first, .last, .place, .settlement, .polity, .compass, .street]
        while end > first {
            let token = text.tokens[end]
            guard
                token.kind != .word
                    || token.classes.contains(.common) && token.classes.isDisjoint(with: kept)
                        && tags.probability(.location, end) < Self.placeWord
            else { break }
            end -= 1
        }
        return end
    }
}
