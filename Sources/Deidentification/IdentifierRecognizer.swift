/// Driving licences and passports: rows of letters and digits that only their context tells from others.
struct IdentifierRecognizer: Recognizer {
    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        let wanted: WordClass = [.license, .passport]
        guard text.hasDigit, !text.classes.isDisjoint(with: wanted) || !context.asked.isDisjoint(with: wanted) else {
            return
        }
        let tokens = text.tokens
        var i = 0
        while i < tokens.count {
            guard tokens[i].kind != .sign, !tokens[i].isJoined || (i > 0 && tokens[i - 1].kind == .sign) else {
                i += 1
                continue
            }
            var last = i
            var digits = tokens[i].kind == .number ? tokens[i].length : 0
            while last + 1 < tokens.count, tokens[last + 1].isJoined, tokens[last + 1].kind != .sign {
                last += 1
                if tokens[last].kind == .number { digits += tokens[last].length }
            }
            let length = tokens[last].end - tokens[i].start
            if digits >= 5, (6...16).contains(length) {
                if text.hasContext(.passport, before: 7, of: i) || context.asked.contains(.passport) {
                    candidates.append(
                        Candidate(entity: .passport, start: tokens[i].start, end: tokens[last].end, score: 0.7))
                } else if text.hasContext(.license, before: 7, of: i) || context.asked.contains(.license) {
                    candidates.append(
                        Candidate(entity: .driverLicense, start: tokens[i].start, end: tokens[last].end, score: 0.7))
                }
            }
            i = last + 1
        }
    }
}
