import Foundation

/// The four normalization forms of Unicode (UAX #15), with the characters of Unicode 9: the version of the tables in
/// Hugging Face tokenizers. Later characters have no decomposition and do not compose.
struct NormalizationForm: Sendable {
    /// Keeps decompositions only for appearance (ﬁ → fi) as well: the forms with K.
    let isCompatible: Bool
    /// Composes again after decomposing: the forms with C.
    let composes: Bool

    /// Appends the normal form of a text to `output`.
    ///
    /// Text between two starters that change nothing is looked at by itself; plain text is copied.
    /// - Returns: where the part of the output ends that comes of the first `origin` bytes.
    func append(_ text: UnsafeBufferPointer<UInt8>, origin: Int, to output: inout [UInt8]) -> Int {
        let tables = NormalizationTables.shared
        let mask = tables.mask(isCompatible: isCompatible, composes: composes)
        var newOrigin = origin == 0 ? output.count : -1
        /// Where the segment at hand begins, that is, the last starter that could be at hand's root.
        var root = 0
        var copied = 0
        var place = 0
        func note(_ inputEnd: Int, _ output: [UInt8]) {
            if newOrigin < 0, inputEnd >= origin { newOrigin = output.count - (inputEnd - origin) }
        }
        while place < text.count {
            if text[place] < 0x80 {
                root = place
                place += 1
                continue
            }
            let (value, length) = text.scalar(at: place)
            if tables.flags(value) & mask == 0 {
                root = place
                place += length
                continue
            }
            // A segment: from the root (only composing can reach back to it) to the next character at rest.
            let start = composes ? root : place
            var end = place + length
            while end < text.count {
                let (value, length) = text.scalar(at: end)
                if tables.flags(value) & mask == 0 { break }
                end += length
            }
            output.append(contentsOf: text[copied..<start])
            note(start, output)
            let first = normalize(text, start..<end, tables, &output)
            if newOrigin < 0, end >= origin { newOrigin = min(first, output.count) }
            copied = end
            place = end
            root = end
        }
        output.append(contentsOf: text[copied..<text.count])
        note(text.count, output)
        return newOrigin
    }

    /// Appends one segment.
    /// - Returns: where its first character ends in the output.
    private func normalize(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ tables: NormalizationTables, _ output: inout [UInt8]
    ) -> Int {
        var scalars: [UInt32] = []
        var place = range.lowerBound
        var firstCount = 0
        while place < range.upperBound {
            let (value, length) = text.scalar(at: place)
            tables.decompose(value, isCompatible: isCompatible, into: &scalars)
            if firstCount == 0 { firstCount = scalars.count }
            place += length
        }
        tables.reorder(&scalars)
        if composes { tables.compose(&scalars) }
        let head = composes ? 1 : firstCount
        var first = output.count
        for (number, scalar) in scalars.enumerated() {
            output.append(scalar: scalar)
            if number + 1 == head { first = output.count }
        }
        return first
    }
}

/// Decompositions, combining classes and compositions, taken from Foundation and the standard library at first use.
struct NormalizationTables: Sendable {
    static let shared = NormalizationTables()

    private static let decomposes: UInt8 = 1
    private static let decomposesForAppearance: UInt8 = 2
    /// Combining class is not 0.
    private static let combines: UInt8 = 4
    /// May be joined to a character before it.
    private static let joins: UInt8 = 8
    /// Is not its own NFC; with the next bit, not its own NFKC.
    private static let isUnstable: UInt8 = 16
    private static let isUnstableForAppearance: UInt8 = 32

    private var table = [UInt8](repeating: 0, count: 0x20000)
    private var canonical: [UInt32: [UInt32]] = [:]
    private var compatible: [UInt32: [UInt32]] = [:]
    private var classes: [UInt32: UInt8] = [:]
    private var compositions: [UInt64: UInt32] = [:]

    /// Where characters with decompositions lie, Hangul syllables aside, which are computed.
    private static let decomposing: [ClosedRange<UInt32>] = [
        0xA0...0x4F9, 0x587...0x6D3, 0x929...0x10FC, 0x1B06...0x232A, 0x2460...0x33FF, 0xA69C...0xA7F9, 0xAB5C...0xAB5F,
        0xF900...0xFFEE, 0x1109A...0x115BB, 0x1D15E...0x1D1C0, 0x1D400...0x1D7FF, 0x1EE00...0x1EEBB, 0x1F100...0x1F251,
        0x2F800...0x2FA1D,
    ]
    /// Where characters lie that combine.
    private static let combining: [ClosedRange<UInt32>] = [
        0x300...0x36F, 0x483...0x487, 0x591...0x1DFF, 0x20D0...0x20F0, 0x2CEF...0x2DFF, 0x302A...0x309A,
        0xA66F...0xABED,
        0xFB1E...0xFB1E, 0xFE20...0xFE2F, 0x101FD...0x1037A, 0x10A0D...0x11D97, 0x16AF0...0x16B36, 0x1BC9E...0x1BC9E,
        0x1D165...0x1D244, 0x1E000...0x1E136, 0x1E8D0...0x1E94A,
    ]
    private static let version = (major: 9, minor: 0)

