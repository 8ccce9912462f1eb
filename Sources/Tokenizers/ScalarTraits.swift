/// What patterns and pre-tokenizers ask of a character: its general category, and whether it is white space or
/// alphabetic, in one byte.
///
/// The characters are those of Unicode 16 on purpose: that is the version of both regex engines in Hugging Face
/// tokenizers 0.23, and a newer Swift must not change the ids of a text that a model was trained on. Later characters
/// are unassigned.
struct ScalarTraits: Sendable, Equatable {
    /// The low five bits are the category, then white space, then alphabetic.
    let bits: UInt8

    /// General categories in the order of their bits.
    enum Category: UInt8, CaseIterable {
        case Lu, Ll, Lt, Lm, Lo, Mn, Mc, Me, Nd, Nl, No, Pc, Pd, Ps, Pe, Pi, Pf, Po, Sm, Sc, Sk, So, Zs, Zl, Zp
        case Cc, Cf, Cs, Co, Cn

        var name: String { "\(self)" }
        /// This category as a set of categories.
        var mask: UInt32 { 1 << UInt32(rawValue) }
    }

    init(_ scalar: Unicode.Scalar) {
        let properties = scalar.properties
        guard !scalar.isNewer(than: (16, 0)) || properties.generalCategory == .privateUse else {
            bits = Category.Cn.rawValue
            return
        }
        // A lowercase letter until Unicode 17.
        let category = scalar.value == 0x295 ? .Ll : Self.category(properties.generalCategory)
        bits = category.rawValue | (properties.isWhitespace ? 0x20 : 0) | (properties.isAlphabetic ? 0x40 : 0)
    }

    private init(bits: UInt8) { self.bits = bits }

    var categoryMask: UInt32 { 1 << UInt32(bits & 0x1F) }
    /// White_Space, which is `\s`.
    var isSpace: Bool { bits & 0x20 != 0 }
    var isAlphabetic: Bool { bits & 0x40 != 0 }
    var isLetter: Bool { bits & 0x1F <= Category.Lo.rawValue }
    /// Any kind of number: `\p{N}`.
    var isNumber: Bool { categoryMask & Self.numbers != 0 }
    /// `\w` of Oniguruma save six signs of Latin-1 (² ³ ¹ ¼ ½ ¾), which are words to it too.
    var isWord: Bool { isAlphabetic || categoryMask & Self.wordMarks != 0 }

    static let letters = mask(.Lu, .Ll, .Lt, .Lm, .Lo)
    static let marks = mask(.Mn, .Mc, .Me)
    static let numbers = mask(.Nd, .Nl, .No)
    static let punctuation = mask(.Pc, .Pd, .Ps, .Pe, .Pi, .Pf, .Po)
    static let symbols = mask(.Sm, .Sc, .Sk, .So)
    static let separators = mask(.Zs, .Zl, .Zp)
    static let others = mask(.Cc, .Cf, .Cs, .Co, .Cn)
    private static let wordMarks = marks | mask(.Nd, .Pc)

    private static func mask(_ categories: Category...) -> UInt32 { categories.reduce(0) { $0 | $1.mask } }

    /// The traits of the first 65,536 scalars, since asking Unicode's tables for each is what costs most.
    static let table: [ScalarTraits] = (0..<0x10000).map { value in
        Unicode.Scalar(UInt32(value)).map(ScalarTraits.init) ?? ScalarTraits(bits: Category.Cs.rawValue)
    }

    /// The traits of any scalar value.
    static func of(_ value: UInt32) -> ScalarTraits {
        if value < 0x10000 { return table[Int(value)] }
        return Unicode.Scalar(value).map(ScalarTraits.init) ?? ScalarTraits(bits: Category.Cn.rawValue)
    }

    private static func category(_ category: Unicode.GeneralCategory) -> Category {
        switch category {
        case .uppercaseLetter: .Lu
        case .lowercaseLetter: .Ll
        case .titlecaseLetter: .Lt
        case .modifierLetter: .Lm
        case .otherLetter: .Lo
        case .nonspacingMark: .Mn
        case .spacingMark: .Mc
        case .enclosingMark: .Me
        case .decimalNumber: .Nd
        case .letterNumber: .Nl
        case .otherNumber: .No
        case .connectorPunctuation: .Pc
        case .dashPunctuation: .Pd
        case .openPunctuation: .Ps
        case .closePunctuation: .Pe
        case .initialPunctuation: .Pi
        case .finalPunctuation: .Pf
        case .otherPunctuation: .Po
        case .mathSymbol: .Sm
        case .currencySymbol: .Sc
        case .modifierSymbol: .Sk
        case .otherSymbol: .So
        case .spaceSeparator: .Zs
        case .lineSeparator: .Zl
        case .paragraphSeparator: .Zp
        case .control: .Cc
        case .format: .Cf
        case .surrogate: .Cs
        case .privateUse: .Co
        case .unassigned: .Cn
        @unknown default: .Cn
        }
    }
}

extension Unicode.Scalar {
    /// True when the character came into Unicode after `version`, or is not in it at all.
    func isNewer(than version: (major: Int, minor: Int)) -> Bool {
        guard let age = properties.age else { return true }
        return (age.major, age.minor) > version
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The scalar whose UTF-8 begins at `start`, and its length in bytes. The text must be valid, as a `String`'s is.
    @inline(__always)
    func scalar(at start: Int) -> (value: UInt32, length: Int) {
        let first = UInt32(self[start])
        if first < 0x80 { return (first, 1) }
        let second = UInt32(self[start + 1] & 0x3F)
        if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
        let third = UInt32(self[start + 2] & 0x3F)
        if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
        return ((first & 0x07) << 18 | second << 12 | third << 6 | UInt32(self[start + 3] & 0x3F), 4)
    }

    /// Where the scalar that ends at `end` begins.
    @inline(__always)
    func scalarStart(before end: Int) -> Int {
        var start = end - 1
        while start > 0, self[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }
}

extension [UInt8] {
    /// Appends a scalar in UTF-8.
    @inline(__always)
    mutating func append(scalar value: UInt32) {
        if value < 0x80 {
            append(UInt8(value))
        } else if value < 0x800 {
            append(UInt8(0xC0 | value >> 6))
            append(UInt8(0x80 | value & 0x3F))
        } else if value < 0x10000 {
            append(UInt8(0xE0 | value >> 12))
            append(UInt8(0x80 | value >> 6 & 0x3F))
            append(UInt8(0x80 | value & 0x3F))
        } else {
            append(UInt8(0xF0 | value >> 18))
            append(UInt8(0x80 | value >> 12 & 0x3F))
            append(UInt8(0x80 | value >> 6 & 0x3F))
            append(UInt8(0x80 | value & 0x3F))
        }
    }
}
