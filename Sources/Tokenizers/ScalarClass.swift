/// The four kinds of character that the patterns of GPT-2 and its successors tell apart.
enum ScalarClass: UInt8 {
    case letter
    case number
    case space
    case other

    init(_ traits: ScalarTraits) {
        self = traits.isLetter ? .letter : traits.isNumber ? .number : traits.isSpace ? .space : .other
    }

    init(_ scalar: Unicode.Scalar) { self.init(ScalarTraits(scalar)) }

    /// The kinds of the first 65,536 scalars.
    static let table: [ScalarClass] = ScalarTraits.table.map(ScalarClass.init)
}
