/// The four kinds of character that GPT-2's pattern tells apart.
enum ScalarClass: UInt8 {
    case letter
    case number
    case space
    case other

    /// By Unicode general category, with the characters of Unicode 16 and before.
    ///
    /// The version is fixed on purpose: it is that of the regex engine in Hugging Face tokenizers 0.23, and a newer
    /// Swift must not change the ids of a text that a model was trained on.
    init(_ scalar: Unicode.Scalar) {
        let properties = scalar.properties
        let kind: ScalarClass =
            switch properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: .letter
            case .decimalNumber, .letterNumber, .otherNumber: .number
            default: properties.isWhitespace ? .space : .other
            }
        if kind == .letter || kind == .number, scalar.isNewer(than: (16, 0)) { self = .other } else { self = kind }
    }

    /// The kinds of the first 65,536 scalars, since asking Unicode's tables for each is what costs most.
    static let table: [ScalarClass] = (0..<0x10000).map { value in
        Unicode.Scalar(UInt32(value)).map(ScalarClass.init) ?? .other
    }
}

extension Unicode.Scalar {
    /// True when the character came into Unicode after `version`, or is not in it at all.
    func isNewer(than version: (major: Int, minor: Int)) -> Bool {
        guard let age = properties.age else { return true }
        return (age.major, age.minor) > version
    }
}
