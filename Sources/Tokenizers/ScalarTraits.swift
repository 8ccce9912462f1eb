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
        case lu, ll, lt, lm, lo, mn, mc, me, nd, nl, no, pc, pd, ps, pe, pi, pf, po, sm, sc, sk, so, zs, zl, zp
        case cc, cf, cs, co, cn

        /// As Unicode writes it: `Lu`.
        var name: String { "\(self)".prefix(1).uppercased() + "\(self)".dropFirst() }
        /// This category as a set of categories.
        var mask: UInt32 { 1 << UInt32(rawValue) }
    }

    init(_ scalar: Unicode.Scalar) {
        let properties = scalar.properties
        guard !scalar.isNewer(than: (16, 0)) || properties.generalCategory == .privateUse else {
            bits = Category.cn.rawValue
            return
        }
        // A lowercase letter until Unicode 17.
        let category = scalar.value == 0x295 ? .ll : Self.category(properties.generalCategory)
        bits = category.rawValue | (properties.isWhitespace ? 0x20 : 0) | (properties.isAlphabetic ? 0x40 : 0)
    }

    private init(bits: UInt8) { self.bits = bits }

    var category: Category { Category(rawValue: bits & 0x1F) ?? .cn }
    var categoryMask: UInt32 { 1 << UInt32(bits & 0x1F) }
    /// White_Space, which is `\s`.
    var isSpace: Bool { bits & 0x20 != 0 }
    var isAlphabetic: Bool { bits & 0x40 != 0 }
    var isLetter: Bool { bits & 0x1F <= Category.lo.rawValue }
    /// Any kind of number: `\p{N}`.
    var isNumber: Bool { categoryMask & Self.numbers != 0 }
    /// `\w` of Oniguruma save six signs of Latin-1 (² ³ ¹ ¼ ½ ¾), which are words to it too.
    var isWord: Bool { isAlphabetic || categoryMask & Self.wordMarks != 0 }

    static let letters = mask(.lu, .ll, .lt, .lm, .lo)
    static let marks = mask(.mn, .mc, .me)
    static let numbers = mask(.nd, .nl, .no)
    static let punctuation = mask(.pc, .pd, .ps, .pe, .pi, .pf, .po)
    static let symbols = mask(.sm, .sc, .sk, .so)
    static let separators = mask(.zs, .zl, .zp)
    static let others = mask(.cc, .cf, .cs, .co, .cn)
    private static let wordMarks = marks | mask(.nd, .pc)

    private static func mask(_ categories: Category...) -> UInt32 { categories.reduce(0) { $0 | $1.mask } }

    /// The traits of the first 65,536 scalars, since asking Unicode's tables for each is what costs most.
    static let table: [ScalarTraits] = (0..<0x10000).map { value in
        Unicode.Scalar(UInt32(value)).map(ScalarTraits.init) ?? ScalarTraits(bits: Category.cs.rawValue)
    }

    /// The traits of any scalar value.
    static func of(_ value: UInt32) -> ScalarTraits {
        if value < 0x10000 { return table[Int(value)] }
        return Unicode.Scalar(value).map(ScalarTraits.init) ?? ScalarTraits(bits: Category.cn.rawValue)
    }

    private static func category(_ category: Unicode.GeneralCategory) -> Category {
        switch category {
        case .uppercaseLetter: .lu
        case .lowercaseLetter: .ll
        case .titlecaseLetter: .lt
        case .modifierLetter: .lm
        case .otherLetter: .lo
        case .nonspacingMark: .mn
        case .spacingMark: .mc
        case .enclosingMark: .me
        case .decimalNumber: .nd
        case .letterNumber: .nl
        case .otherNumber: .no
        case .connectorPunctuation: .pc
        case .dashPunctuation: .pd
        case .openPunctuation: .ps
        case .closePunctuation: .pe
        case .initialPunctuation: .pi
        case .finalPunctuation: .pf
        case .otherPunctuation: .po
        case .mathSymbol: .sm
        case .currencySymbol: .sc
        case .modifierSymbol: .sk
        case .otherSymbol: .so
        case .spaceSeparator: .zs
        case .lineSeparator: .zl
        case .paragraphSeparator: .zp
        case .control: .cc
        case .format: .cf
        case .surrogate: .cs
        case .privateUse: .co
        case .unassigned: .cn
        @unknown default: .cn
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
