import Conversations

/// A reply's text cut into what each of its tokens made certain.
///
/// The tokens may reach beyond the text, which was trimmed, or cut where the model began the next turn: those outside are
/// left out, and of one that lies across the border only the part inside is shown.
struct SpelledReply {
    struct Part {
        var text: String
        var tokens: [ReplyToken]
    }

    /// Joined they are the text; each but the last perhaps has a token.
    let parts: [Part]

    init(_ text: String, tokens: [ReplyToken]) {
        let raw = Array(tokens.map(\.piece).joined().utf8)
        let wanted = Array(text.utf8)
        // The text begins after nothing but white space or a label, so the first place that fits is the right one. Its end
        // may be missing: the last tokens' text can be held back until the reply is over.
        let start = raw.indices.first { place in
            let count = min(wanted.count, raw.count - place)
            return raw[place..<(place + count)].elementsEqual(wanted.prefix(count))
        }
        guard let start, !wanted.isEmpty else {
            self.parts = text.isEmpty ? [] : [Part(text: text, tokens: tokens)]
            return
        }
        let end = min(start + wanted.count, raw.count)
        var parts: [Part] = []
        var place = 0
        for token in tokens {
            let from = place
            place += token.piece.utf8.count
            guard from < end, place > start || token.piece.isEmpty && from >= start else { continue }
            let shown = raw[max(from, start)..<max(min(place, end), max(from, start))]
            parts.append(Part(text: String(decoding: shown, as: UTF8.self), tokens: [token]))
        }
        let rest = wanted.dropFirst(end - start)
        if !rest.isEmpty { parts.append(Part(text: String(decoding: rest, as: UTF8.self), tokens: [])) }
        self.parts = parts
    }
}
