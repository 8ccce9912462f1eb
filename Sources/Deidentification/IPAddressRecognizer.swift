/// IPv4 addresses of four numbers up to 255, and IPv6 addresses in full or shortened by `::` (RFC 4291).
struct IPAddressRecognizer: Recognizer {
    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        if text.hasDigit && text.hasDot { version4(text, into: &candidates) }
        if text.hasColon { version6(text, into: &candidates) }
    }

    private func version4(_ text: ScannedText, into candidates: inout [Candidate]) {
        let tokens = text.tokens
        guard tokens.count >= 7 else { return }
        for i in 0...(tokens.count - 7) where tokens[i].kind == .number {
            // Neither part of a longer row of numbers nor of a word.
            if tokens[i].isJoined, i > 0, tokens[i - 1].kind == .word || text.isSign(i - 1, ".") { continue }
            var fits = true
            for k in 0..<7 {
                if k > 0, !tokens[i + k].isJoined { fits = false }
                if k % 2 == 1 { fits = fits && text.isSign(i + k, ".") }
                if k % 2 == 0 {
                    let value = text.value(i + k)
                    fits = fits && value.map { $0 <= 255 } == true && tokens[i + k].length <= 3
                }
                if !fits { break }
            }
            guard fits else { continue }
            if i + 7 < tokens.count, tokens[i + 7].isJoined {
                if tokens[i + 7].kind == .word { continue }
                if text.isSign(i + 7, "."), i + 8 < tokens.count, tokens[i + 8].isJoined, tokens[i + 8].kind == .number
                {
                    continue
                }
            }
            let isVersion = text.hasContext(.version, before: 3, of: i)
            candidates.append(
                Candidate(
                    entity: .ipAddress, start: tokens[i].start, end: tokens[i + 6].end, score: isVersion ? 0.3 : 0.8))
        }
    }

    private func version6(_ text: ScannedText, into candidates: inout [Candidate]) {
        let bytes = text.bytes
        var i = 0
        while i < bytes.count {
            guard Self.isHex(bytes[i]) || bytes[i] == UInt8(ascii: ":") else {
                // Skip the rest of a word, so that `std::cafe` is not read from its middle.
                let isWord = ScannedText.isAlphanumeric(bytes[i]) || bytes[i] >= 0x80
                i += 1
                if isWord {
                    while i < bytes.count,
                        ScannedText.isAlphanumeric(bytes[i]) || bytes[i] >= 0x80
                            || bytes[i] == UInt8(ascii: ":")
                    {
                        i += 1
                    }
                }
                continue
            }
            let start = i
            while i < bytes.count, Self.isHex(bytes[i]) || bytes[i] == UInt8(ascii: ":") { i += 1 }
            var end = i
            if end > start, bytes[end - 1] == UInt8(ascii: ":"), end - start < 2 || bytes[end - 2] != UInt8(ascii: ":")
            {
                end -= 1
            }
            let joined = i < bytes.count && (ScannedText.isAlphanumeric(bytes[i]) || bytes[i] >= 0x80)
            if !joined, end - start <= 39, Self.isVersion6(bytes[start..<end]) {
                candidates.append(Candidate(entity: .ipAddress, start: start, end: end, score: 0.8))
            }
        }
    }

    /// Eight groups of one to four hexadecimal digits, or fewer with one `::`; at least one decimal digit and two groups,
    /// because `a::b` and `::` are also code.
    static func isVersion6(_ bytes: ArraySlice<UInt8>) -> Bool {
        var groups = 0
        var gaps = 0
        var digits = false
        var i = bytes.startIndex
        while i < bytes.endIndex {
            if bytes[i] == UInt8(ascii: ":") {
                let isDouble = i + 1 < bytes.endIndex && bytes[i + 1] == UInt8(ascii: ":")
                if isDouble {
                    gaps += 1
                    i += 2
                    if i < bytes.endIndex, bytes[i] == UInt8(ascii: ":") { return false }
                } else {
                    if i == bytes.startIndex || i + 1 == bytes.endIndex { return false }
                    i += 1
                }
                continue
            }
            let start = i
            while i < bytes.endIndex, isHex(bytes[i]) {
                if ScannedText.isDigit(bytes[i]) { digits = true }
                i += 1
            }
            guard i > start, i - start <= 4 else { return false }
            groups += 1
        }
        guard digits, groups >= 2 else { return false }
        return gaps == 0 ? groups == 8 : gaps == 1 && groups < 8
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        ScannedText.isDigit(byte) || (byte | 0x20) &- 0x61 < 6
    }
}
