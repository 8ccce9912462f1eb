/// The words that a slot may hold: surface forms of values, several forms to a value where grammar wants them.
struct Lexicon: Sendable {
    /// One value with its forms: `""` the plain one, `a` with its article, `p` the plural, `ing` the participle.
    struct Entry: Sendable {
        var value: String
        var forms: [String: String]
    }

    var name: String
    var entries: [Entry]
    /// True when any one word that the world does not know may stand in for a value: names that were pseudonymised.
    var isOpen = false

    /// A lexicon whose values are their own and only form.
    init(_ name: String, plain values: [String]) {
        self.init(name, entries: values.map { Entry(value: $0, forms: ["": $0]) })
    }

    /// Countable nouns: `otter`, `an otter`, `otters`.
    init(_ name: String, nouns values: [String]) {
        self.init(
            name,
            entries: values.map { noun in
                let article = "aeiou".contains(noun.first ?? "x") ? "an " : "a "
                return Entry(value: noun, forms: ["": noun, "a": article + noun, "p": Self.plural(of: noun)])
            })
    }

    init(_ name: String, entries: [Entry]) {
        self.name = name
        self.entries = entries
    }

    var values: [String] { entries.map(\.value) }

    static func plural(of noun: String) -> String {
        if noun.hasSuffix("x") || noun.hasSuffix("ch") || noun.hasSuffix("s") { return noun + "es" }
        if noun.hasSuffix("y") && !noun.hasSuffix("ey") { return noun.dropLast() + "ies" }
        return noun + "s"
    }
}
