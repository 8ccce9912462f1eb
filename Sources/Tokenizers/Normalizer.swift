/// What a tokenizer does to a text before it looks for words: the `normalizer` of `tokenizer.json`.
indirect enum Normalizer: Sendable {
    case form(NormalizationForm)
    case lowercase
    case strip(left: Bool, right: Bool)
    case stripAccents
    /// Puts a text before any that is not empty.
    case prepend([UInt8])
    case replace(TextPattern, with: [UInt8])
    case bert(BertNormalizer)
    case characterMap(CharacterMap)
    /// White space and control characters as in the normalization for machine translation of SentencePiece.
    case nmt
    /// GPT-2's alphabet of bytes, for the rare files that put it here.
    case byteLevel
    case sequence([Normalizer])

    /// - Parameter field: the normalizer of a file; `nil` when it has none.
    static func read(_ field: JSONField, depth: Int = 0) throws -> Normalizer? {
        guard !field.isAbsent else { return nil }
        switch try field.type() {
        case "NFC": return .form(NormalizationForm(isCompatible: false, composes: true))
        case "NFD": return .form(NormalizationForm(isCompatible: false, composes: false))
        case "NFKC": return .form(NormalizationForm(isCompatible: true, composes: true))
        case "NFKD": return .form(NormalizationForm(isCompatible: true, composes: false))
        case "Lowercase": return .lowercase
        case "Strip":
            return .strip(left: try field["strip_left"].bool(), right: try field["strip_right"].bool())
        case "StripAccents": return .stripAccents
        case "Prepend": return .prepend(try field["prepend"].utf8())
        case "Replace":
            return .replace(try TextPattern(field["pattern"]), with: try field["content"].utf8())
        case "BertNormalizer": return .bert(try BertNormalizer(field))
        case "Precompiled": return .characterMap(try CharacterMap(field["precompiled_charsmap"]))
        case "Nmt": return .nmt
        case "ByteLevel": return .byteLevel
        case "Sequence":
            guard depth < 8 else { throw field.fault(.unsupported, "sequences are nested too deeply") }
            return .sequence(
                try field["normalizers"].elements(limit: 64).compactMap { try read($0, depth: depth + 1) })
        case let other: throw field.fault(.unsupported, "the normalizer \(other) is not supported")
        }
    }

    /// Normalizes in place. `spare` is room to work in.
    func apply(_ text: inout NormalizedText, _ spare: inout [UInt8]) {
        guard !text.bytes.isEmpty else { return }
        switch self {
        case .form(let form):
            spare.removeAll(keepingCapacity: true)
            let origin = text.bytes.withUnsafeBufferPointer { form.append($0, origin: text.origin, to: &spare) }
            swap(&text.bytes, &spare)
            text.origin = origin
        case .lowercase:
            text.rewrite(&spare) { value, _, output in Self.appendLowercase(value, to: &output) }
        case .strip(let left, let right): strip(&text, left, right)
        case .stripAccents:
            text.rewrite(&spare) { value, _, output in
                if !Self.isMark(value) { output.append(scalar: value) }
            }
        case .prepend(let head):
            text.bytes.insert(contentsOf: head, at: 0)
            if text.origin > 0 { text.origin += head.count }
        case .replace(let pattern, let content): replace(&text, pattern, content, &spare)
        case .bert(let normalizer): normalizer.apply(&text, &spare)
        case .characterMap(let map): map.apply(&text, &spare)
        case .nmt: text.rewrite(&spare, Self.appendNmt)
        case .byteLevel:
            text.rewrite(&spare) { value, _, output in
                for byte in UTF8.encode(Unicode.Scalar(value)!)! {
                    output.append(scalar: ByteAlphabet.scalars[Int(byte)].value)
                }
            }
        case .sequence(let parts): for part in parts { part.apply(&text, &spare) }
        }
    }

    /// The lowercase of one character by itself, as of Unicode 17; a later Swift must not change ids.
    static func appendLowercase(_ value: UInt32, to output: inout [UInt8]) {
        if value < 0x80 {
            output.append(UInt8((0x41...0x5A).contains(value) ? value + 0x20 : value))
        } else if let scalar = Unicode.Scalar(value), scalar.properties.changesWhenLowercased,
            !scalar.isNewer(than: (17, 0))
        {
            output.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
        } else {
            output.append(scalar: value)
        }
    }

    /// A combining mark of any kind, as of Unicode 9.
    private static func isMark(_ value: UInt32) -> Bool {
        guard value >= 0x300 else { return false }
        switch value {
        case 0x1CF2, 0x1CF3: return true  // letters since
        case 0x1_11C9: return false  // a mark only since
        default:
            guard let scalar = Unicode.Scalar(value) else { return false }
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .spacingMark, .enclosingMark: return !scalar.isNewer(than: (9, 0))
            default: return false
            }
        }
    }

    private static func appendNmt(_ value: UInt32, _ length: Int, to output: inout [UInt8]) {
        switch value {
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: return
        case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
            output.append(0x20)
        default: output.append(scalar: value)
        }
    }

    private func strip(_ text: inout NormalizedText, _ left: Bool, _ right: Bool) {
        let (start, end) = text.bytes.withUnsafeBufferPointer { bytes in
            var (start, end) = (0, bytes.count)
            while left, start < end {
                let (value, length) = bytes.scalar(at: start)
                guard ScalarTraits.of(value).isSpace else { break }
                start += length
            }
            while right, start < end {
                let last = bytes.scalarStart(before: end)
                guard ScalarTraits.of(bytes.scalar(at: last).value).isSpace else { break }
                end = last
            }
            return (start, end)
        }
        text.bytes.removeSubrange(end...)
        text.bytes.removeSubrange(..<start)
        text.origin = min(max(text.origin - start, 0), text.bytes.count)
    }

    private func replace(
        _ text: inout NormalizedText, _ pattern: TextPattern, _ content: [UInt8], _ spare: inout [UInt8]
    ) {
        spare.removeAll(keepingCapacity: true)
        var newOrigin = -1
        let origin = text.origin
        text.bytes.withUnsafeBufferPointer { bytes in
            var copied = 0
            pattern.forEachMatch(in: bytes) { match in
                spare.append(contentsOf: bytes[copied..<match.lowerBound])
                if newOrigin < 0, match.lowerBound >= origin {
                    newOrigin = spare.count - (match.lowerBound - origin)
                }
                // What is put in belongs to the last of what was taken out.
                if newOrigin < 0, match.upperBound > origin { newOrigin = spare.count }
                spare.append(contentsOf: content)
                copied = match.upperBound
            }
            spare.append(contentsOf: bytes[copied...])
            if newOrigin < 0 { newOrigin = spare.count - (bytes.count - origin) }
        }
        swap(&text.bytes, &spare)
        text.origin = newOrigin
    }
}
