/// A hash of a word or phrase that is the same for `José`, `JOSE` and `jose`: FNV-1a over the folded letters.
///
/// The lists hold a few thousand entries, so two of them, or a word of a text and one of them, fall together with a chance
/// below 10⁻¹⁵.
struct FoldedHash {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    mutating func add(_ scalar: Unicode.Scalar) {
        for byte in Self.fold(scalar) { add(byte) }
    }

    /// A word of folded or unfolded letters.
    init(_ text: String) {
        for scalar in text.unicodeScalars { add(scalar) }
    }

    init() {}

    /// The phrase so far, followed by another word.
    static func phrase(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        (hash &* 0x9e37_79b9_7f4a_7c15) ^ word ^ (hash >> 29)
    }

    /// Lower case without accents, as bytes.
    static func fold(_ scalar: Unicode.Scalar) -> [UInt8] {
        if scalar.value < 0x80 {
            let byte = UInt8(truncatingIfNeeded: scalar.value)
            return [byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte]
        }
        if let plain = plainLetters[scalar] { return [plain] }
        // Two letters in English spelling.
        switch scalar.value {
        case 0xC6, 0xE6: return Array("ae".utf8)
        case 0xDF: return Array("ss".utf8)
        case 0xDE, 0xFE: return Array("th".utf8)
        case 0x152, 0x153: return Array("oe".utf8)
        case 0x300...0x36F: return []
        default: return Array(scalar.properties.lowercaseMapping.utf8)
        }
    }

    /// Letters of Latin-1 and Latin Extended-A by the letter they are written on.
    private static let plainLetters: [Unicode.Scalar: UInt8] = {
        let rows: [(Unicode.Scalar, String)] = [
            ("a", "ÀÁÂÃÄÅàáâãäåĀāĂăĄą"), ("c", "ÇçĆćĈĉĊċČč"), ("d", "ÐðĎďĐđ"), ("e", "ÈÉÊËèéêëĒēĔĕĖėĘęĚě"),
            ("g", "ĜĝĞğĠġĢģ"), ("h", "ĤĥĦħ"), ("i", "ÌÍÎÏìíîïĨĩĪīĬĭĮįİı"), ("j", "Ĵĵ"), ("k", "Ķķ"),
            ("l", "ĹĺĻļĽľĿŀŁł"), ("n", "ÑñŃńŅņŇň"), ("o", "ÒÓÔÕÖØòóôõöøŌōŎŏŐő"), ("r", "ŔŕŖŗŘř"),
            ("s", "ŚśŜŝŞşŠšȘș"), ("t", "ŢţŤťŦŧȚț"), ("u", "ÙÚÛÜùúûüŨũŪūŬŭŮůŰűŲų"), ("w", "Ŵŵ"), ("y", "ÝýÿŶŷŸ"),
            ("z", "ŹźŻżŽž"),
        ]
        var map: [Unicode.Scalar: UInt8] = [:]
        for (letter, forms) in rows {
            for form in forms.unicodeScalars { map[form] = UInt8(truncatingIfNeeded: letter.value) }
        }
        return map
    }()
}
