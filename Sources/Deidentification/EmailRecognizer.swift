/// E-mail addresses, also those spelled out (`name at example dot com`).
struct EmailRecognizer: Recognizer {
    /// Longest local part that RFC 5321 allows.
    private static let longestLocal = 64
    private static let longestDomain = 253
    /// Ends that make "at … dot …" an address rather than talk.
    private static let spelledEnds = Set(
        ["com", "net", "org", "edu", "io", "co", "de", "uk"].map { FoldedHash($0).value })

    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        if text.hasAt { written(text, into: &candidates) }
        spelled(text, into: &candidates)
    }

    private func written(_ text: ScannedText, into candidates: inout [Candidate]) {
        let bytes = text.bytes
        var floor = 0
        for at in bytes.indices where bytes[at] == UInt8(ascii: "@") {
            var start = at
            while start > floor, at - start < Self.longestLocal, Self.isLocal(bytes[start - 1]) { start -= 1 }
            while start < at, bytes[start] == UInt8(ascii: ".") || bytes[start] == UInt8(ascii: "-") { start += 1 }
            guard start < at else { continue }
            var end = at + 1
            var lastDot: Int?
            while end < bytes.count, end - at <= Self.longestDomain, Self.isDomain(bytes[end]) {
                if bytes[end] == UInt8(ascii: ".") { lastDot = end }
                end += 1
            }
            // A full stop or dash after the address belongs to the sentence.
            while end > at + 1, bytes[end - 1] == UInt8(ascii: ".") || bytes[end - 1] == UInt8(ascii: "-") {
                end -= 1
                if lastDot == end { lastDot = bytes[(at + 1)..<end].lastIndex(of: UInt8(ascii: ".")) }
            }
            guard let dot = lastDot, dot > at + 1, end - dot > 2,
                bytes[(dot + 1)..<end].allSatisfy({ ScannedText.isLetter($0) || $0 >= 0x80 })
            else { continue }
            candidates.append(Candidate(entity: .emailAddress, start: start, end: end, score: 0.95))
            floor = end
        }
    }

    /// `jo dot example at mail dot com`, `jo (at) mail (dot) com`, `jo @ mail . com`, and `jo dot example at gmail`.
    private func spelled(_ text: ScannedText, into candidates: inout [Candidate]) {
        let tokens = text.tokens
        guard tokens.count >= 3 else { return }
        for i in tokens.indices where isAt(text, i) {
            // Between the words only brackets may stand.
            var local = i - 1
            if text.isSign(local, "(") || text.isSign(local, "[") { local -= 1 }
            guard local >= 0, tokens[local].kind != .sign else { continue }
            var next = i + 1
            if text.isSign(next, ")") || text.isSign(next, "]") { next += 1 }
            guard next < tokens.count, tokens[next].kind == .word else { continue }
            let start = localStart(text, local)
            let end = domainEnd(text, next)
            let hasPieces = start < local || tokens[local].kind == .number
            if let end {
                candidates.append(
                    Candidate(entity: .emailAddress, start: tokens[start].start, end: tokens[end].end, score: 0.8))
            } else if Self.providers.contains(tokens[next].folded), hasPieces || isSaid(text, start),
                tokens[start].classes.isDisjoint(with: .keepVerb)
            {
                candidates.append(
                    Candidate(entity: .emailAddress, start: tokens[start].start, end: tokens[next].end, score: 0.7))
            }
        }
    }

    /// `at`, or an `@` that the written form does not explain.
    private func isAt(_ text: ScannedText, _ i: Int) -> Bool {
        (text.tokens[i].folded == Word.at && text.tokens[i].kind == .word) || text.isSign(i, "@")
    }

    private static let providers = Set(
        ["gmail", "yahoo", "hotmail", "outlook", "icloud", "aol", "protonmail", "gmx", "ymail", "googlemail"].map {
            FoldedHash($0).value
        })
    private static let mails = Set(["email", "mail", "e", "mailto", "gmail"].map { FoldedHash($0).value })
    private static let joiners = Set(["dot", "underscore", "dash", "hyphen", "period"].map { FoldedHash($0).value })

    private func isSaid(_ text: ScannedText, _ start: Int) -> Bool {
        (max(0, start - 5)..<start).contains { Self.mails.contains(text.tokens[$0].folded) }
    }

    /// `jo dot example` and `jo99`, `jo_99`: the local part's other pieces.
    private func localStart(_ text: ScannedText, _ local: Int) -> Int {
        let tokens = text.tokens
        var start = local
        var steps = 0
        while start > 0, steps < 8 {
            if tokens[start].isJoined, tokens[start - 1].kind != .sign || Self.isLocal(text.sign(start - 1) ?? 0) {
                start -= 1
            } else if start >= 2, Self.joiners.contains(tokens[start - 1].folded), tokens[start - 2].kind != .sign {
                start -= 2
            } else if start >= 4, text.isSign(start - 1, ")"), text.isWord(start - 2, Word.dot),
                text.isSign(start - 3, "(")
            {
                start -= 4
            } else {
                break
            }
            steps += 1
        }
        return start
    }

    /// The last token of `mail dot example dot com`: up to four pieces, the last of them a common top level.
    private func domainEnd(_ text: ScannedText, _ first: Int) -> Int? {
        let tokens = text.tokens
        var at = first
        var found: Int?
        for _ in 0..<4 {
            var dot = at + 1
            if text.isSign(dot, "(") || text.isSign(dot, "[") { dot += 1 }
            guard text.isWord(dot, Word.dot) || text.isSign(dot, ".") else { break }
            var end = dot + 1
            if text.isSign(end, ")") || text.isSign(end, "]") { end += 1 }
            guard end < tokens.count, tokens[end].kind == .word else { break }
            // A full stop and a new sentence are no domain.
            if text.isSign(dot, "."), !tokens[end].isJoined, tokens[dot].isJoined { break }
            if Self.spelledEnds.contains(tokens[end].folded) { found = end }
            at = end
        }
        return found
    }

    static func isLocal(_ byte: UInt8) -> Bool {
        if ScannedText.isAlphanumeric(byte) || byte >= 0x80 { return true }
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "%"): return true
        default: return false
        }
    }

    static func isDomain(_ byte: UInt8) -> Bool {
        ScannedText.isAlphanumeric(byte) || byte >= 0x80 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }
}
