/// A set of characters as a pattern writes it: `[^\r\n\p{L}\p{N}]`, `\s`, a letter.
struct ScalarSet: Sendable, Equatable {
    private var categories: UInt32 = 0
    private var holdsSpaces = false
    private var holdsWords = false
    private var ranges: [ClosedRange<UInt32>] = []
    /// Sets of which a member is a member here too: `[a[^b]]`.
    private var parts: [ScalarSet] = []
    private var isNegated = false
    /// The members below 128, negation applied; made by `sealed()`.
    private var ascii: (low: UInt64, high: UInt64) = (0, 0)

    static func == (a: ScalarSet, b: ScalarSet) -> Bool {
        a.categories == b.categories && a.holdsSpaces == b.holdsSpaces && a.holdsWords == b.holdsWords
            && a.ranges == b.ranges && a.parts == b.parts && a.isNegated == b.isNegated
    }

    init(categories: UInt32 = 0, ranges: [ClosedRange<UInt32>] = []) {
        self.categories = categories
        self.ranges = ranges
    }

    /// `\s`.
    static let spaces: ScalarSet = {
        var set = ScalarSet()
        set.holdsSpaces = true
        return set
    }()

    /// `\w`.
    static let words: ScalarSet = {
        var set = ScalarSet(ranges: [0xB2...0xB3, 0xB9...0xB9, 0xBC...0xBE])
        set.holdsWords = true
        return set
    }()

    /// Characters of the script Han, as of Unicode 16.
    static let han = ScalarSet(ranges: [
        0x2E80...0x2E99, 0x2E9B...0x2EF3, 0x2F00...0x2FD5, 0x3005...0x3005, 0x3007...0x3007, 0x3021...0x3029,
        0x3038...0x303B, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFA6D, 0xFA70...0xFAD9, 0x16FE2...0x16FE3,
        0x16FF0...0x16FF1, 0x20000...0x2A6DF, 0x2A700...0x2B739, 0x2B740...0x2B81D, 0x2B820...0x2CEA1,
        0x2CEB0...0x2EBE0, 0x2EBF0...0x2EE5D, 0x2F800...0x2FA1D, 0x30000...0x3134A, 0x31350...0x323AF,
    ])

    /// The range that this set was made of, if it is nothing else.
    var singleRange: ClosedRange<UInt32>? {
        guard categories == 0, !holdsSpaces, !holdsWords, parts.isEmpty, !isNegated, ranges.count == 1 else {
            return nil
        }
        return ranges[0]
    }

    mutating func insert(_ range: ClosedRange<UInt32>) { ranges.append(range) }

    mutating func insert(_ set: ScalarSet) { parts.append(set) }

    func inverted() -> ScalarSet {
        var set = self
        set.isNegated.toggle()
        return set
    }

    /// The same set, ready to be searched.
    func sealed() -> ScalarSet {
        var set = self
        set.ascii = (0, 0)
        for value in 0..<UInt32(64) where search(value) { set.ascii.low |= 1 << UInt64(value) }
        for value in 64..<UInt32(128) where search(value) { set.ascii.high |= 1 << UInt64(value - 64) }
        return set
    }

    /// Whether a character is in the set, which must be sealed.
    @inline(__always)
    func contains(_ value: UInt32) -> Bool {
        if value < 64 { return ascii.low >> UInt64(value) & 1 == 1 }
        if value < 128 { return ascii.high >> UInt64(value - 64) & 1 == 1 }
        return search(value)
    }

    private func search(_ value: UInt32) -> Bool {
        let traits = ScalarTraits.of(value)
        if traits.categoryMask & categories != 0 || (holdsSpaces && traits.isSpace) || (holdsWords && traits.isWord) {
            return !isNegated
        }
        for range in ranges where range.contains(value) { return !isNegated }
        for part in parts where part.search(value) { return !isNegated }
        return isNegated
    }

    /// What `\p{name}` stands for; `nil` for a name that is not known here.
    static func property(_ name: String) -> ScalarSet? {
        switch name {
        case "L", "Letter": return ScalarSet(categories: ScalarTraits.letters)
        case "M", "Mark": return ScalarSet(categories: ScalarTraits.marks)
        case "N", "Number": return ScalarSet(categories: ScalarTraits.numbers)
        case "P": return ScalarSet(categories: ScalarTraits.punctuation)
        case "S", "Symbol": return ScalarSet(categories: ScalarTraits.symbols)
        case "Z", "Separator": return ScalarSet(categories: ScalarTraits.separators)
        case "C", "Other": return ScalarSet(categories: ScalarTraits.others)
        case "Han": return .han
        default:
            return ScalarTraits.Category.allCases.first { $0.name == name }.map { ScalarSet(categories: $0.mask) }
        }
    }
}
