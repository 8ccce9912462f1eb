/// Text as the judge sees it: sentences of lower-case words without punctuation.
enum SentenceText {
    /// Cuts at `.`, `!` and `?` where a space or the end follows, so that `ada@example.com` stays whole.
    static func sentences(of text: String) -> [String] {
        var found: [String] = []
        let bytes = Array(text.utf8)
        var start = 0
        var at = 0
        func keep(upTo end: Int) {
            let sentence = String(decoding: bytes[start..<end], as: UTF8.self)
            if !words(of: sentence).isEmpty { found.append(sentence) }
        }
        while at < bytes.count {
            let byte = bytes[at]
            let isEnd = byte == UInt8(ascii: ".") || byte == UInt8(ascii: "!") || byte == UInt8(ascii: "?")
            let isLast = at + 1 == bytes.count
            if byte == UInt8(ascii: "\n") || (isEnd && (isLast || isSpace(bytes[at + 1]))) {
                keep(upTo: at + 1)
                start = at + 1
            }
            at += 1
        }
        if start < bytes.count { keep(upTo: bytes.count) }
        return found
    }

    /// Lower-case words; punctuation at their edges and apostrophes inside go.
    static func words(of sentence: String) -> [String] {
        let bytes = Array(sentence.utf8)
        // Text of the world is ASCII; a model's may not be.
        guard bytes.allSatisfy({ $0 < 0x80 }) else { return unicodeWords(of: sentence) }
        var found: [String] = []
        var word: [UInt8] = []
        func end() {
            while let last = word.last, !isWordByte(last) { word.removeLast() }
            if !word.isEmpty { found.append(String(decoding: word, as: UTF8.self)) }
            word.removeAll(keepingCapacity: true)
        }
        for byte in bytes {
            if isSpace(byte) {
                end()
            } else if byte == UInt8(ascii: "'") || (word.isEmpty && !isWordByte(byte)) {
                continue
            } else {
                word.append(byte >= 65 && byte <= 90 ? byte + 32 : byte)
            }
        }
        end()
        return found
    }

    /// The words of a text in one string: two texts with the same key say the same in the same words.
    static func key(of text: String) -> String {
        words(of: text).joined(separator: " ")
    }

    /// First letter of the sentence in upper case, the rest as it is.
    static func capitalised(_ text: String) -> String {
        guard let first = text.first else { return text }
        return first.uppercased() + text.dropFirst()
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (byte >= 9 && byte <= 13) }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122)
            || byte == UInt8(ascii: "+")
    }

    private static func unicodeWords(of sentence: String) -> [String] {
        sentence.split(whereSeparator: \.isWhitespace).compactMap { piece in
            var rest = piece.filter { $0 != "'" && $0 != "\u{2019}" }[...]
            func isWord(_ character: Character) -> Bool {
                character.isLetter || character.isNumber || character == "+"
            }
            while let first = rest.first, !isWord(first) { rest.removeFirst() }
            while let last = rest.last, !isWord(last) { rest.removeLast() }
            return rest.isEmpty ? nil : rest.lowercased()
        }
    }
}
