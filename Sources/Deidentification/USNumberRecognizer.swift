/// Numbers that US offices and banks give: taxpayers' (ITIN), bank accounts and routing numbers, and the numbers of medicine: NPI,
/// Medicare beneficiaries (MBI), prescribers (DEA). Each by its check digit where it has one, else by the words around it.
struct USNumberRecognizer: Recognizer {
    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        guard text.hasDigit else { return }
        let isBank = !text.classes.isDisjoint(with: [.bank, .routing])
        let isMedical = text.classes.contains(.medical)
        let tokens = text.tokens
        var i = 0
        while i < tokens.count {
            if tokens[i].kind == .number, tokens[i].length >= 3,
                let run = NumberRun(text, at: i, separators: "-", maximumDigits: 17), !run.isGlued(text),
                let found = number(text, run, isBank: isBank, isMedical: isMedical)
            {
                candidates.append(
                    Candidate(
                        entity: found.0, start: tokens[i].start, end: tokens[run.last].end, score: found.1))
                i = run.last + 1
                continue
            }
            if isMedical || tokens[i].kind == .number || tokens[i].length <= 2,
                let run = AlphanumericRun(text, at: i, longest: 13)
            {
                let boost = text.hasContext(.medical, before: 8, of: i) ? 0.3 : 0
                if Self.isDEA(run.bytes) {
                    candidates.append(
                        Candidate(
                            entity: .medicalLicense, start: tokens[i].start, end: tokens[run.last].end,
                            score: 0.6 + boost))
                }
                i = run.last + 1
                continue
            }
            i += 1
        }
        if isMedical { beneficiaries(text, into: &candidates) }
    }

    private func number(
        _ text: ScannedText, _ run: NumberRun, isBank: Bool, isMedical: Bool
    ) -> (Entity, Double)? {
        let isPlain = run.groups.count == 1
        if run.digits.count == 9, run.groups == [3, 2, 4] || isPlain, Self.isITIN(run.digits) {
            let isSaid = text.hasContext(.ssn, before: 8, after: 4, of: run.first, run.last)
            if isSaid || !isPlain { return (.taxpayerNumber, isSaid ? 0.96 : 0.55) }
        }
        if isBank, isPlain, run.digits.count == 9, Self.isRouting(run.digits),
            text.hasContext(.routing, before: 8, after: 3, of: run.first, run.last)
        {
            return (.routingNumber, 0.9)
        }
        if isMedical, run.digits.count == 10, Self.isNPI(run.digits),
            text.hasContext(.medical, before: 8, after: 3, of: run.first, run.last)
        {
            return (.providerNumber, 0.9)
        }
        if isBank, (8...17).contains(run.digits.count), run.groups != [3, 3, 4], run.groups != [3, 4],
            text.hasContext(.bank, before: 5, of: run.first)
        {
            return (
                .bankAccount,
                text.hasContext(.bank, before: 3, of: run.first) && !text.has(run.first - 1, .phone) ? 0.85 : 0.6
            )
        }
        return nil
    }

    /// A taxpayer without a social security number: 9, then a group that the IRS gives out.
    static func isITIN(_ digits: [UInt8]) -> Bool {
        guard digits.count == 9, digits[0] == 9 else { return false }
        let group = Int(digits[3]) * 10 + Int(digits[4])
        return (50...65).contains(group) || (70...88).contains(group) || (90...92).contains(group)
            || (94...99).contains(group)
    }

    /// Weights 3, 7, 1 over the nine digits; the sum is a multiple of 10 (ABA).
    static func isRouting(_ digits: [UInt8]) -> Bool {
        guard digits.count == 9 else { return false }
        let head = Int(digits[0]) * 10 + Int(digits[1])
        guard (1...12).contains(head) || (21...32).contains(head) || (61...72).contains(head) || head == 80 else {
            return false
        }
        let sum = zip(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]).reduce(0) { $0 + Int($1.0) * $1.1 }
        return sum % 10 == 0
    }

    /// Luhn's digit over the number with 80840 before it (CMS).
    static func isNPI(_ digits: [UInt8]) -> Bool {
        guard digits.count == 10, digits[0] == 1 || digits[0] == 2 else { return false }
        return CreditCardRecognizer.luhn(([8, 0, 8, 4, 0] + digits)[...])
    }

    /// Two letters, six digits and a check digit: the last of (1st + 3rd + 5th) + 2 (2nd + 4th + 6th).
    static func isDEA(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count == 9 else { return false }
        let all = Array(bytes)
        guard ScannedText.isLetter(all[0]), ScannedText.isLetter(all[1]) || all[1] == UInt8(ascii: "9"),
            all[2...].allSatisfy(ScannedText.isDigit)
        else { return false }
        guard Array("ABCDEFGHJKLMPRSTUX".utf8).contains(all[0] & 0xDF) else { return false }
        let d = all[2...].map { Int($0 - 0x30) }
        return (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]
    }

    /// `1EG4-TE5-MK73`: eleven places, each for letters or digits (CMS), with or without its dashes.
    private func beneficiaries(_ text: ScannedText, into candidates: inout [Candidate]) {
        let bytes = text.bytes
        for i in text.tokens.indices where text.tokens[i].kind == .number && text.tokens[i].length == 1 {
            let start = text.tokens[i].start
            guard start == 0 || !ScannedText.isAlphanumeric(bytes[start - 1]) else { continue }
            var at = start
            var isMatch = true
            for (place, kind) in "9A*9A*9AA99".utf8.enumerated() {
                if place == 4 || place == 7, at < bytes.count, bytes[at] == UInt8(ascii: "-") { at += 1 }
                guard at < bytes.count else {
                    isMatch = false
                    break
                }
                let isDigit = ScannedText.isDigit(bytes[at])
                let isLetter = ScannedText.isLetter(bytes[at]) && !Array("SLOIBZ".utf8).contains(bytes[at] & 0xDF)
                if kind == UInt8(ascii: "9") ? !isDigit : kind == UInt8(ascii: "A") ? !isLetter : !(isDigit || isLetter)
                {
                    isMatch = false
                    break
                }
                at += 1
            }
            guard isMatch, at == bytes.count || !ScannedText.isAlphanumeric(bytes[at]) else { continue }
            candidates.append(Candidate(entity: .beneficiaryNumber, start: start, end: at, score: 0.9))
        }
    }
}
