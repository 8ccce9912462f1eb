/// Candidates from what the name head says, and its vote on what the lists found.
struct TaggedNameRecognizer {
    /// Least mean probability of a name's words.
    static let person = 0.5
    static let location = 0.5
    static let organization = 0.6
    /// A name of the lists that the head thinks this unlikely, and that nothing introduced, is dropped.
    static let doubt = 0.08

    let tags: NameTags
    /// Recognise what is well known too: for comparison with marked texts.
    var includesKnown = false

    func candidates(_ text: ScannedText, _ context: RecognitionContext) -> [Candidate] {
        guard !tags.probabilities.isEmpty else { return [] }
        var found: [Candidate] = []
        let reader = NameReader(text: text, context: context)
        for (kind, entity, least) in [
            (NameHead.Kind.person, Entity.person, Self.person), (.location, .location, Self.location),
            (.organization, .organization, Self.organization),
        ] {
            var i = 0
            while i < text.tokens.count {
                guard text.tokens[i].kind == .word, tags.probability(kind, i) >= least else {
                    i += 1
                    continue
                }
                let end = runEnd(text, i, kind, least)
                defer { i = end + 1 }
                if !includesKnown, isKnown(text, i, end, kind, reader) { continue }
                if kind == .organization, !belongs(text, i), !includesKnown { continue }
                let words = (i...end).filter { text.tokens[$0].kind == .word }
                let mean = words.reduce(0) { $0 + tags.probability(kind, $1) } / Double(words.count)
                found.append(
                    Candidate(
                        entity: entity, start: text.tokens[i].start, end: text.tokens[end].end, score: min(0.9, mean)))
            }
        }
        return found
    }

    /// Drops what the lists found and the head doubts.
    func keeps(_ candidate: Candidate, _ text: ScannedText) -> Bool {
        guard !tags.probabilities.isEmpty, candidate.score < 0.7 else { return true }
        let inside = text.tokens.indices.filter {
            text.tokens[$0].start >= candidate.start && text.tokens[$0].end <= candidate.end
                && text.tokens[$0].kind == .word
        }
        return (inside.map { tags.probability(.person, $0) }.max() ?? 1) >= Self.doubt
    }

    /// The last token of the run: words of the kind, with `-`, `'`, `.` or a particle between them.
    private func runEnd(_ text: ScannedText, _ first: Int, _ kind: NameHead.Kind, _ least: Double) -> Int {
        var end = first
        var at = first + 1
        while at < text.tokens.count, at - end <= 2, !text.tokens[at].startsLine {
            let token = text.tokens[at]
            if token.kind == .word {
                if tags.probability(kind, at) >= least {
                    end = at
                } else if !token.classes.contains(.particle), tags.probability(kind, at) < least / 2 {
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

    private func isKnown(_ text: ScannedText, _ first: Int, _ last: Int, _ kind: NameHead.Kind, _ reader: NameReader)
        -> Bool
    {
        let tokens = text.tokens[first...last]
        if kind == .person {
            let words = tokens.filter { $0.kind == .word }
            if words.allSatisfy({ $0.classes.contains(.neverName) || $0.classes.contains(.common) }),
                words.allSatisfy({ $0.classes.isDisjoint(with: [.first, .last]) })
            {
                return true
            }
        } else if tokens.contains(where: { $0.classes.contains(.neverName) }) {
            return true
        }
        return text.tokens[first].classes.contains(.keptStart) && (reader.keptEnd(first).map { $0 >= last } ?? false)
    }

    /// Whether somebody is said to work or study there: companies in the news tell nothing of anyone.
    private func belongs(_ text: ScannedText, _ first: Int) -> Bool { text.hasContext(.work, before: 5, of: first) }
}
