/// Hardware addresses: six pairs of hexadecimal digits with `:` or `-` between.
struct MACAddressRecognizer: Recognizer {
    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        let bytes = text.bytes
        guard bytes.count >= 17, text.hasColon || text.hasDigit else { return }
        for i in text.tokens.indices where text.tokens[i].kind != .sign && text.tokens[i].length <= 2 {
            let start = text.tokens[i].start
            guard start + 17 <= bytes.count, start == 0 || !Self.continues(bytes[start - 1]) else { continue }
            let separator = bytes[start + 2]
            guard separator == UInt8(ascii: ":") || separator == UInt8(ascii: "-") else { continue }
            let isAddress = (0..<17).allSatisfy { place in
                place % 3 == 2 ? bytes[start + place] == separator : Self.isHex(bytes[start + place])
            }
            guard isAddress, start + 17 == bytes.count || !Self.continues(bytes[start + 17]) else { continue }
            candidates.append(Candidate(entity: .macAddress, start: start, end: start + 17, score: 0.9))
        }
    }

    private static func isHex(_ byte: UInt8) -> Bool { ScannedText.isDigit(byte) || (byte | 0x20) &- 0x61 < 6 }

    private static func continues(_ byte: UInt8) -> Bool {
        ScannedText.isAlphanumeric(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "-")
    }
}
