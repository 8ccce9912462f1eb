/// Lexicons and the words of templates as numbers, for quick matching.
struct LexiconIndex: Sendable {
    /// Number that `none` (no slot) has among the lexicons.
    static let none = -1
    /// Number of the lexicon `any`, whose slots hold any words.
    static let any = -2

    struct Phrase: Sendable {
        var words: [Int32]
        var value: String
    }

    private var lexicons: [Lexicon]
    private var numbers: [String: Int] = [:]
    private var surfaces: [[String: [String: String]]] = []
    private var ids: [String: Int32] = [:]
    /// Phrases by lexicon and form, then by first word.
    private var phrases: [String: [Int32: [Phrase]]] = [:]

    init(_ lexicons: [Lexicon]) {
        self.lexicons = lexicons
        for (number, lexicon) in lexicons.enumerated() {
            numbers[lexicon.name] = number
            var byValue: [String: [String: String]] = [:]
            for entry in lexicon.entries {
                byValue[entry.value] = entry.forms
                for (form, surface) in entry.forms {
                    let words = SentenceText.words(of: surface).map { intern($0) }
                    guard let first = words.first else { continue }
                    phrases["\(number):\(form)", default: [:]][first, default: []].append(
                        Phrase(words: words, value: entry.value))
                }
            }
            surfaces.append(byValue)
        }
    }

    func number(of name: String, in template: String) throws(PatternError) -> Int {
        if name.isEmpty { return Self.none }
        if name == "any" { return Self.any }
        guard let number = numbers[name] else {
            throw PatternError(template: template, problem: "no lexicon \(name)")
        }
        return number
    }

    /// The number of a word, making one for a word not met before.
    mutating func intern(_ word: String) -> Int32 {
        if let id = ids[word] { return id }
        let id = Int32(ids.count)
        ids[word] = id
        return id
    }

    /// Number of every word that no template and no lexicon has.
    static let unknown: Int32 = -1

    func id(of word: String) -> Int32 { ids[word] ?? Self.unknown }

    func surface(of value: String, in lexicon: Int, form: String) -> String {
        guard surfaces.indices.contains(lexicon) else { return value }
        return surfaces[lexicon][value]?[form] ?? value
    }

    func isOpen(_ lexicon: Int) -> Bool { lexicons.indices.contains(lexicon) && lexicons[lexicon].isOpen }

    func phrases(of lexicon: Int, form: String) -> [Int32: [Phrase]] {
        phrases["\(lexicon):\(form)"] ?? [:]
    }
}
