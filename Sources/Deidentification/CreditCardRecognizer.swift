/// Card numbers: 13 to 19 digits in groups, an issuer's first digits, and Luhn's check digit (ISO/IEC 7812).
struct CreditCardRecognizer: Recognizer {
    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        guard text.hasDigit else { return }
        let tokens = text.tokens
        var i = 0
        while i < tokens.count {
            guard tokens[i].kind == .number, tokens[i].length >= 3, tokens[i].length <= 19,
                let run = NumberRun(text, at: i, separators: "-.", maximumDigits: 19)
            else {
                i += 1
                continue
            }
            if let last = Self.match(text, run) {
                candidates.append(
                    Candidate(entity: .creditCard, start: tokens[i].start, end: tokens[last].end, score: 0.95))
                i = last + 1
            } else if run.digits.count >= 13, !run.isGlued(text),
                text.hasContext(.card, before: 6, of: i) || context.asked.contains(.card)
            {
                // Said to be a card number, with a digit mistyped: somebody's all the same.
                candidates.append(
                    Candidate(entity: .creditCard, start: tokens[i].start, end: tokens[run.last].end, score: 0.55))
                i = run.last + 1
            } else {
                i += 1
            }
        }
    }

    /// The last token of the longest card number that the run begins with (an expiry date may follow it).
    private static func match(_ text: ScannedText, _ run: NumberRun) -> Int? {
        guard !(text.tokens[run.first].isJoined && run.first > 0 && text.tokens[run.first - 1].kind == .word) else {
            return nil
        }
        var count = run.digits.count
        var groups = run.groups
        var last = run.last
        while count >= 13 {
            if isCard(run.digits.prefix(count)) {
                let after = last + 1
                let glued = after < text.tokens.count && text.tokens[after].isJoined && text.tokens[after].kind != .sign
                return glued ? nil : last
            }
            count -= groups.removeLast()
            // One step back over the number, one more over its sign if there is one.
            last -= 1
            while last > run.first, text.tokens[last].kind != .number { last -= 1 }
        }
        return nil
    }

    static func isCard(_ digits: ArraySlice<UInt8>) -> Bool {
        guard (13...19).contains(digits.count), digits.contains(where: { $0 != digits[digits.startIndex] }) else {
            return false
        }
        let head = digits.prefix(2).reduce(0) { $0 * 10 + Int($1) }
        let isIssued =
            (40...49).contains(head) || (50...69).contains(head) || (22...27).contains(head)
            || [30, 34, 35, 36, 37, 38].contains(head)
        return isIssued && luhn(digits)
    }

    /// Every second digit from the right doubled, its digits added; the sum is a multiple of 10.
    static func luhn(_ digits: ArraySlice<UInt8>) -> Bool {
        var sum = 0
        for (place, digit) in digits.reversed().enumerated() {
            let value = place % 2 == 1 ? Int(digit) * 2 : Int(digit)
            sum += value > 9 ? value - 9 : value
        }
        return sum % 10 == 0
    }
}
