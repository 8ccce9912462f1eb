import Foundation

/// Splits a text into the words that WordPiece looks up, as BERT's normalizer and pre-tokenizer do for uncased models:
/// control characters go, Chinese characters stand alone, accents are stripped, letters are lowered; then words end at
/// white space, and punctuation stands alone.
///
/// Character kinds are those of Unicode 8, the version of the tables in Hugging Face tokenizers, whatever the version
/// of this Swift: characters that came later are plain letters to BERT.
struct BertWords {
    /// The words one after another in UTF-8.
    private(set) var bytes: [UInt8] = []
    /// Each word's place in `bytes`.
    private(set) var ranges: [Range<Int>] = []
    private var start = 0

    /// Reads no further than the first `limit` words: of a book, an encoder sees the first page.
    init(_ text: String, limit: Int = .max) {
        for scalar in text.unicodeScalars {
            guard ranges.count < limit else { return }
            add(scalar)
        }
        endWord()
    }

    private mutating func endWord() {
        if bytes.count > start { ranges.append(start..<bytes.count) }
        start = bytes.count
    }

    private mutating func add(_ scalar: Unicode.Scalar) {
        if scalar.value < 0x80 { return addASCII(UInt8(scalar.value)) }
        if scalar.value == 0xFFFD || Self.isControl(scalar) { return }
        if scalar.properties.isWhitespace { return endWord() }
        let isChinese = Self.isChinese(scalar.value)
        if isChinese { endWord() }
        // Characters newer than the tables have no decomposition there.
        if scalar.value < 0xC0 || scalar.isNewer(than: (8, 0)) {
            lower(scalar)
        } else {
            for part in String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars
            where !Self.isNonspacingMark(part) { lower(part) }
        }
        if isChinese { endWord() }
    }

    private mutating func addASCII(_ byte: UInt8) {
        switch byte {
        case 0x09, 0x0A, 0x0D, 0x20: endWord()
        case 0..<0x20, 0x7F: return
        case 0x41...0x5A: bytes.append(byte + 0x20)
        case 0x30...0x39, 0x61...0x7A: bytes.append(byte)
        default:
            endWord()
            bytes.append(byte)
            endWord()
        }
    }

    private mutating func lower(_ scalar: Unicode.Scalar) {
        if scalar.value < 0x80 { return addASCII(UInt8(scalar.value)) }
        for part in scalar.properties.lowercaseMapping.unicodeScalars {
            if part.properties.isWhitespace {
                endWord()
            } else if Self.isPunctuation(part) {
                endWord()
                bytes.append(contentsOf: String(part).utf8)
                endWord()
            } else {
                bytes.append(contentsOf: String(part).utf8)
            }
        }
    }

    private static func isChinese(_ value: UInt32) -> Bool {
        switch value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .surrogate: !scalar.isNewer(than: (8, 0))
        default: false
        }
    }

    private static func isNonspacingMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1734, 0x1_171E: true  // spacing marks since
        case 0x1885, 0x1886, 0xA9BD, 0x1_11C9: false  // non-spacing marks only since
        default: scalar.properties.generalCategory == .nonspacingMark && !scalar.isNewer(than: (8, 0))
        }
    }

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            !scalar.isNewer(than: (8, 0))
        default: scalar.value == 0x166D || scalar.value == 0x1_11C9  // punctuation then, another kind since
        }
    }
}
