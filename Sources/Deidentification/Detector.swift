/// Runs all recognizers over one text.
struct Detector: Sendable {
    let lexicon: Lexicon
    /// Candidates below this are dropped.
    var threshold: Double
    /// Find well-known places too, which stay otherwise: for comparison with marked texts.
    var includesKnown = false

    private static let patterns: [any Recognizer] = [
        EmailRecognizer(), URLRecognizer(), IPAddressRecognizer(), CreditCardRecognizer(), SocialSecurityRecognizer(),
        IBANRecognizer(), PhoneRecognizer(), AddressRecognizer(), HandleRecognizer(), BirthDateRecognizer(),
        IdentifierRecognizer(), CryptoRecognizer(), MACAddressRecognizer(), USNumberRecognizer(), AgeRecognizer(),
        PostalCodeRecognizer(), SpokenNumberRecognizer(),
    ]

    /// Everything but names.
    func patterns(in text: ScannedText, _ context: RecognitionContext) -> [Candidate] {
        var found: [Candidate] = []
        for recognizer in Self.patterns { recognizer.recognize(text, context, into: &found) }
        PlaceRecognizer(includesKnown: includesKnown).recognize(text, context, into: &found)
        return found.filter { $0.score >= threshold }
    }

    /// Names of persons; with what an encoder says of the words, of places and organisations too.
    func names(in text: ScannedText, _ context: RecognitionContext, tags: NameTags? = nil) -> [Candidate] {
        var found: [Candidate] = []
        PersonRecognizer().recognize(text, context, into: &found)
        found.removeAll { $0.score < threshold }
        let reader = NameReader(text: text, context: context)
        if let tags {
            let tagged = TaggedNameRecognizer(tags: tags, includesKnown: includesKnown)
            found = found.compactMap { tagged.judged($0, text, reader) } + tagged.candidates(text, context)
        }
        guard !includesKnown, text.classes.contains(.fame) else { return found }
        return found.filter { candidate in
            let inside = text.tokens(from: candidate.start, to: candidate.end)
            return candidate.entity != .person || inside.isEmpty
                || !reader.isOfFame(inside.lowerBound, inside.upperBound - 1)
        }
    }

    /// What a turn asks the next one for.
    func expectation(of text: ScannedText) -> (asked: WordClass, asksName: Bool) {
        let tokens = text.tokens
        guard tokens.contains(where: { $0.kind == .sign && $0.folded == UInt64(UInt8(ascii: "?")) }) else {
            return ([], false)
        }
        let wanted: WordClass = [
            .phone, .card, .ssn, .birth, .address, .account, .license, .passport, .iban, .age, .postcode,
        ]
        var asksName = false
        for i in tokens.indices where tokens[i].kind == .word {
            if tokens[i].folded == Word.name, text.isWord(i - 1, Word.your) || text.isWord(i - 1, Word.full) {
                asksName = true
            }
            if tokens[i].folded == Word.you, text.isWord(i - 1, Word.call) { asksName = true }
        }
        var asked = text.classes.intersection(wanted)
        // `Where do you live?`, `where are you from`: the bare answer is a place.
        if tokens.contains(where: { $0.folded == Word.where }),
            text.classes.contains(.residence) || tokens.contains(where: { $0.folded == Word.from })
        {
            asked.insert(.residence)
        }
        return (asked, asksName)
    }

    /// The words of a found name that name the person wherever they stand in the conversation.
    func words(of name: Candidate, in text: ScannedText) -> [UInt64] {
        return text.tokens[text.tokens(from: name.start, to: name.end)].filter {
            $0.kind == .word && $0.length > 2
                && $0.classes.isDisjoint(with: [.title, .suffix, .particle, .common, .neverName])
        }.map(\.folded)
    }
}
