/// A text cut into overlapping windows that a classifier reads whole.
///
/// A classifier of short texts reads a first part only (the shipped one 54 word pieces) and would let pass whatever stands behind.
/// A text that fits into one window is that window, unchanged. Of a longer one every character is in some window, what stands at a
/// window's end is also in the next one, and the last window is as full as the others.
enum TextWindows {
    /// Most words of a window.
    static let words = 32
    /// Most word pieces of a window, as `pieces` estimates them.
    static let pieces = 54
    /// Letters without a space between them count as a word of their own from so many estimated pieces on (of English, 120 bytes).
    static let piecesPerWord = 24

    /// - Returns: the windows in the order of the text; at least one.
    static func of(_ text: String) -> [String] {
        let scalars = text.unicodeScalars
        let units = units(of: scalars)
        // A quarter of a window comes again in the next one: 8 words of 32.
        var windows: [Range<Int>] = []
        var start = 0
        while true {
            let end = end(of: units, from: start)
            guard end < units.count else { break }
            windows.append(start..<end)
            start = max(start + 1, end - max(1, (end - start) / 4))
        }
        guard !windows.isEmpty else { return [text] }
        windows.append(beginning(of: units, to: units.count)..<units.count)
        return windows.map { window in
            let from = window.lowerBound == 0 ? scalars.startIndex : units[window.lowerBound].start
            let to = window.upperBound == units.count ? scalars.endIndex : units[window.upperBound].start
            return String(String.UnicodeScalarView(scalars[from..<to]))
        }
    }

    /// A word, or a part of a very long one; it goes on to the start of the next.
    private struct Unit {
        var start: String.UnicodeScalarView.Index
        var pieces = 0
    }

    private static func units(of scalars: String.UnicodeScalarView) -> [Unit] {
        var units: [Unit] = []
        var isInWord = false
        // ASCII letters and digits in a row: one piece for each five of them. Everything else is a piece of its own.
        var run = 0
        for index in scalars.indices {
            let scalar = scalars[index]
            if scalar.properties.isWhitespace {
                isInWord = false
                continue
            }
            if !isInWord || units[units.count - 1].pieces >= piecesPerWord {
                units.append(Unit(start: index))
                isInWord = true
                run = 0
            }
            let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            if !isPlain || run % 5 == 0 { units[units.count - 1].pieces += 1 }
            run = isPlain ? run + 1 : 0
        }
        return units
    }

    /// Where a window that begins at a unit ends.
    private static func end(of units: [Unit], from start: Int) -> Int {
        var (end, sum) = (start, 0)
        while end < units.count, end - start < words {
            sum += units[end].pieces
            if sum > pieces, end > start { break }
            end += 1
        }
        return end
    }

    /// Where a window that ends before a unit begins.
    private static func beginning(of units: [Unit], to end: Int) -> Int {
        var (start, sum) = (end, 0)
        while start > 0, end - start < words {
            sum += units[start - 1].pieces
            if sum > pieces, start < end { break }
            start -= 1
        }
        return start
    }
}
