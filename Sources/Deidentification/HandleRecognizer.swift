/// `@handle`, `u/name`, `name#1234`, and names said to be somebody's on a service (`my snap is …`).
struct HandleRecognizer: Recognizer {
    private static let longest = 40
    private static let strong = Set(
        ["username", "user", "gamertag", "screenname", "nickname", "handle", "login"].map { FoldedHash($0).value })
    private static let fillers = Set(
        ["is", "name", "username", "id", "handle", "account", "tag", "on", "at", "its", "as"].map {
            FoldedHash($0).value
        })

    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        if text.hasAt { atSigns(text, into: &candidates) }
        tagged(text, into: &candidates)
        if !text.classes.isDisjoint(with: .account) { announced(text, into: &candidates) }
    }

    private func atSigns(_ text: ScannedText, into candidates: inout [Candidate]) {
        let bytes = text.bytes
        for at in bytes.indices where bytes[at] == UInt8(ascii: "@") {
            if at > 0, EmailRecognizer.isLocal(bytes[at - 1]) || bytes[at - 1] == UInt8(ascii: "@") { continue }
            let end = Self.end(bytes, from: at + 1)
            guard end - at > 2, bytes[(at + 1)..<end].contains(where: { ScannedText.isLetter($0) }) else { continue }
            candidates.append(Candidate(entity: .userName, start: at, end: end, score: 0.7))
        }
    }

    /// `u/name` and `name#1234`.
    private func tagged(_ text: ScannedText, into candidates: inout [Candidate]) {
        let tokens = text.tokens
        let bytes = text.bytes
        for i in tokens.indices where tokens[i].kind == .sign && tokens[i].isJoined {
            if text.isSign(i, "/"), i > 0, tokens[i - 1].length == 1,
                bytes[tokens[i - 1].start] | 0x20 == UInt8(ascii: "u"),
                !tokens[i - 1].isJoined || text.isSign(i - 2, "/")
            {
                let end = Self.end(bytes, from: tokens[i].end)
                if end - tokens[i].end >= 3 {
                    candidates.append(
                        Candidate(entity: .userName, start: tokens[i - 1].start, end: end, score: 0.65))
                }
            } else if text.isSign(i, "#"), i > 0, tokens[i - 1].kind != .sign, i + 1 < tokens.count,
                tokens[i + 1].isJoined, tokens[i + 1].kind == .number, tokens[i + 1].length == 4
            {
                var start = tokens[i - 1].start
                while start > 0, tokens[i].start - start < Self.longest, Self.isName(bytes[start - 1]) { start -= 1 }
                candidates.append(Candidate(entity: .userName, start: start, end: tokens[i + 1].end, score: 0.7))
            }
        }
    }

    /// A service, then a few small words, then something that looks like a name on it.
    private func announced(_ text: ScannedText, into candidates: inout [Candidate]) {
        let tokens = text.tokens
        for i in tokens.indices where tokens[i].classes.contains(.account) {
            var isStrong = Self.strong.contains(tokens[i].folded)
            var hasLink = false
            var next = i + 1
            while next < tokens.count, next <= i + 5 {
                if let sign = text.sign(next), sign == UInt8(ascii: ":") || sign == UInt8(ascii: "=") {
                    hasLink = true
                } else if tokens[next].kind == .word, Self.fillers.contains(tokens[next].folded) {
                    hasLink = hasLink || text.isWord(next, Word.is)
                    if tokens[next].folded == Word.name { isStrong = true }
                } else if text.isSign(next, "'") || text.isWord(next, Word.s) {
                    hasLink = true
                } else {
                    break
                }
                next += 1
            }
            guard hasLink, next < tokens.count, !tokens[next].startsLine || next > i, tokens[next].kind != .sign else {
                continue
            }
            let start = tokens[next].start
            let end = Self.end(text.bytes, from: start)
            guard end - start >= 3 else { continue }
            let isPlain = end == tokens[next].end && tokens[next].kind == .word
            if isPlain {
                // One ordinary word: "my discord is broken". Taken only where nothing but a user name can follow.
                guard isStrong, tokens[next].classes.isDisjoint(with: [.common, .neverName, .keepVerb]),
                    !(tokens[next].isCapitalised && tokens[next].classes.contains(.first))
                else {
                    continue
                }
            }
            candidates.append(
                Candidate(entity: .userName, start: start, end: end, score: isPlain ? 0.55 : isStrong ? 0.8 : 0.65))
        }
    }

    /// The end of a name: letters, digits, `_`, `.` and `-` inside.
    private static func end(_ bytes: [UInt8], from start: Int) -> Int {
        var end = start
        while end < bytes.count, end - start < longest, isName(bytes[end]) { end += 1 }
        while end > start, bytes[end - 1] == UInt8(ascii: ".") || bytes[end - 1] == UInt8(ascii: "-") { end -= 1 }
        return end
    }

    private static func isName(_ byte: UInt8) -> Bool {
        ScannedText.isAlphanumeric(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "-") || byte >= 0x80
    }
}
