/// BERT's cleaning of a text: control characters go and white space becomes a space, Chinese characters get spaces
/// around them, accents are stripped, letters are lowered; each by choice.
///
/// Character kinds are those of Unicode 8, the version of the tables in Hugging Face tokenizers, whatever the version
/// of this Swift: characters that came later are plain letters to BERT.
struct BertNormalizer: Sendable {
    var cleansText = true
    var separatesChinese = true
    var stripsAccents = true
    var lowercases = true

    init() {}

    init(_ field: JSONField) throws {
        cleansText = try field["clean_text"].bool()
        separatesChinese = try field["handle_chinese_chars"].bool()
        lowercases = try field["lowercase"].bool()
        stripsAccents = try field["strip_accents"].bool(default: lowercases)
    }

    func apply(_ text: inout NormalizedText, _ spare: inout [UInt8]) {
        spare.removeAll(keepingCapacity: true)
        var newOrigin = -1
        text.bytes.withUnsafeBufferPointer { bytes in
            var place = 0
            while place < bytes.count {
                if bytes[place] < 0x80 {
                    appendASCII(bytes[place], to: &spare)
                    place += 1
                } else {
                    // Accents move only among characters beyond ASCII, so a run of these stands by itself.
                    var end = place
                    while end < bytes.count, bytes[end] >= 0x80 { end += 1 }
                    append(UnsafeBufferPointer(rebasing: bytes[place..<end]), to: &spare)
                    place = end
                }
                if newOrigin < 0, place >= text.origin { newOrigin = spare.count }
            }
        }
        if text.origin == 0 { newOrigin = 0 }
        swap(&text.bytes, &spare)
        text.origin = max(newOrigin, 0)
    }

    @inline(__always)
    private func appendASCII(_ byte: UInt8, to output: inout [UInt8]) {
        switch byte {
        case 0x09, 0x0A, 0x0D: output.append(cleansText ? 0x20 : byte)
        case 0..<0x20, 0x7F: if !cleansText { output.append(byte) }
        case 0x41...0x5A: output.append(lowercases ? byte + 0x20 : byte)
        default: output.append(byte)
        }
    }

    /// Appends a run of characters beyond ASCII.
    private func append(_ run: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        var cleaned: [UInt8] = []
        var isPlain = true
        var place = 0
        while place < run.count {
            let (value, length) = run.scalar(at: place)
            place += length
            // Latin, Greek and Cyrillic letters and general punctuation are most of what comes.
            if value >= 0x3000 || !ScalarTraits.of(value).isLetter {
                isPlain = false
                if cleansText {
                    if Self.isControl(value) { continue }
                    if ScalarTraits.of(value).isSpace {
                        cleaned.append(0x20)
                        continue
                    }
                }
                if separatesChinese, Self.isChinese(value) {
                    cleaned.append(0x20)
                    cleaned.append(scalar: value)
                    cleaned.append(0x20)
                    continue
                }
            }
            cleaned.append(scalar: value)
        }
        if stripsAccents {
            var decomposed: [UInt8] = []
            let form = NormalizationForm(isCompatible: false, composes: false)
            _ = cleaned.withUnsafeBufferPointer { form.append($0, origin: 0, to: &decomposed) }
            isPlain = isPlain && decomposed.count == cleaned.count
            cleaned = decomposed
        }
        guard lowercases || (stripsAccents && !isPlain) else { return output.append(contentsOf: cleaned) }
        cleaned.withUnsafeBufferPointer { text in
            var place = 0
            while place < text.count {
                let (value, length) = text.scalar(at: place)
                place += length
                if stripsAccents, Self.isNonspacingMark(value) { continue }
                if lowercases { Normalizer.appendLowercase(value, to: &output) } else { output.append(scalar: value) }
            }
        }
    }

    static func isChinese(_ value: UInt32) -> Bool {
        switch value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }

    private static func isControl(_ value: UInt32) -> Bool {
        if value == 0xFFFD { return true }
        guard ScalarTraits.of(value).categoryMask & ScalarTraits.others != 0, let scalar = Unicode.Scalar(value) else {
            return false
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .surrogate: return !scalar.isNewer(than: (8, 0))
        default: return false
        }
    }

    private static func isNonspacingMark(_ value: UInt32) -> Bool {
        guard value >= 0x300 else { return false }
        switch value {
        case 0x1734, 0x1_171E: return true  // spacing marks since
        case 0x1885, 0x1886, 0xA9BD, 0x1_11C9: return false  // non-spacing marks only since
        default:
            guard ScalarTraits.of(value).categoryMask == ScalarTraits.Category.mn.mask else { return false }
            return Unicode.Scalar(value).map { !$0.isNewer(than: (8, 0)) } ?? false
        }
    }

    /// Punctuation to BERT: every sign of ASCII that is no letter or digit, and Unicode 8's punctuation.
    static func isPunctuation(_ value: UInt32) -> Bool {
        switch value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
        case 0..<0x80: return false
        case 0x166D, 0x1_11C9: return true  // punctuation then, another kind since
        default:
            guard ScalarTraits.of(value).categoryMask & ScalarTraits.punctuation != 0 else { return false }
            return Unicode.Scalar(value).map { !$0.isNewer(than: (8, 0)) } ?? false
        }
    }
}
