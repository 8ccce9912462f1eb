/// Towns and companies that somebody is said to live in or work for. Well-known ones stay: they tell nothing of anyone.
struct PlaceRecognizer: Recognizer {
    private static let into = Set(["in", "from", "to", "near", "at", "around", "outside"].map { FoldedHash($0).value })
    private static let beings = Set(
        ["am", "m", "im", "is", "s", "are", "re", "was", "were", "originally", "youre", "hes", "shes"].map {
            FoldedHash($0).value
        })
    private static let forWhom = Set(["for", "at", "with", "by"].map { FoldedHash($0).value })
    private static let links = Set(["and", "of", "the", "for"].map { FoldedHash($0).value })
    /// Recognise what is well known too: for comparison with marked texts.
    var includesKnown = false

    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        if includesKnown { known(text, context, into: &candidates) }
        guard text.hasCapital, !text.isShouted else { return }
        let tokens = text.tokens
        let reader = NameReader(text: text, context: context)
        for i in tokens.indices where tokens[i].kind == .word && tokens[i].isCapitalised {
            if let word = before(text, i), Self.into.contains(word),
                isNear(text, .residence, i - 1) || Self.isOrigin(text, i),
                let end = run(text, i)
            {
                // Behind `lives in` even a person's name is a place's; `she is from Acme Systems` says whom she works for.
                let isCompany = word != Word.in && text.has(end, [.companyEnd, .companyWord])
                add(
                    text, i, end, isCompany ? .organization : .location, word == Word.in ? 0.8 : 0.6, reader,
                    &candidates)
            } else if let end = townOfState(text, i) {
                add(text, i, end, .location, 0.7, reader, &candidates)
            } else if isTown(text, i), let end = run(text, i) {
                add(text, i, end, .location, 0.6, reader, &candidates)
            } else if let word = before(text, i), Self.forWhom.contains(word), isNear(text, .work, i - 1),
                let end = run(text, i)
            {
                add(text, i, end, .organization, 0.6, reader, &candidates)
            }
            if tokens[i].classes.contains(.companyEnd), let start = nameStart(text, before: i) {
                add(text, start, i, .organization, 0.55, reader, &candidates)
            }
        }
    }

    /// Countries and large cities, wherever they stand.
    private func known(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        let tokens = text.tokens
        let reader = CountryReader(text: text, lexicon: context.lexicon)
        var i = 0
        while i < tokens.count {
            guard tokens[i].kind == .word, let end = reader.end(of: i) else {
                i += 1
                continue
            }
            let isName = !tokens[i].classes.isDisjoint(with: [.first, .last]) && end == i
            candidates.append(
                Candidate(
                    entity: .location, start: tokens[i].start, end: tokens[end].end, score: isName ? 0.51 : 0.65))
            i = end + 1
        }
    }

    private func before(_ text: ScannedText, _ i: Int) -> UInt64? {
        i > 0 && text.tokens[i - 1].kind == .word && !text.tokens[i].startsLine ? text.tokens[i - 1].folded : nil
    }

    private func isNear(_ text: ScannedText, _ wanted: WordClass, _ i: Int) -> Bool {
        text.hasContext(wanted, before: 3, of: i) || text.has(i, wanted)
    }

    /// Whether `I'm from`, `she is originally from`, `we are in` stands before a word; not `the guy from`.
    static func isOrigin(_ text: ScannedText, _ i: Int) -> Bool {
        (text.isWord(i - 1, Word.from) || text.isWord(i - 1, Word.in)) && i > 1 && text.tokens[i - 2].kind == .word
            && beings.contains(text.tokens[i - 2].folded)
    }

    /// `my home town Zlin`, `the city of Zlin`. That a town is one identifies nobody, unless it is somebody's.
    private func isTown(_ text: ScannedText, _ i: Int) -> Bool {
        guard i > 0, !text.tokens[i].startsLine else { return false }
        let noun = text.isWord(i - 1, Word.of) ? i - 2 : text.isSign(i - 1, ":") ? i - 2 : i - 1
        guard text.has(noun, .settlement) else { return false }
        return includesKnown || text.hasContext(.residence, before: 6, of: noun + 1)
    }

    /// `Zlin NY 14201` at the beginning of a line or behind a comma: the last token of the town before state and postal code.
    private func townOfState(_ text: ScannedText, _ i: Int) -> Int? {
        let tokens = text.tokens
        guard tokens[i].startsLine || text.isSign(i - 1, ",") else { return nil }
        var end = i
        while end + 1 < tokens.count, end - i < 4, tokens[end + 1].kind == .word, !tokens[end + 1].startsLine {
            if PostalCodeRecognizer.isState(text, end + 1), end + 2 < tokens.count, tokens[end + 2].kind == .number,
                tokens[end + 2].length == 5
            {
                return end
            }
            guard tokens[end + 1].isCapitalised else { return nil }
            end += 1
        }
        // `Zlin, NY 14201`.
        guard text.isSign(end + 1, ","), PostalCodeRecognizer.isState(text, end + 2), end + 3 < tokens.count,
            tokens[end + 3].kind == .number, tokens[end + 3].length == 5
        else { return nil }
        return end
    }

    /// The last of up to five capitalised words.
    private func run(_ text: ScannedText, _ first: Int) -> Int? {
        let tokens = text.tokens
        guard isName(text, first) else { return nil }
        var end = first
        var at = first + 1
        var words = 1
        while at < tokens.count, words < 5, !tokens[at].startsLine {
            if text.isSign(at, "-") || text.isSign(at, "&") || text.isSign(at, "'") {
                at += 1
                continue
            }
            guard tokens[at].kind == .word else { break }
            if tokens[at].isCapitalised, tokens[at].folded != Word.i {
                end = at
                words += 1
            } else if !Self.links.contains(tokens[at].folded), !tokens[at].classes.contains(.particle) {
                break
            }
            at += 1
        }
        return end
    }

    private func isName(_ text: ScannedText, _ i: Int) -> Bool {
        let token = text.tokens[i]
        guard token.length > 1, token.classes.isDisjoint(with: [.title, .kin]) else { return false }
        if token.classes.contains(.common), !(i + 1 < text.tokens.count && text.tokens[i + 1].isCapitalised) {
            return false
        }
        return includesKnown || token.classes.isDisjoint(with: .neverName)
    }

    private func nameStart(_ text: ScannedText, before i: Int) -> Int? {
        let tokens = text.tokens
        var start = i
        while start > 0, i - start < 4, tokens[start - 1].kind == .word, tokens[start - 1].isCapitalised,
            !tokens[start].startsLine, tokens[start - 1].classes.isDisjoint(with: [.common, .neverName])
        {
            start -= 1
        }
        return start < i ? start : nil
    }

    private func add(
        _ text: ScannedText, _ first: Int, _ last: Int, _ entity: Entity, _ score: Double,
        _ reader: NameReader, _ candidates: inout [Candidate]
    ) {
        if !includesKnown {
            if text.tokens[first...last].contains(where: { !$0.classes.isDisjoint(with: [.place, .polity]) }) {
                return
            }
            // An operator's own: a brand, a town that everybody there speaks of.
            if text.tokens[first].classes.contains(.keptStart), let end = reader.keptEnd(first), end >= last { return }
        }
        candidates.append(
            Candidate(entity: entity, start: text.tokens[first].start, end: text.tokens[last].end, score: score))
    }
}
