import Foundation

/// Texts without the disguises that words hide under: letters as digits and signs, letters apart, letters in another
/// dress or of another script, characters that do not show. Linear in the length of the text.
struct PlainSpelling: Hashable {
    /// The text as it would be written plainly.
    let text: String
    /// Whether the text as written says nothing more than letters one by one: no word stands in it to be read.
    let isAllThereIs: Bool

    /// The text as it would be written plainly; `nil` where nothing is disguised.
    static func of(_ text: String) -> PlainSpelling? {
        var (isDisguised, hasWords) = (false, false)
        let shown = text.unicodeScalars.filter { scalar in
            let hides = scalar.properties.generalCategory == .format || scalar.properties.isDefaultIgnorableCodePoint
            if hides, scalar != "\u{200D}", !scalar.properties.isVariationSelector { isDisguised = true }
            return !hides
        }
        let scalars = Array(shown)
        let plain = undressed(scalars)
        if plain != nil { isDisguised = true }
        var words: [String] = []
        // Letters that stand alone, and whether a wider gap came before each.
        var singles: [(letter: Character, isApart: Bool)] = []
        func endSingles() {
            defer { singles = [] }
            guard singles.count >= 3 else {
                hasWords = hasWords || !singles.isEmpty
                words += singles.map { String($0.letter) }
                return
            }
            isDisguised = true
            for (place, single) in singles.enumerated() {
                if place == 0 || single.isApart { words.append("") }
                words[words.count - 1].append(single.letter)
            }
        }
        var gap = 0
        var word = ""
        func endWord() {
            guard !word.isEmpty else { return }
            if word.count == 1, let letter = word.first, letter.isLetter || stand[letter] != nil {
                singles.append((letter, gap > 1))
            } else {
                endSingles()
                hasWords = hasWords || word.contains { $0.isLetter || $0.isNumber }
                words.append(word)
            }
            word = ""
            gap = 0
        }
        for character in String(String.UnicodeScalarView(plain ?? scalars)) {
            if character.isWhitespace {
                endWord()
                gap += 1
            } else {
                word.append(character)
            }
        }
        endWord()
        endSingles()
        for place in words.indices {
            guard let plain = letters(of: words[place]) else { continue }
            words[place] = plain
            isDisguised = true
        }
        return isDisguised ? PlainSpelling(text: words.joined(separator: " "), isAllThereIs: !hasWords) : nil
    }

    /// Letters of mathematics, full-width, in circles or raised as the letters that they are, and beside Latin letters
    /// those of Greek and Cyrillic that look like one: an encoder knows no word of these. `nil` where there are none.
    private static func undressed(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar]? {
        guard scalars.contains(where: { !$0.isASCII }) else { return nil }
        var isChanged = false
        var plain: [Unicode.Scalar] = []
        for scalar in scalars {
            guard !scalar.isASCII else {
                plain.append(scalar)
                continue
            }
            // A letter with an accent comes apart too, but not into letters alone.
            let form = String(scalar).decomposedStringWithCompatibilityMapping.unicodeScalars
            if form.allSatisfy({ $0.isASCII && $0.properties.isAlphabetic }) {
                plain += form
                isChanged = true
            } else {
                plain.append(scalar)
            }
        }
        var start = 0
        while start < plain.count {
            var end = start
            while end < plain.count, plain[end].properties.isAlphabetic { end += 1 }
            if plain[start..<end].contains(where: { $0.isASCII }) {
                for place in start..<end {
                    guard let twin = latinTwin(of: plain[place]) else { continue }
                    plain[place] = twin
                    isChanged = true
                }
            }
            start = max(start + 1, end)
        }
        return isChanged ? plain : nil
    }

    /// The Latin letter that a Greek or Cyrillic one looks like.
    private static func latinTwin(of scalar: Unicode.Scalar) -> Unicode.Scalar? {
        guard (0x370...0x52F).contains(scalar.value) else { return nil }
        return scalar.properties.lowercaseMapping.unicodeScalars.first.flatMap { WordFolding.lookAlikes[$0] }
    }

    private static let stand: [Character: Character] = [
        "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i", "€": "e", "|": "l",
    ]
    /// What follows a number in plain writing: "1st", "30s", "5pm", "10k".
    private static let endings: Set<String> = [
        "st", "nd", "rd", "th", "s", "d", "k", "m", "g", "x", "am", "pm", "h", "min", "km", "kg", "cm", "mm", "gb",
        "mb",
    ]

    /// A word that mixes letters with what stands for them, in letters; `nil` for all others.
    private static func letters(of word: String) -> String? {
        // What closes a sentence closes it still.
        let end = word.lastIndex { !".,!?;:'\")".contains($0) }.map { word.index(after: $0) } ?? word.startIndex
        let (core, rest) = (word[..<end], word[end...])
        guard core.count >= 2, core.contains(where: \.isLetter), core.contains(where: { stand[$0] != nil }),
            // A size, a number with its unit, an address, a handle.
            core.contains(where: { $0.isLetter && $0 != "x" }),
            !endings.contains(String(core.drop { $0.isNumber }).lowercased()),
            !core.dropFirst().contains("@") || core.count < 8,
            core.first != "@"
        else { return nil }
        return String(core.map { stand[$0] ?? $0 }) + rest
    }
}
