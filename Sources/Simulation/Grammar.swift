/// Rules that turn acts into sentences and sentences into acts.
///
/// One table serves both ways, so whatever the grammar can say the judge can read, in any recombination of its parts.
struct Grammar: Sendable {
    /// Ways of saying one kind of act.
    struct Rule: Sendable {
        var act: Act
        /// Name of the lexicon of `{s}`, or `any` for one to six words of any kind.
        var subject: String
        /// Name of the lexicon of `{v}`.
        var value: String
        var templates: [String]

        /// `says` holds one template a line.
        init(
            _ kind: Act.Kind, _ domain: String = "", _ attribute: String = "", s: String = "", v: String = "",
            says: String
        ) {
            act = Act(kind: kind, domain: domain, attribute: attribute)
            subject = s
            value = v
            templates = says.split(separator: "\n").map(String.init)
        }
    }

    private struct Key: Hashable {
        var kind: Act.Kind
        var domain: String
        var attribute: String
    }

    /// One template, ready to say and to match.
    private struct Form: Sendable {
        var act: Act
        var pattern: Pattern
        var usesSubject: Bool
        var usesValue: Bool
        var subject: Int
        var value: Int
        var program: SentenceProgram
    }

    private var lexicons: LexiconIndex
    private var forms: [Form] = []
    private var formsByKey: [Key: [Int]] = [:]
    private var formsByFirstWord: [Int32: [Int]] = [:]
    private var formsOfAnyFirstWord: [Int] = []

    init(rules: [Rule], lexicons entries: [Lexicon], parts: [String: String]) throws(PatternError) {
        var lexicons = LexiconIndex(entries)
        for rule in rules {
            let subject = try lexicons.number(of: rule.subject, in: rule.templates.first ?? "")
            let value = try lexicons.number(of: rule.value, in: rule.templates.first ?? "")
            for template in rule.templates {
                let pattern = try Pattern(template, parts: parts)
                let program = SentenceProgram(pattern, subject: subject, value: value, lexicons: &lexicons)
                let number = forms.count
                forms.append(
                    Form(
                        act: rule.act, pattern: pattern, usesSubject: pattern.usesSubject,
                        usesValue: pattern.usesValue, subject: subject, value: value, program: program))
                let key = Key(kind: rule.act.kind, domain: rule.act.domain, attribute: rule.act.attribute)
                formsByKey[key, default: []].append(number)
                let first = program.firstWords(lexicons)
                if let first {
                    for word in first { formsByFirstWord[word, default: []].append(number) }
                } else {
                    formsOfAnyFirstWord.append(number)
                }
            }
        }
        self.lexicons = lexicons
    }

    /// One sentence for an act, or `nil` where no template can say it. An act with a subject is only said by templates
    /// that name the subject, and likewise its value: nothing that matters is left out.
    func sentence(for act: Act, _ random: inout SplitMix64) -> String? {
        let key = Key(kind: act.kind, domain: act.domain, attribute: act.attribute)
        let fitting = (formsByKey[key] ?? []).filter { number in
            forms[number].usesSubject == !act.subject.isEmpty && forms[number].usesValue == !act.value.isEmpty
        }
        guard let number = random.pick(fitting) else { return nil }
        let form = forms[number]
        let words = form.pattern.words(&random) { isSubject, shape in
            isSubject
                ? lexicons.surface(of: act.subject, in: form.subject, form: shape)
                : lexicons.surface(of: act.value, in: form.value, form: shape)
        }
        return Self.joined(words)
    }

    /// Every act that a sentence of these words may be, empty for one that the grammar does not know.
    func acts(of words: [String]) -> [Act] {
        let ids = words.map { lexicons.id(of: $0) }
        guard let first = ids.first else { return [] }
        var found: [Act] = []
        for number in (formsByFirstWord[first] ?? []) + formsOfAnyFirstWord {
            let form = forms[number]
            form.program.match(ids, words: words, lexicons: lexicons) { subject, value in
                var act = form.act
                act.subject = subject
                act.value = value
                if !found.contains(act) { found.append(act) }
            }
        }
        return found
    }

    private static func joined(_ words: [String]) -> String {
        var text = ""
        for word in words where !word.isEmpty {
            let isPunctuation = word.first.map { ".,!?;:".contains($0) } ?? false
            if !text.isEmpty && !isPunctuation { text += " " }
            text += word
        }
        return SentenceText.capitalised(text)
    }
}
