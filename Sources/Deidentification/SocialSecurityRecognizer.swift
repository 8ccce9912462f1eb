/// US social security numbers: groups of 3, 2 and 4 digits, without the areas, groups and serials that are never issued.
/// Said to be one, any nine digits count: a number in error, or a taxpayer's, names a person too.
struct SocialSecurityRecognizer: Recognizer {
    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        guard text.hasDigit else { return }
        let tokens = text.tokens
        for i in tokens.indices where tokens[i].kind == .number && (tokens[i].length == 3 || tokens[i].length == 9) {
            guard let run = NumberRun(text, at: i, separators: "-.", maximumDigits: 9), !run.isGlued(text) else {
                continue
            }
            let isGrouped = run.groups == [3, 2, 4] && run.isUniform
            guard isGrouped || run.groups == [9] else { continue }
            // Part of a longer number?
            let after = run.last + 1
            if after + 1 < tokens.count, text.isSign(after, "-"), tokens[after].isJoined, tokens[after + 1].isJoined,
                tokens[after + 1].kind == .number
            {
                continue
            }
            var score = 0.1
            if isGrouped, Self.isIssued(run.digits) { score = run.separator == UInt8(ascii: "-") ? 0.8 : 0.4 }
            if text.hasContext(.ssn, before: 8, after: 4, of: i, run.last) || context.asked.contains(.ssn) {
                score = min(0.95, score + 0.45)
            }
            candidates.append(
                Candidate(
                    entity: .socialSecurityNumber, start: tokens[i].start, end: tokens[run.last].end, score: score))
        }
    }

    /// Area neither 000, 666 nor 900–999; group not 00; serial not 0000. Nine digits.
    static func isIssued(_ digits: [UInt8]) -> Bool {
        guard digits.count == 9 else { return false }
        let number = digits.reduce(0) { $0 * 10 + Int($1) }
        let area = number / 1_000_000
        return area != 0 && area != 666 && area < 900 && number / 10_000 % 100 != 0 && number % 10_000 != 0
    }
}
