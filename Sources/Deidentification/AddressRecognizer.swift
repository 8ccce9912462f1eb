/// Street addresses: a number beside a street's name, corners, box numbers and field post, with the flat, town and postcode
/// that follow. A street alone counts where somebody lives or gets something sent there.
struct AddressRecognizer: Recognizer {
    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        guard text.hasDigit || text.classes.contains(.street) else { return }
        let reader = AddressReader(text: text, asked: context.asked.contains(.address))
        var i = 0
        while i < text.tokens.count {
            guard let found = reader.address(at: i) else {
                i += 1
                continue
            }
            let end = reader.tail(after: found.last)
            candidates.append(
                Candidate(
                    entity: .streetAddress, start: text.tokens[found.first].start, end: text.tokens[end].end,
                    score: found.score))
            i = max(end, i) + 1
        }
    }
}
