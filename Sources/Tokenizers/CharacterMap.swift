import Foundation

/// SentencePiece's table of replacements (`Precompiled`: NFKC with changes, and what else a model was trained with).
///
/// The format: the length of a double array in bytes, the array (Yata et al.'s compact trie as in darts-clone: 32-bit
/// units of label, offset, leaf mark), and the replacements, each ended by a zero byte.
struct CharacterMap: Sendable {
    private let units: [UInt32]
    private let replacements: [UInt8]
    /// The replacement of each ASCII character by itself; `nil` where it stays.
    private var plain: [Range<Int>?] = []

    /// - Parameter field: the table in base 64.
    init(_ field: JSONField) throws {
        guard let data = Data(base64Encoded: try field.string()), data.count >= 4 else {
            throw field.fault(.malformed, "is not a table in base 64")
        }
        let bytes = [UInt8](data)
        func word(_ place: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
        }
        let size = Int(word(0))
        guard size % 4 == 0, size >= 4, size <= bytes.count - 4 else {
            throw field.fault(.malformed, "says that its array has \(size) bytes, which do not fit")
        }
        units = (0..<size / 4).map { word(4 + 4 * $0) }
        replacements = Array(bytes[(4 + size)...])
        guard String(validating: replacements, as: UTF8.self) != nil else {
            throw field.fault(.malformed, "has replacements that are not UTF-8")
        }
        plain = (UInt8(0)..<0x80).map { byte in
            withUnsafePointer(to: byte) { replacement(of: UnsafeBufferPointer(start: $0, count: 1)) }
        }
    }

    /// The place of the replacement for the shortest entry that begins the text. That it need not be all of the text is a
    /// peculiarity of Hugging Face tokenizers that models were trained with.
    private func replacement(of text: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & 0x200) >> 6)) }
        var node = offset(units[0])
        for byte in text {
            if byte == 0 { return nil }
            node ^= Int(byte)
            guard node < units.count else { return nil }
            let unit = units[node]
            guard unit & 0x8000_00FF == UInt32(byte) else { return nil }
            node ^= offset(unit)
            if unit >> 8 & 1 == 1 {
                guard node < units.count else { return nil }
                let start = Int(units[node] & 0x7FFF_FFFF)
                guard start < replacements.count else { return nil }
                var end = start
                while end < replacements.count, replacements[end] != 0 { end += 1 }
                // A start inside a character would not be text.
                return replacements[start] & 0xC0 == 0x80 ? nil : start..<end
            }
        }
        return nil
    }

    func apply(_ text: inout NormalizedText, _ spare: inout [UInt8]) {
        spare.removeAll(keepingCapacity: true)
        var newOrigin = 0
        text.bytes.withUnsafeBufferPointer { bytes in
            var place = 0
            while place < bytes.count {
                // A character of ASCII that nothing combines with stands by itself.
                let first = bytes[place]
                if first < 0x80, first != 0x0D, place + 1 == bytes.count || bytes[place + 1] < 0x80 {
                    if let range = plain[Int(first)] {
                        spare.append(contentsOf: replacements[range])
                    } else {
                        spare.append(first)
                    }
                    place += 1
                    if place <= text.origin { newOrigin = spare.count }
                    continue
                }
                let end = GraphemeCluster.end(in: bytes, from: place)
                let cluster = UnsafeBufferPointer(rebasing: bytes[place..<end])
                if cluster.count < 6, let range = replacement(of: cluster) {
                    append(range, for: cluster, at: place, text.origin, &newOrigin, &spare)
                    place = end
                } else {
                    while place < end {
                        let length = bytes.scalar(at: place).length
                        let part = UnsafeBufferPointer(rebasing: bytes[place..<place + length])
                        if let range = replacement(of: part) {
                            append(range, for: part, at: place, text.origin, &newOrigin, &spare)
                        } else {
                            spare.append(contentsOf: part)
                            if place + length <= text.origin { newOrigin = spare.count }
                        }
                        place += length
                    }
                }
            }
        }
        swap(&text.bytes, &spare)
        text.origin = newOrigin
    }

    /// Characters of a replacement stand for those of the text one for one, the last for all that are left.
    private func append(
        _ range: Range<Int>, for part: UnsafeBufferPointer<UInt8>, at place: Int, _ origin: Int, _ newOrigin: inout Int,
        _ output: inout [UInt8]
    ) {
        if place >= origin {
            output.append(contentsOf: replacements[range])
            return
        }
        var old = 0
        var new = range.lowerBound
        replacements.withUnsafeBufferPointer { source in
            while new < range.upperBound {
                let isInside = place + old < origin
                let length = source.scalar(at: new).length
                output.append(contentsOf: source[new..<new + length])
                if isInside { newOrigin = output.count }
                new += length
                if old < part.count {
                    let next = old + part.scalar(at: old).length
                    if next < part.count { old = next }
                }
            }
        }
    }
}
