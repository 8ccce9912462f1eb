/// Finding, trimming, splitting and replacing, as Python's strings do.
extension TracedText {
    /// Where another text begins in this one.
    func find(_ needle: TracedText, from start: Int = 0, to end: Int? = nil) -> Int? {
        let end = min(end ?? count, count)
        let (length, pattern) = (needle.count, needle.scalars)
        guard start >= 0, start <= end, length <= end - start else { return nil }
        guard length > 0 else { return start }
        guard length <= Self.shortNeedle else { return place(of: pattern, in: start..<end, isLast: false) }
        var index = start
        while index + length <= end {
            if scalars[index] == pattern[0] {
                var matched = 1
                while matched < length, scalars[index + matched] == pattern[matched] { matched += 1 }
                if matched == length { return index }
            }
            index += 1
        }
        return nil
    }

    func findLast(_ needle: TracedText, from start: Int = 0, to end: Int? = nil) -> Int? {
        let end = min(end ?? count, count)
        guard start >= 0, start <= end, needle.count <= end - start else { return nil }
        guard needle.count <= Self.shortNeedle else {
            return place(of: needle.scalars.reversed(), in: start..<end, isLast: true)
        }
        var index = end - needle.count
        while index >= start {
            if matches(needle, at: index) { return index }
            index -= 1
        }
        return nil
    }

    /// Longer ones are not looked for at every place anew, which takes time by the product of both lengths: a template could
    /// write two texts that keep a server for hours.
    private static let shortNeedle = 32

    /// Where a pattern begins, by the search of Morris and Pratt (1970), whose time goes by the sum of both lengths.
    /// - Parameters:
    ///   - pattern: Back to front where the last place is looked for.
    ///   - isLast: Whether the search goes from the end.
    private func place(of pattern: [Unicode.Scalar], in range: Range<Int>, isLast: Bool) -> Int? {
        /// How much of the pattern's beginning ends each of its beginnings, the whole of it aside.
        var borders = [Int](repeating: 0, count: pattern.count)
        var matched = 0
        for place in pattern.indices.dropFirst() {
            while matched > 0, pattern[place] != pattern[matched] { matched = borders[matched - 1] }
            if pattern[place] == pattern[matched] { matched += 1 }
            borders[place] = matched
        }
        matched = 0
        for step in 0..<range.count {
            let index = isLast ? range.upperBound - 1 - step : range.lowerBound + step
            while matched > 0, scalars[index] != pattern[matched] { matched = borders[matched - 1] }
            if scalars[index] == pattern[matched] { matched += 1 }
            if matched == pattern.count { return isLast ? index : index + 1 - matched }
        }
        return nil
    }

    func matches(_ needle: TracedText, at index: Int) -> Bool {
        guard index >= 0, index + needle.count <= count else { return false }
        for offset in 0..<needle.count where scalars[index + offset] != needle.scalars[offset] { return false }
        return true
    }

    func trimmed(left: Bool = true, right: Bool = true, _ drops: (Unicode.Scalar) -> Bool) -> TracedText {
        var (start, end) = (0, count)
        while left, start < end, drops(scalars[start]) { start += 1 }
        while right, end > start, drops(scalars[end - 1]) { end -= 1 }
        return self[start..<end]
    }

    /// Split at white space (`nil`) or at a separator, at most so many times.
    func split(_ separator: TracedText?, limit: Int?) -> [TracedText] {
        let limit = limit.flatMap { $0 < 0 ? nil : $0 } ?? .max
        var pieces: [TracedText] = []
        var start = 0
        if let separator {
            while pieces.count < limit, let index = find(separator, from: start) {
                pieces.append(self[start..<index])
                start = index + separator.count
            }
            return pieces + [self[from: start]]
        }
        while true {
            while start < count, scalars[start].isPythonSpace { start += 1 }
            if start == count { return pieces }
            if pieces.count == limit {
                return pieces + [self[from: start]]
            }
            var end = start
            while end < count, !scalars[end].isPythonSpace { end += 1 }
            pieces.append(self[start..<end])
            start = end
        }
    }

    /// As `split`, counted from the end.
    func splitFromEnd(_ separator: TracedText?, limit: Int?) -> [TracedText] {
        guard let limit, limit >= 0 else { return split(separator, limit: nil) }
        var pieces: [TracedText] = []
        var end = count
        if let separator {
            while pieces.count < limit, let index = findLast(separator, to: end) {
                pieces.append(self[index + separator.count..<end])
                end = index
            }
            return (pieces + [self[0..<end]]).reversed()
        }
        while true {
            while end > 0, scalars[end - 1].isPythonSpace { end -= 1 }
            if end == 0 { return pieces.reversed() }
            if pieces.count == limit {
                return (pieces + [self[0..<end]]).reversed()
            }
            var start = end
            while start > 0, !scalars[start - 1].isPythonSpace { start -= 1 }
            pieces.append(self[start..<end])
            end = start
        }
    }

    /// - Parameter most: Where there are more, one more than these is given.
    func lines(keepEnds: Bool = false, most: Int = .max) -> [TracedText] {
        var lines: [TracedText] = []
        var start = 0
        while start < count, lines.count <= most {
            var end = start
            while end < count, !scalars[end].isPythonLineBreak { end += 1 }
            var next = min(end + 1, count)
            if end + 1 < count, scalars[end] == "\r", scalars[end + 1] == "\n" { next = end + 2 }
            lines.append(self[start..<(keepEnds ? next : end)])
            start = next
        }
        return lines
    }

    /// Every occurrence replaced, at most so many.
    ///
    /// What replaces a piece of content is content, whoever wrote it: otherwise typing the word that a template looks
    /// for would call up the template's token. And where content chose what to cut out of the template's text, the
    /// pieces that meet may spell something new, so all of it is content.
    func replacing(_ old: TracedText, with new: TracedText, limit: Int?) -> TracedText {
        let limit = limit.flatMap { $0 < 0 ? nil : $0 } ?? .max
        var result = TracedText()
        var (start, done) = (0, 0)
        if old.isEmpty {
            while done < limit, start <= count {
                result.append(hasContent ? new.marked(.content) : new)
                done += 1
                if start == count { return result }
                result.append(self[start..<start + 1])
                start += 1
            }
            return result + self[from: start]
        }
        while done < limit, let index = find(old, from: start) {
            let end = index + old.count
            result.append(self[start..<index])
            result.append(self[index..<end].hasContent ? new.marked(.content) : new)
            start = end
            done += 1
        }
        guard done > 0 else { return self }
        result.append(self[from: start])
        return old.hasContent ? result.marked(.content) : result
    }

    func joining(_ pieces: [TracedText]) -> TracedText {
        var result = TracedText()
        for (index, piece) in pieces.enumerated() {
            if index > 0 { result.append(self) }
            result.append(piece)
        }
        return result
    }
}

extension Unicode.Scalar {
    /// Python's `str.isspace`, which is also what `\s` matches.
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// Where Python's `splitlines` breaks.
    var isPythonLineBreak: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    /// Python's `str.isprintable`: what `repr` leaves as it is.
    var isPythonPrintable: Bool {
        if self == " " { return true }
        return switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            false
        default: true
        }
    }
}
