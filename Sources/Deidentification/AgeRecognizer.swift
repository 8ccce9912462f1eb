/// Ages, where something says that a number is one: `34 years old`, `I'm 34`, `aged 34`, `34/f`. The finding is the number alone.
struct AgeRecognizer: Recognizer {
    private static func words(_ list: String) -> Set<UInt64> {
        Set(list.split(separator: " ").map { FoldedHash(String($0)).value })
    }
    private static let years = words("year years yr yrs")
    private static let short = words("yo yrold yearold")
    private static let y = FoldedHash("y").value
    private static let o = FoldedHash("o").value
    private static let old = words("old")
    private static let saying = words("age aged ages turning turned")
    private static let links = words("is of")
    private static let sexes = words("f m male female")
    /// What may follow `I'm 34` so that 34 is no count of something.
    private static let endings = words("and but male female f m now so too btw lol haha also from")
    private static let persons = words("he she hes shes is are theyre youre im")
    static let tens = [
        "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    ]
    private static let spoken: Set<UInt64> = words(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy "
            + "eighty ninety")
    private static let units: Set<UInt64> = words("one two three four five six seven eight nine")

    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        let isAsked = context.asked.contains(.age) && text.tokens.count <= 8
        let tokens = text.tokens
        for i in tokens.indices {
            let end: Int
            switch tokens[i].kind {
            case .number:
                guard tokens[i].length <= 3, let age = text.value(i), (1...119).contains(age), !isPart(text, i) else {
                    continue
                }
                end = i
            case .word:
                guard Self.spoken.contains(tokens[i].folded) else { continue }
                var last = i
                if text.isSign(last + 1, "-"), last + 2 < tokens.count, Self.units.contains(tokens[last + 2].folded) {
                    last += 2
                } else if last + 1 < tokens.count, Self.units.contains(tokens[last + 1].folded) {
                    last += 1
                }
                end = last
            case .sign: continue
            }
            guard let score = score(text, i, end, isAsked) else { continue }
            candidates.append(Candidate(entity: .age, start: tokens[i].start, end: tokens[end].end, score: score))
        }
    }

    /// `1.34`, `$34`, `12:34`, `3-4`.
    private func isPart(_ text: ScannedText, _ i: Int) -> Bool {
        let tokens = text.tokens
        if tokens[i].isJoined, i > 0, !text.isSign(i - 1, "("), !text.isSign(i - 1, "'"), !text.isSign(i - 1, "\"") {
            return true
        }
        guard i + 2 < tokens.count, tokens[i + 1].isJoined, tokens[i + 2].isJoined, tokens[i + 2].kind == .number else {
            return false
        }
        return tokens[i + 1].kind == .sign
    }

    private func score(_ text: ScannedText, _ i: Int, _ end: Int, _ isAsked: Bool) -> Double? {
        let tokens = text.tokens
        func word(_ at: Int) -> UInt64 {
            tokens.indices.contains(at) && tokens[at].kind == .word ? tokens[at].folded : 0
        }
        // Behind: `34 years old`, `34-year-old`, `34yo`, `34 y/o`.
        var at = end + 1
        if text.isSign(at, "-") { at += 1 }
        if Self.years.contains(word(at)) {
            if text.isSign(at + 1, "'") || text.isSign(at + 1, "-") { at += 1 }
            if Self.old.contains(word(at + 1)) { return isThing(text, i) ? nil : 0.85 }
        }
        if Self.short.contains(word(at)) { return 0.85 }
        if word(at) == Self.y, text.isSign(at + 1, "/") || text.isSign(at + 1, "."), word(at + 2) == Self.o {
            return 0.85
        }
        // `34/f`
        if tokens[i].kind == .number, text.isSign(end + 1, "/"), Self.sexes.contains(word(end + 2)) { return 0.7 }
        // Before: `age 34`, `aged 34`, `my age is 34`, `turning 34`.
        var before = i - 1
        if text.isSign(before, ":") || Self.links.contains(word(before)) { before -= 1 }
        if Self.saying.contains(word(before)) { return 0.7 }
        let isClosed =
            at >= tokens.count
            || tokens[at].kind == .sign && !text.isSign(at, "%") && !text.isSign(at, "'")
                && !text.isSign(at, "\"") && !text.isSign(at, "/")
            || Self.endings.contains(word(at))
        let isAdult = tokens[i].kind == .word || (text.value(i) ?? 0) >= 10
        guard isClosed, isAdult else { return isAsked && tokens[i].kind == .number ? 0.6 : nil }
        // `I'm 34`, `I am 34`, `im 34`.
        let isMe =
            word(i - 1) == Word.im || word(i - 1) == Word.am && word(i - 2) == Word.i
            || word(i - 1) == Word.m && text.isSign(i - 2, "'") && word(i - 3) == Word.i
        if isMe { return 0.65 }
        // `she is 34`, `my son is 34`.
        if word(i - 1) == Word.is, text.has(i - 2, .kin) { return 0.6 }
        if word(i - 1) == Word.is, Self.persons.contains(word(i - 2)) { return 0.55 }
        return isAsked ? 0.6 : nil
    }

    /// `a 200 year old house`: ages of persons end at 119, and a thing is named behind `old`.
    private func isThing(_ text: ScannedText, _ i: Int) -> Bool {
        text.hasContext(.version, before: 3, of: i)
    }
}
