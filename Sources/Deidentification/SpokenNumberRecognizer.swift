/// Numbers said digit by digit: `five five five oh one double two`, also with figures among the words. Seven to fifteen digits are a
/// telephone number unless the talk is of something else that has as many.
struct SpokenNumberRecognizer: Recognizer {
    private static let values: [UInt64: Int] = {
        var map: [UInt64: Int] = [:]
        let words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
        for (value, word) in words.enumerated() { map[FoldedHash(word).value] = value }
        map[FoldedHash("oh").value] = 0
        map[FoldedHash("nought").value] = 0
        return map
    }()
    private static let double = FoldedHash("double").value
    private static let triple = FoldedHash("triple").value

    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        guard text.classes.contains(.digit) else { return }
        let tokens = text.tokens
        var i = 0
        while i < tokens.count {
            guard let run = run(text, at: i) else {
                i += 1
                continue
            }
            if run.spoken >= 2, let found = entity(text, context, run, first: i) {
                candidates.append(
                    Candidate(entity: found.0, start: tokens[i].start, end: tokens[run.last].end, score: found.1))
            }
            i = run.last + 1
        }
    }

    private struct Run {
        var last: Int
        var digits: [UInt8]
        /// Words among the digits.
        var spoken: Int
    }

    private func run(_ text: ScannedText, at first: Int) -> Run? {
        let tokens = text.tokens
        var run = Run(last: first, digits: [], spoken: 0)
        var at = first
        var times = 1
        while at < tokens.count, run.digits.count < 20 {
            let token = tokens[at]
            if token.kind == .word, let value = Self.values[token.folded] {
                for _ in 0..<times { run.digits.append(UInt8(value)) }
                run.spoken += times
                times = 1
                run.last = at
            } else if token.kind == .word, token.folded == Self.double || token.folded == Self.triple {
                times = token.folded == Self.double ? 2 : 3
            } else if token.kind == .number, token.length <= 4, times == 1, !token.isJoined || text.isSign(at - 1, "-")
            {
                for digit in text.digits(at) { run.digits.append(digit - 0x30) }
                run.last = at
            } else if text.isSign(at, "-") || text.isSign(at, ",") || text.isSign(at, "."), !run.digits.isEmpty,
                times == 1
            {
                // A pause.
            } else {
                break
            }
            at += 1
        }
        return run.digits.isEmpty ? nil : run
    }

    private func entity(
        _ text: ScannedText, _ context: RecognitionContext, _ run: Run, first: Int
    ) -> (Entity, Double)? {
        func isSaid(_ wanted: WordClass) -> Bool {
            text.hasContext(wanted, before: 8, after: 2, of: first, run.last) || !context.asked.isDisjoint(with: wanted)
        }
        guard run.spoken >= 3 || isSaid(.phone) else { return nil }
        // Counting is no number to call.
        let steps = zip(run.digits.dropFirst(), run.digits).map { Int($0) - Int($1) }
        if steps.count >= 3, steps.allSatisfy({ $0 == 1 }) || steps.allSatisfy({ $0 == -1 }) { return nil }
        switch run.digits.count {
        case 9 where isSaid(.ssn): return (.socialSecurityNumber, 0.9)
        case 4...6 where isSaid(.postcode): return (.postalCode, 0.7)
        case 13...19 where isSaid(.card) || CreditCardRecognizer.isCard(run.digits[...]): return (.creditCard, 0.85)
        case 7...15:
            return (.phoneNumber, isSaid(.phone) ? 0.9 : run.digits.count == 7 || run.digits.count >= 10 ? 0.7 : 0.55)
        case 4...6 where isSaid(.phone) && run.spoken >= 4: return (.phoneNumber, 0.5)
        default: return nil
        }
    }
}
