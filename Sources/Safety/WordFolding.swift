import Foundation

/// A text as words under their disguises: lower case, without accents, invisible characters and apostrophes, digits and
/// signs read as the letters they stand for, runs of a letter counted. Linear in the length of the text.
struct WordFolding {
    /// A word with its runs of one letter collapsed.
    struct Word: Hashable {
        /// Each letter once per run.
        var letters: [Unicode.Scalar]
        /// Length of each run, as many as `letters`.
        var runs: [Int]

        init(_ scalars: some Sequence<Unicode.Scalar>) {
            letters = []
            runs = []
            for scalar in scalars {
                if scalar == letters.last {
                    runs[runs.count - 1] += 1
                } else {
                    letters.append(scalar)
                    runs.append(1)
                }
            }
        }

        /// Whether this word of a text can be the listed word with the same letters. Long words may stretch any letter;
        /// in short ones a letter said twice makes another word ("god", "good"), so a stretch is three or more.
        func isStretched(_ listed: [Int]) -> Bool {
            let length = listed.reduce(0, +)
            return runs.count >= listed.count
                && zip(runs, listed).allSatisfy { has, wants in
                    has == wants || (has > wants && (has >= 3 || length >= 5))
                }
        }
    }

    /// Part of a text between spaces and punctuation, in every reading of its ambiguous signs (one or two).
    struct Token {
        var readings: [Word]
        /// Whether it is one letter, perhaps of a word that was spaced out.
        var isSingle: Bool
        /// Whether a space came before.
        var beginsChunk: Bool
    }

    let tokens: [Token]

    init(_ text: String) {
        var tokens: [Token] = []
        for chunk in Self.plain(text).split(whereSeparator: \.properties.isWhitespace) {
            Self.read(Array(chunk), into: &tokens)
        }
        self.tokens = tokens
    }

    /// Compatibility forms undone, lower case, marks and invisible characters left out. In this order: capitals of
    /// mathematics, in squares or raised have no small form before they are plain letters.
    private static func plain(_ text: String) -> [Unicode.Scalar] {
        text.decomposedStringWithCompatibilityMapping.lowercased().unicodeScalars.lazy.filter { scalar in
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format: false
            case .control: scalar.properties.isWhitespace
            default: !(scalar.properties.isDefaultIgnorableCodePoint || scalar == "'" || scalar == "\u{2019}")
            }
        }.map { lookAlikes[$0] ?? $0 }
    }

    private static func read(_ chunk: [Unicode.Scalar], into tokens: inout [Token]) {
        var begins = true
        var position = 0
        while position < chunk.count {
            guard isPart(chunk, position) else {
                position += 1
                continue
            }
            var end = position
            while end < chunk.count, isPart(chunk, end) { end += 1 }
            let part = chunk[position..<end]
            tokens.append(
                Token(readings: readings(part), isSingle: part.count == 1, beginsChunk: begins))
            begins = false
            position = end
        }
    }

    /// Signs count as letters only where a letter follows, so that "idiot!" ends with a mark.
    private static func isPart(_ chunk: [Unicode.Scalar], _ position: Int) -> Bool {
        let scalar = chunk[position]
        if scalar.properties.isAlphabetic || scalar.properties.numericType != nil { return true }
        guard signs[scalar] != nil, position + 1 < chunk.count, chunk[position + 1].properties.isAlphabetic else {
            return false
        }
        // "!" and "|" also part sentences: they stand for a letter only inside a word.
        return (scalar != "!" && scalar != "|") || (position > 0 && chunk[position - 1].properties.isAlphabetic)
    }

    private static func readings(_ part: ArraySlice<Unicode.Scalar>) -> [Word] {
        // A number is a number; only next to a letter is a digit a disguise.
        guard part.contains(where: \.properties.isAlphabetic) else { return [Word(part)] }
        let first = Word(part.map { signs[$0] ?? $0 })
        guard part.contains(where: { other.contains($0) }) else { return [first] }
        return [first, Word(part.map { other.contains($0) ? "l" : signs[$0] ?? $0 })]
    }

    /// Letters of other scripts, and letters that do not decompose, that look like a Latin one.
    static let lookAlikes: [Unicode.Scalar: Unicode.Scalar] = {
        let rows: [(Unicode.Scalar, String)] = [
            ("a", "аαɑ"),
            ("b", "ьвβ"),
            ("c", "сς"),
            ("d", "đԁ"),
            ("e", "еєε"),
            ("g", "ɡ"),
            ("h", "ħһнη"),
            ("i", "ıіι"),
            ("j", "ј"),
            ("k", "кκ"),
            ("l", "łӏ"),
            ("m", "мμ"),
            ("n", "ην"),
            ("o", "øоοσ"),
            ("p", "рρ"),
            ("r", "г"),
            ("s", "ѕ"),
            ("t", "ŧтτ"),
            ("u", "υ"),
            ("v", "ѵν"),
            ("w", "ԝ"),
            ("x", "хχ"),
            ("y", "уγυ"),
            ("z", "ζ"),
        ]
        return rows.reduce(into: [:]) { table, row in
            for form in row.1.unicodeScalars { table[form] = row.0 }
        }
    }()

    private static let signs: [Unicode.Scalar: Unicode.Scalar] = [
        "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s", "!": "i", "|": "i",
        "€": "e",
    ]
    /// Signs that stand for i or for l.
    private static let other: Set<Unicode.Scalar> = ["1", "!", "|"]
}
