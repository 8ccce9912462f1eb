/// Cuts a text into sentences at `.`, `!`, `?` and line breaks; the marks stay. Simple on purpose: chat has few
/// abbreviations, and a cut too many does no harm here.
enum SentenceCut {
    static func sentences(of text: String) -> [String] {
        var result: [String] = []
        var current = ""
        var previous: Character?
        for character in text {
            if let last = previous, ".!?".contains(last), character.isWhitespace {
                append(&current, to: &result)
            } else if character.isNewline {
                append(&current, to: &result)
            }
            if !character.isNewline { current.append(character) }
            previous = character
        }
        append(&current, to: &result)
        return result
    }

    private static func append(_ text: inout String, to result: inout [String]) {
        let trimmed = text.drop(while: \.isWhitespace)
        if trimmed.contains(where: { $0.isLetter || $0.isNumber }) {
            var end = trimmed.endIndex
            while end > trimmed.startIndex, trimmed[trimmed.index(before: end)].isWhitespace {
                end = trimmed.index(before: end)
            }
            result.append(String(trimmed[..<end]))
        }
        text = ""
    }
}
