extension PretrainedTokenizer {
    /// The ids of a prompt that a chat template wrote: its control tokens where the template spells them, everything else as
    /// plain text, which is what transformers makes of the whole text where nobody typed a control token.
    ///
    /// Each stretch of plain text is encoded as one that stands where it stands: a control token may take the white space beside
    /// it with it (Phi-3's take the line's end), and only the prompt's own beginning is a text's beginning (Mistral's tokenizers
    /// put a space there and nowhere else). Added tokens that are only text are found everywhere.
    /// - Parameters:
    ///   - controls: `controlTokens`, which who writes many prompts works out once.
    ///   - isBeginning: whether the model sees nothing before the prompt.
    func encode(_ prompt: RenderedPrompt, controls: [String: Int], isBeginning: Bool = true) -> [Int] {
        let bytes = Array(prompt.text.utf8)
        let pieces = prompt.pieces(specialTokens: controls)
        func token(_ place: Int) -> AddedToken? {
            pieces.indices.contains(place) ? pieces[place].special.flatMap { added.token(of: $0) } : nil
        }
        var ids: [Int] = []
        for (place, piece) in pieces.enumerated() {
            if let id = piece.special {
                ids.append(id)
                continue
            }
            let text = Self.stripped(
                String(decoding: bytes[piece.range], as: UTF8.self), left: token(place - 1)?.stripsRight == true,
                right: token(place + 1)?.stripsLeft == true)
            ids += encode(text, finding: .text, isBeginning: isBeginning && piece.range.lowerBound == 0)
        }
        return ids
    }

    /// A text without the white space at its ends.
    private static func stripped(_ text: String, left: Bool, right: Bool) -> String {
        guard left || right else { return text }
        func isSpace(_ scalar: Unicode.Scalar) -> Bool { ScalarTraits.of(scalar.value).isSpace }
        var scalars = Array(text.unicodeScalars)[...]
        if left { scalars = scalars.drop(while: isSpace) }
        while right, let last = scalars.last, isSpace(last) { scalars.removeLast() }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
