/// A model's raw text made into one turn of the bot: trimmed, without a label before it, and cut where the model begins
/// to write the next turn.
struct ReplyText {
    /// The reply, should nothing follow.
    let text: String
    /// The part of `text` that stays as it is whatever follows: without white space at its end, and without what may
    /// turn out to be the beginning of a role marker. A longer raw text never takes any of it back.
    let settled: String
    /// Whether a role marker ended the reply.
    let isCut: Bool

    /// Labels of the bot and of the person as transcripts and chat models write them; they count at the start of a line
    /// only.
    private static let ownLabels = ["bot:", "chatbot:", "assistant:", "person 2:"].map { Array($0.unicodeScalars) }
    private static let personLabels = ["person:", "person 1:", "human:", "user:"].map { Array($0.unicodeScalars) }
    private static let tokens = ["<|person|>", "<|bot|>", "<|end|>", "<|pad|>"].map { Array($0.unicodeScalars) }

    init(_ raw: String) {
        // Scalars, since a character can still grow with the next piece.
        let scalars = Array(raw.unicodeScalars)
        var start = Self.afterWhiteSpace(scalars, from: 0)
        let own = Self.match(Self.ownLabels, in: scalars, at: start)
        if let length = own.length { start = Self.afterWhiteSpace(scalars, from: start + length) }

        var cut: Int?
        var doubt: Int? = own.isBegun ? start : nil
        var isLineStart = true
        for place in start..<max(start, scalars.count) {
            let scalar = scalars[place]
            var found = scalar == "<" ? Self.match(Self.tokens, in: scalars, at: place) : Match()
            if isLineStart, !scalar.properties.isWhitespace {
                let label = Self.match(Self.personLabels + Self.ownLabels, in: scalars, at: place)
                found = Match(length: found.length ?? label.length, isBegun: found.isBegun || label.isBegun)
            }
            if found.length != nil {
                cut = place
                break
            }
            if found.isBegun, doubt == nil { doubt = place }
            if Self.isNewline(scalar) {
                isLineStart = true
            } else if !scalar.properties.isWhitespace {
                isLineStart = false
            }
        }
        text = Self.slice(scalars, start, cut ?? scalars.count)
        settled = cut != nil ? text : Self.slice(scalars, start, doubt ?? scalars.count)
        isCut = cut != nil
    }

    /// What two replies are compared by: no white space, no case.
    static func key(of text: String) -> [Unicode.Scalar] {
        text.lowercased().unicodeScalars.filter { !$0.properties.isWhitespace }
    }

    private struct Match {
        /// Length of the marker that stands here.
        var length: Int?
        /// Whether the text ends before a marker does.
        var isBegun = false
    }

    private static func match(_ markers: [[Unicode.Scalar]], in scalars: [Unicode.Scalar], at place: Int) -> Match {
        var result = Match()
        for marker in markers {
            let rest = scalars[min(place, scalars.count)...].prefix(marker.count)
            guard zip(rest, marker).allSatisfy({ lowered($0) == $1 }) else { continue }
            if rest.count == marker.count { result.length = marker.count } else { result.isBegun = true }
        }
        return result
    }

    private static func lowered(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        ("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar
    }

    private static func isNewline(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\n" || scalar == "\r" || scalar == "\u{2028}" || scalar == "\u{2029}"
    }

    private static func afterWhiteSpace(_ scalars: [Unicode.Scalar], from place: Int) -> Int {
        scalars[place...].firstIndex { !$0.properties.isWhitespace } ?? scalars.count
    }

    private static func slice(_ scalars: [Unicode.Scalar], _ start: Int, _ end: Int) -> String {
        guard start < end, let last = scalars[start..<end].lastIndex(where: { !$0.properties.isWhitespace }) else {
            return ""
        }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[start...last])
        return String(view)
    }
}
