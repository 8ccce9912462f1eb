/// Porter's stemmer (Porter 1980, "An algorithm for suffix stripping"), in the original form, for lower-case ASCII words.
enum PorterStemmer {
    static func stem(_ word: String) -> String {
        var letters = Array(word.utf8)
        guard letters.count > 2, letters.allSatisfy({ (0x61...0x7A).contains($0) }) else { return word }
        step1a(&letters)
        step1b(&letters)
        step1c(&letters)
        replace(&letters, step2, measure: 0)
        replace(&letters, step3, measure: 0)
        step4(&letters)
        step5(&letters)
        return String(decoding: letters, as: UTF8.self)
    }

    private static func isConsonant(_ w: [UInt8], _ i: Int) -> Bool {
        switch w[i] {
        case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"): false
        case UInt8(ascii: "y"): i == 0 || !isConsonant(w, i - 1)
        default: true
        }
    }

    /// Number of vowel–consonant sequences.
    private static func measure(_ w: [UInt8]) -> Int {
        var count = 0
        var wasVowel = false
        for i in w.indices {
            let isVowel = !isConsonant(w, i)
            if wasVowel, !isVowel { count += 1 }
            wasVowel = isVowel
        }
        return count
    }

    private static func hasVowel(_ w: [UInt8]) -> Bool { w.indices.contains { !isConsonant(w, $0) } }

    private static func endsDoubled(_ w: [UInt8]) -> Bool {
        w.count > 1 && w[w.count - 1] == w[w.count - 2] && isConsonant(w, w.count - 1)
    }

    private static func endsCVC(_ w: [UInt8]) -> Bool {
        guard w.count > 2, let last = w.last else { return false }
        let n = w.count
        return isConsonant(w, n - 3) && !isConsonant(w, n - 2) && isConsonant(w, n - 1)
            && !Array("wxy".utf8).contains(last)
    }

    private static func ends(_ w: [UInt8], _ suffix: String) -> Bool {
        w.count >= suffix.utf8.count && w.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }

    private static func cut(_ w: [UInt8], _ suffix: String) -> [UInt8] { Array(w.dropLast(suffix.utf8.count)) }

    private static func step1a(_ w: inout [UInt8]) {
        if ends(w, "sses") {
            w = cut(w, "es")
        } else if ends(w, "ies") {
            w = cut(w, "es")
        } else if ends(w, "ss") {
            return
        } else if ends(w, "s") {
            w = cut(w, "s")
        }
    }

    private static func step1b(_ w: inout [UInt8]) {
        if ends(w, "eed") {
            if measure(cut(w, "eed")) > 0 { w = cut(w, "d") }
            return
        }
        let stem: [UInt8]
        if ends(w, "ed"), hasVowel(cut(w, "ed")) {
            stem = cut(w, "ed")
        } else if ends(w, "ing"), hasVowel(cut(w, "ing")) {
            stem = cut(w, "ing")
        } else {
            return
        }
        w = stem
        if ends(w, "at") || ends(w, "bl") || ends(w, "iz") {
            w += Array("e".utf8)
        } else if endsDoubled(w), let last = w.last, !Array("lsz".utf8).contains(last) {
            w.removeLast()
        } else if measure(w) == 1, endsCVC(w) {
            w += Array("e".utf8)
        }
    }

    private static func step1c(_ w: inout [UInt8]) {
        if ends(w, "y"), hasVowel(cut(w, "y")) { w[w.count - 1] = UInt8(ascii: "i") }
    }

    private static let step2: [(String, String)] = [
        ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("abli", "able"),
        ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
        ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"),
        ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"),
    ]
    private static let step3: [(String, String)] = [
        ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""),
    ]

    private static func replace(_ w: inout [UInt8], _ table: [(String, String)], measure least: Int) {
        // The longest suffix that fits decides, whether or not its condition holds.
        guard let (suffix, new) = table.filter({ ends(w, $0.0) }).max(by: { $0.0.count < $1.0.count }) else { return }
        let stem = cut(w, suffix)
        if measure(stem) > least { w = stem + Array(new.utf8) }
    }

    private static let step4Suffixes = [
        "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate",
        "iti", "ous", "ive", "ize",
    ]

    private static func step4(_ w: inout [UInt8]) {
        guard let suffix = step4Suffixes.filter({ ends(w, $0) }).max(by: { $0.count < $1.count }) else { return }
        let stem = cut(w, suffix)
        guard measure(stem) > 1 else { return }
        if suffix == "ion", !ends(stem, "s"), !ends(stem, "t") { return }
        w = stem
    }

    private static func step5(_ w: inout [UInt8]) {
        if ends(w, "e") {
            let stem = cut(w, "e")
            let m = measure(stem)
            if m > 1 || (m == 1 && !endsCVC(stem)) { w = stem }
        }
        if ends(w, "ll"), measure(w) > 1 { w.removeLast() }
    }
}
