/// Upper, lower and title case, as Python's strings do; every scalar keeps its origin.
extension TracedText {
    func uppercased() -> TracedText {
        mapped { $1.isASCII ? String($1.asciiUppercase) : $1.properties.uppercaseMapping }
    }

    func lowercased() -> TracedText { mapped { lower($1, at: $0) } }

    /// One scalar's lower case; a sigma at the end of a word has its own form.
    private func lower(_ scalar: Unicode.Scalar, at index: Int) -> String {
        if scalar.isASCII { return String(scalar.asciiLowercase) }
        guard scalar == "\u{3A3}" else { return scalar.properties.lowercaseMapping }
        var before = index - 1
        while before >= 0, scalars[before].properties.isCaseIgnorable { before -= 1 }
        var after = index + 1
        while after < count, scalars[after].properties.isCaseIgnorable { after += 1 }
        let isFinal =
            before >= 0 && scalars[before].properties.isCased && !(after < count && scalars[after].properties.isCased)
        return isFinal ? "\u{3C2}" : "\u{3C3}"
    }

    /// The first scalar in title case, the others in lower case.
    func capitalized() -> TracedText {
        mapped { index, scalar in index == 0 ? scalar.properties.titlecaseMapping : lower(scalar, at: index) }
    }

    /// Python's `str.title`: a word is a run of cased letters.
    func titlecased() -> TracedText {
        var insideWord = false
        return mapped { index, scalar in
            defer { insideWord = scalar.properties.isCased }
            return insideWord ? lower(scalar, at: index) : scalar.properties.titlecaseMapping
        }
    }

    /// Jinja's `title` filter: a word begins after white space or one of `-({[<`.
    func wordsCapitalized() -> TracedText {
        var insideWord = false
        var result = TracedText()
        var start = 0
        // Python lowers each word on its own, which the sigma at a word's end can tell.
        for index in 0...count {
            let separates =
                index == count || scalars[index].isPythonSpace || "-({[<".unicodeScalars.contains(scalars[index])
            if separates, insideWord {
                result.append(self[start..<start + 1].uppercased())
                result.append(self[start + 1..<index].lowercased())
            }
            if separates, index < count { result.append(self[index..<index + 1]) }
            if !separates, !insideWord { start = index }
            insideWord = !separates
        }
        return result
    }

    func caseSwapped() -> TracedText {
        mapped { index, scalar in
            scalar.properties.isUppercase
                ? lower(scalar, at: index)
                : scalar.properties.isLowercase ? scalar.properties.uppercaseMapping : String(scalar)
        }
    }

    /// Whether there is a cased letter and all of them are of this case.
    func isAll(upper: Bool) -> Bool {
        var found = false
        for scalar in scalars where scalar.properties.isCased {
            guard upper ? scalar.properties.isUppercase : scalar.properties.isLowercase else { return false }
            found = true
        }
        return found
    }
}

extension Unicode.Scalar {
    fileprivate var asciiUppercase: Unicode.Scalar {
        (0x61...0x7A).contains(value) ? Unicode.Scalar(value - 32)! : self
    }
    fileprivate var asciiLowercase: Unicode.Scalar {
        (0x41...0x5A).contains(value) ? Unicode.Scalar(value + 32)! : self
    }
}
