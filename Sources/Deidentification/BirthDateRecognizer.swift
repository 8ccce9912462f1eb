/// Dates said to be somebody's birth. Other dates stay: without them a talk about last Sunday makes no sense, and they name
/// nobody.
struct BirthDateRecognizer: Recognizer {
    private static let months: [UInt64: Int] = {
        let names = [
            ("january", "jan"), ("february", "feb"), ("march", "mar"), ("april", "apr"), ("may", "may"),
            ("june", "jun"),
            ("july", "jul"), ("august", "aug"), ("september", "sep"), ("october", "oct"), ("november", "nov"),
            ("december", "dec"),
        ]
        var map: [UInt64: Int] = [:]
        for (index, name) in names.enumerated() {
            map[FoldedHash(name.0).value] = index + 1
            map[FoldedHash(name.1).value] = index + 1
        }
        map[FoldedHash("sept").value] = 9
        return map
    }()
    private static let ordinals = Set(["st", "nd", "rd", "th"].map { FoldedHash($0).value })

    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        guard text.hasDigit, !text.classes.isDisjoint(with: .birth) || context.asked.contains(.birth) else { return }
        let tokens = text.tokens
        var i = 0
        while i < tokens.count {
            guard let last = Self.numeric(text, i) ?? Self.named(text, i) else {
                i += 1
                continue
            }
            if text.hasContext(.birth, before: 14, after: 6, of: i, last) || context.asked.contains(.birth) {
                candidates.append(
                    Candidate(entity: .dateOfBirth, start: tokens[i].start, end: tokens[last].end, score: 0.8))
            }
            i = last + 1
        }
    }

    /// `5/19/1937`, `19.5.37`, `1937-05-19`: the place of the last number.
    private static func numeric(_ text: ScannedText, _ i: Int) -> Int? {
        guard i + 4 < text.tokens.count, let sign = text.sign(i + 1),
            sign == UInt8(ascii: "/") || sign == UInt8(ascii: "-") || sign == UInt8(ascii: "."),
            text.sign(i + 3) == sign, let a = text.value(i), let b = text.value(i + 2), let c = text.value(i + 4),
            (1...4).allSatisfy({ text.tokens[i + $0].isJoined })
        else { return nil }
        let isYearLast = (1...31).contains(a) && (1...31).contains(b) && isYear(c, text.tokens[i + 4].length)
        let isYearFirst = text.tokens[i].length == 4 && isYear(a, 4) && (1...12).contains(b) && (1...31).contains(c)
        return isYearLast || isYearFirst ? i + 4 : nil
    }

    /// `March 5th, 1988`, `5th of March 1988`, `March 5`: the place of the last word.
    private static func named(_ text: ScannedText, _ i: Int) -> Int? {
        let tokens = text.tokens
        if months[tokens[i].folded] != nil, tokens[i].kind == .word {
            guard let day = text.value(i + 1), (1...31).contains(day) else { return nil }
            return year(text, after: ordinal(text, after: i + 1))
        }
        guard let day = text.value(i), (1...31).contains(day) else { return nil }
        var month = ordinal(text, after: i) + 1
        if text.isWord(month, Word.of) { month += 1 }
        guard month < tokens.count, tokens[month].kind == .word, months[tokens[month].folded] != nil else { return nil }
        return year(text, after: month)
    }

    private static func ordinal(_ text: ScannedText, after i: Int) -> Int {
        i + 1 < text.tokens.count && text.tokens[i + 1].isJoined && ordinals.contains(text.tokens[i + 1].folded)
            ? i + 1 : i
    }

    private static func year(_ text: ScannedText, after i: Int) -> Int {
        var at = i + 1
        if text.isSign(at, ",") { at += 1 }
        guard let value = text.value(at), text.tokens[at].length == 4, isYear(value, 4) else { return i }
        return at
    }

    private static func isYear(_ value: Int, _ length: Int) -> Bool {
        length == 2 || (length == 4 && (1850...2150).contains(value))
    }
}
