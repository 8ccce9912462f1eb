/// Postal codes: US behind a state or said to be one, British and Canadian by their form.
struct PostalCodeRecognizer: Recognizer {
    private static let states = Set(
        """
        al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc \
        sd tn tx ut vt va wa wv wi wy dc pr
        """.split(separator: " ").map { FoldedHash(String($0)).value })

    /// Whether a word is the code of a state of the US.
    static func isState(_ text: ScannedText, _ i: Int) -> Bool {
        guard text.tokens.indices.contains(i) else { return false }
        let token = text.tokens[i]
        return token.kind == .word && token.isAllCapitals && token.length == 2 && states.contains(token.folded)
    }

    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        guard text.hasDigit else { return }
        let tokens = text.tokens
        // The answer to a question for it, if it is a short one.
        let isAsked = context.asked.contains(.postcode) && tokens.count <= 8
        for i in tokens.indices {
            if tokens[i].kind == .number, let found = numeric(text, i, isAsked) {
                candidates.append(
                    Candidate(entity: .postalCode, start: tokens[i].start, end: tokens[found.0].end, score: found.1))
            } else if tokens[i].kind == .word, tokens[i].length <= 2, let last = british(text, i) ?? canadian(text, i) {
                candidates.append(
                    Candidate(entity: .postalCode, start: tokens[i].start, end: tokens[last].end, score: 0.7))
            }
        }
    }

    private func numeric(_ text: ScannedText, _ i: Int, _ isAsked: Bool) -> (Int, Double)? {
        let tokens = text.tokens
        guard (4...6).contains(tokens[i].length),
            !tokens[i].isJoined || text.isSign(i - 1, "(") || text.isSign(i - 1, ":")
        else { return nil }
        var last = i
        if tokens[i].length == 5, text.isSign(i + 1, "-"), i + 2 < tokens.count, tokens[i + 1].isJoined,
            tokens[i + 2].isJoined, tokens[i + 2].kind == .number, tokens[i + 2].length == 4
        {
            last = i + 2
        }
        if last + 1 < tokens.count, tokens[last + 1].isJoined, tokens[last + 1].kind != .sign { return nil }
        if isAsked || text.hasContext(.postcode, before: 5, of: i) { return (last, 0.75) }
        // The end of the last line of an address: `Apt. 5\n Zlin\n Togo 95522`.
        if tokens[i].length >= 5, i > 1, last + 1 >= tokens.count || tokens[last + 1].startsLine,
            tokens[i - 1].kind == .word,
            tokens[i - 1].isCapitalised || tokens[i - 1].classes.contains(.place), !tokens[i].startsLine,
            text.hasContext([.unit, .street], before: 16, of: i)
        {
            return (last, 0.6)
        }
        guard tokens[i].length == 5, i > 0 else { return nil }
        let before = text.isSign(i - 1, ",") ? i - 2 : i - 1
        guard before > 0, Self.isState(text, before)
        else { return last > i ? (last, 0.5) : nil }
        return (last, 0.75)
    }

    /// `SW1A 1AA`, `M1 1AE`: one or two letters, a digit, a digit or letter; a digit and two letters.
    private func british(_ text: ScannedText, _ i: Int) -> Int? {
        let tokens = text.tokens
        guard !tokens[i].isJoined || text.isSign(i - 1, "("), tokens[i].isCapitalised,
            tokens[i].length == 1 || tokens[i].isAllCapitals, i + 3 < tokens.count,
            tokens[i + 1].kind == .number, tokens[i + 1].isJoined, tokens[i + 1].length <= 2
        else { return nil }
        var inward = i + 2
        if tokens[inward].kind == .word, tokens[inward].isJoined, tokens[inward].length == 1 { inward += 1 }
        guard inward + 1 < tokens.count, tokens[inward].kind == .number, tokens[inward].length == 1,
            !tokens[inward].isJoined, tokens[inward + 1].kind == .word, tokens[inward + 1].isJoined,
            tokens[inward + 1].length == 2, tokens[inward + 1].isAllCapitals
        else { return nil }
        return ends(text, inward + 1)
    }

    /// `K1A 0B1`.
    private func canadian(_ text: ScannedText, _ i: Int) -> Int? {
        let tokens = text.tokens
        guard i + 5 < tokens.count, !tokens[i].isJoined, tokens[i].isCapitalised else { return nil }
        let second = text.isSign(i + 3, "-") ? i + 4 : i + 3
        guard second + 2 < tokens.count else { return nil }
        let isForm =
            [i, i + 2, second + 1].allSatisfy {
                tokens[$0].kind == .word && tokens[$0].length == 1 && tokens[$0].isCapitalised
            }
            && [i + 1, second, second + 2].allSatisfy { tokens[$0].kind == .number && tokens[$0].length == 1 }
            && [i + 1, i + 2, second + 1, second + 2].allSatisfy { tokens[$0].isJoined }
        return isForm ? ends(text, second + 2) : nil
    }

    private func ends(_ text: ScannedText, _ last: Int) -> Int? {
        last + 1 < text.tokens.count && text.tokens[last + 1].isJoined && text.tokens[last + 1].kind != .sign
            ? nil : last
    }
}
