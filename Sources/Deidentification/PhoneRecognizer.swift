/// Telephone numbers: international (`+44 …`, `0044 …`), North American, and grouped as other countries do; bare rows of
/// digits only where the talk is of telephones.
struct PhoneRecognizer: Recognizer {
    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        guard text.hasDigit else { return }
        let tokens = text.tokens
        var i = 0
        while i < tokens.count {
            let isStart =
                tokens[i].kind == .number || text.isSign(i, "+")
                || (text.isSign(i, "(") && i + 1 < tokens.count && tokens[i + 1].kind == .number)
            guard isStart, !Self.isInside(text, i), let shape = PhoneShape(text, at: i) else {
                i += 1
                continue
            }
            var score = Self.score(shape)
            if score > 0 {
                let hasContext =
                    text.hasContext(.phone, before: 8, after: 3, of: i, shape.last) || context.asked.contains(.phone)
                if hasContext { score += 0.35 }
                let after = shape.last + 1
                if after < tokens.count, tokens[after].isJoined, tokens[after].kind == .word, !shape.hasExtension {
                    score -= 0.4
                }
                candidates.append(
                    Candidate(
                        entity: .phoneNumber, start: tokens[i].start, end: tokens[shape.last].end,
                        score: min(0.95, score)))
                i = shape.last + 1
            } else {
                i += 1
            }
        }
    }

    /// Whether the place is within a number or word that began before: the middle of an amount, a time, a name.
    private static func isInside(_ text: ScannedText, _ index: Int) -> Bool {
        guard index > 0, text.tokens[index].isJoined else { return false }
        if text.tokens[index - 1].kind == .word || text.tokens[index - 1].kind == .number { return true }
        guard let sign = text.sign(index - 1) else { return false }
        switch sign {
        case UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "@"): return true
        case UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "-"):
            return index > 1 && text.tokens[index - 1].isJoined && text.tokens[index - 2].kind == .number
        default: return false
        }
    }

    /// How like a telephone number it is written, before context: 0 means it is something else.
    static func score(_ shape: PhoneShape) -> Double {
        let digits = shape.digits
        let groups = shape.groups
        let count = digits.count
        // A social security number's grouping is no telephone's.
        if groups == [3, 2, 4], !shape.hasPlus { return 0.1 }
        if shape.hasPlus { return count >= 8 && digits[0] != 0 ? 0.85 : 0.3 }
        if looksLikeDate(shape) || looksLikeYears(shape) { return 0 }
        if digits[0] == 0, digits[1] == 0 { return count >= 10 ? 0.7 : 0.2 }
        if shape.hasExtension { return count >= 9 ? 0.7 : 0.45 }
        if shape.hasBrackets { return groups.first.map { $0 <= 5 } == true ? 0.65 : 0.3 }
        let tail = Array(groups.suffix(3))
        let isTenDigits = count == 10 || (count == 11 && digits[0] == 1)
        if isTenDigits, tail == [3, 3, 4] { return isNorthAmerican(digits.suffix(10)) ? 0.75 : 0.55 }
        if groups.count == 1 {
            // No grouping at all: ten digits may be anything.
            if isTenDigits { return isNorthAmerican(digits.suffix(10)) ? 0.4 : 0.2 }
            return digits[0] == 0 && (9...12).contains(count) ? 0.4 : count <= 11 ? 0.2 : 0.1
        }
        // Single digits with spaces are counting, not a number to call.
        if groups.dropFirst().contains(where: { $0 < 2 }) || groups.count > 6 { return 0.05 }
        if digits[0] == 0 { return (9...12).contains(count) && groups[0] >= 2 ? 0.6 : 0.4 }
        if groups == [3, 4] { return shape.separators == [UInt8(ascii: "-")] ? 0.45 : 0.3 }
        return 0.3
    }

    /// Area code and exchange begin with 2 to 9 and the exchange is not a service code (`N11`).
    static func isNorthAmerican(_ digits: ArraySlice<UInt8>) -> Bool {
        let d = Array(digits)
        guard d.count == 10 else { return false }
        return d[0] >= 2 && d[3] >= 2 && !(d[4] == 1 && d[5] == 1) && !(d[1] == 1 && d[2] == 1)
    }

    /// `2024-03-01`, `01.03.2024`, `1/3/2024`.
    private static func looksLikeDate(_ shape: PhoneShape) -> Bool {
        guard shape.groups.count >= 3, shape.separators.count == 1 || shape.groups.count > 3 else { return false }
        let g = Array(shape.groups.prefix(3))
        let isYearFirst = g[0] == 4 && g[1] <= 2 && g[2] <= 2
        let isYearLast = g[0] <= 2 && g[1] <= 2 && g[2] == 4
        guard isYearFirst || isYearLast else { return false }
        let year = shape.digits[(isYearFirst ? 0 : g[0] + g[1])...].prefix(4).reduce(0) { $0 * 10 + Int($1) }
        return (1800...2199).contains(year)
    }

    /// `1990-2000`.
    private static func looksLikeYears(_ shape: PhoneShape) -> Bool {
        guard shape.groups == [4, 4] else { return false }
        let first = shape.digits[0..<4].reduce(0) { $0 * 10 + Int($1) }
        let second = shape.digits[4..<8].reduce(0) { $0 * 10 + Int($1) }
        return (1000...2199).contains(first) && (1000...2199).contains(second)
    }
}
