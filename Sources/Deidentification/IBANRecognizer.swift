/// International bank account numbers (ISO 13616): country, two check digits, up to 30 letters and digits; the remainder by
/// 97 is 1.
struct IBANRecognizer: Recognizer {
    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        guard text.hasDigit else { return }
        let bytes = text.bytes
        var i = 0
        for token in text.tokens where token.kind == .word && token.length == 2 && token.start >= i {
            let start = token.start
            guard start == 0 || !ScannedText.isAlphanumeric(bytes[start - 1]), start + 4 <= bytes.count,
                ScannedText.isLetter(bytes[start]), ScannedText.isLetter(bytes[start + 1]),
                ScannedText.isDigit(bytes[start + 2]), ScannedText.isDigit(bytes[start + 3])
            else { continue }
            var characters: [UInt8] = []
            var end = start
            var best: Int?
            while end < bytes.count, characters.count < 34 {
                if ScannedText.isAlphanumeric(bytes[end]) {
                    characters.append(bytes[end])
                    end += 1
                    let ends = end == bytes.count || !ScannedText.isAlphanumeric(bytes[end])
                    if ends, characters.count >= 15, Self.isValid(characters) { best = end }
                } else if bytes[end] == 0x20 || bytes[end] == UInt8(ascii: "-"), end + 1 < bytes.count,
                    ScannedText.isAlphanumeric(bytes[end + 1])
                {
                    end += 1
                } else {
                    break
                }
            }
            if let best {
                candidates.append(Candidate(entity: .iban, start: start, end: best, score: 0.95))
                i = best
            }
        }
    }

    /// The first four characters moved to the end, letters as 10 … 35, read as one number: modulo 97 it is 1.
    static func isValid(_ characters: [UInt8]) -> Bool {
        guard characters.count >= 15, characters.count <= 34 else { return false }
        var rest = 0
        for character in characters[4...] + characters[..<4] {
            if ScannedText.isDigit(character) {
                rest = (rest * 10 + Int(character - 0x30)) % 97
            } else {
                rest = (rest * 100 + Int(character | 0x20) - 0x61 + 10) % 97
            }
        }
        return rest == 1
    }
}
