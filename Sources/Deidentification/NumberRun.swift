/// A number written in groups: digits with single signs or spaces between them.
struct NumberRun {
    /// Places among the tokens, inclusive.
    var first: Int
    var last: Int
    /// Lengths of the groups, in order.
    var groups: [Int] = []
    /// All digits, as values.
    var digits: [UInt8] = []
    /// The sign between the first two groups: `-`, `.`, a space, … ; 0 when there is one group.
    var separator: UInt8 = 0
    /// Whether the same sign stands between all groups.
    var isUniform = true

    /// Reads the run that begins at a number token, if it is the beginning of one.
    /// - Parameters:
    ///   - separators: Signs that may stand between two groups; a space always may.
    ///   - maximumDigits: Longer runs are cut at the end of a group.
    init?(_ text: ScannedText, at index: Int, separators: String, maximumDigits: Int) {
        let tokens = text.tokens
        guard tokens.indices.contains(index), tokens[index].kind == .number, tokens[index].length <= maximumDigits
        else {
            return nil
        }
        let allowed = separators.utf8
        first = index
        last = index
        append(text, index)
        var i = index + 1
        while i < tokens.count {
            var separator = UInt8(ascii: " ")
            var next = i
            if let sign = text.sign(i), allowed.contains(sign), i + 1 < tokens.count {
                // `12 - 34` and `12 -34` are not one number, `12-34` is.
                guard tokens[i].isJoined, tokens[i + 1].isJoined else { return }
                separator = sign
                next = i + 1
            } else if tokens[i].isJoined {
                return
            }
            guard tokens[next].kind == .number, !tokens[next].startsLine,
                digits.count + tokens[next].length <= maximumDigits
            else { return }
            if groups.count == 1 {
                self.separator = separator
            } else if separator != self.separator {
                isUniform = false
            }
            append(text, next)
            last = next
            i = next + 1
        }
    }

    private mutating func append(_ text: ScannedText, _ index: Int) {
        let found = text.digits(index)
        groups.append(found.count)
        for digit in found { digits.append(digit - 0x30) }
    }

    /// Whether a letter touches the run, or a digit group that did not fit in.
    func isGlued(_ text: ScannedText) -> Bool {
        let tokens = text.tokens
        if tokens[first].isJoined, first > 0 {
            if tokens[first - 1].kind != .sign { return true }
            // `1.5`, `$3`: a piece of another number.
            if let sign = text.sign(first - 1), first > 1, tokens[first - 1].isJoined,
                tokens[first - 2].kind == .number,
                sign == UInt8(ascii: ".") || sign == UInt8(ascii: "-") || sign == UInt8(ascii: ",")
            {
                return true
            }
        }
        let after = last + 1
        return after < tokens.count && tokens[after].isJoined && tokens[after].kind != .sign
    }
}