    private init() {
        for value in Self.combining.joined() {
            guard let scalar = Unicode.Scalar(value), !scalar.isNewer(than: Self.version) else { continue }
            let number = scalar.properties.canonicalCombiningClass.rawValue
            guard number != 0 else { continue }
            classes[value] = number
            set(value, Self.combines)
        }
        for value in Self.decomposing.joined() {
            guard let scalar = Unicode.Scalar(value), !scalar.isNewer(than: Self.version) else { continue }
            let text = String(scalar)
            let full = text.decomposedStringWithCompatibilityMapping.unicodeScalars.map(\.value)
            guard full != [value] else { continue }
            compatible[value] = full
            set(value, Self.decomposesForAppearance | Self.isUnstableForAppearance)
            let parts = text.decomposedStringWithCanonicalMapping.unicodeScalars.map(\.value)
            guard parts != [value] else { continue }
            canonical[value] = parts
            set(value, Self.decomposes)
            let composed = text.precomposedStringWithCanonicalMapping.unicodeScalars.map(\.value)
            if composed != [value] { set(value, Self.isUnstable) }
            // What the compatibility form composes to may be the character itself.
            if full == parts, composed == [value] { table[Int(value)] &= ~Self.isUnstableForAppearance }
            if composed == [value], let last = parts.last {
                // The character is its last part joined to the composition of those before.
                let head = String(String.UnicodeScalarView(parts.dropLast().compactMap(Unicode.Scalar.init)))
                    .precomposedStringWithCanonicalMapping.unicodeScalars.map(\.value)
                if head.count == 1 {
                    compositions[UInt64(head[0]) << 32 | UInt64(last)] = value
                    set(last, Self.joins)
                }
            }
        }
        for value in Hangul.vowels { set(value, Self.joins) }
        for value in Hangul.tails { set(value, Self.joins) }
        for value in Hangul.syllables { set(value, Self.decomposes | Self.decomposesForAppearance) }
    }

    private mutating func set(_ value: UInt32, _ flags: UInt8) {
        if value < 0x20000 { table[Int(value)] |= flags }
    }

    func flags(_ value: UInt32) -> UInt8 {
        if value < 0x20000 { return table[Int(value)] }
        // Only the ideographs for compatibility, which all stand for another.
        return canonical[value] == nil
            ? 0 : Self.decomposes | Self.decomposesForAppearance | Self.isUnstable | Self.isUnstableForAppearance
    }

    /// The flags of characters that a form cannot pass over.
    func mask(isCompatible: Bool, composes: Bool) -> UInt8 {
        switch (isCompatible, composes) {
        case (false, false): Self.decomposes | Self.combines
        case (true, false): Self.decomposesForAppearance | Self.combines
        case (false, true): Self.isUnstable | Self.combines | Self.joins
        case (true, true): Self.isUnstable | Self.isUnstableForAppearance | Self.combines | Self.joins
        }
    }

    func decompose(_ value: UInt32, isCompatible: Bool, into scalars: inout [UInt32]) {
        if value < 0xA0 {
            scalars.append(value)
        } else if let parts = isCompatible ? compatible[value] : canonical[value] {
            scalars.append(contentsOf: parts)
        } else if Hangul.syllables.contains(value) {
            Hangul.decompose(value, into: &scalars)
        } else {
            scalars.append(value)
        }
    }

    /// Puts each run of combining characters into the order of their classes.
    func reorder(_ scalars: inout [UInt32]) {
        guard scalars.count > 1 else { return }
        var start = 0
        while start < scalars.count {
            guard classes[scalars[start]] != nil else {
                start += 1
                continue
            }
            var end = start + 1
            while end < scalars.count, classes[scalars[end]] != nil { end += 1 }
            if end - start > 1 {
                // Stable: equal classes keep their order.
                let sorted = scalars[start..<end].enumerated().sorted { a, b in
                    let (x, y) = (classes[a.element, default: 0], classes[b.element, default: 0])
                    return x != y ? x < y : a.offset < b.offset
                }
                scalars.replaceSubrange(start..<end, with: sorted.map(\.element))
            }
            start = end
        }
    }

    func compose(_ scalars: inout [UInt32]) {
        var result: [UInt32] = []
        var starter: Int?
        var lastClass: UInt8?
        for scalar in scalars {
            let own = classes[scalar, default: 0]
            if let place = starter, lastClass.map({ $0 != 0 && $0 < own }) ?? true,
                let made = composition(result[place], scalar)
            {
                result[place] = made
                continue
            }
            if own == 0 {
                starter = result.count
                lastClass = nil
            } else {
                lastClass = own
            }
            result.append(scalar)
        }
        scalars = result
    }

    private func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        Hangul.composition(first, second) ?? compositions[UInt64(first) << 32 | UInt64(second)]
    }
}

/// The arithmetic of Korean syllables (The Unicode Standard, section 3.12).
private enum Hangul {
    static let syllables: Range<UInt32> = 0xAC00..<0xAC00 + 11172
    static let leads: Range<UInt32> = 0x1100..<0x1113
    static let vowels: Range<UInt32> = 0x1161..<0x1176
    static let tails: Range<UInt32> = 0x11A8..<0x11C3

    static func decompose(_ value: UInt32, into scalars: inout [UInt32]) {
        let index = value - syllables.lowerBound
        scalars.append(leads.lowerBound + index / 588)
        scalars.append(vowels.lowerBound + index % 588 / 28)
        if index % 28 != 0 { scalars.append(tails.lowerBound - 1 + index % 28) }
    }

    static func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if leads.contains(first), vowels.contains(second) {
            let lead = first - leads.lowerBound
            return syllables.lowerBound + (lead * 21 + second - vowels.lowerBound) * 28
        }
        if syllables.contains(first), (first - syllables.lowerBound) % 28 == 0, tails.contains(second) {
            return first + second - tails.lowerBound + 1
        }
        return nil
    }
}
