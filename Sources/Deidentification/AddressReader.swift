/// Reads the pieces of an address from the tokens. Every step looks at a bounded number of tokens.
struct AddressReader {
    let text: ScannedText
    /// Whether the turn before asked for an address.
    let asked: Bool

    /// An address around the anchor at a place: tokens, inclusive.
    struct Found {
        var first: Int
        var last: Int
        var score: Double
    }

    /// Endings that make one word a street, after folding.
    static let endings = [
        "strasse", "strase", "gasse", "gade", "gata", "gatan", "gaten", "vagen", "veien", "straat", "laan", "plein",
        "gracht",
        "dreef", "singel", "katu", "allee", "platz", "damm", "ufer", "utca", "steenweg", "weg", "vej", "straede", "str",
        "baan", "sgt", "kroken", "bakken", "stien", "torvet", "markt", "steig",
    ].map { Array($0.utf8) }
    /// Street words that are also everyday words: with these the name must be written in capitals.
    static let everyday = Set(
        [
            "way", "place", "court", "close", "drive", "walk", "row", "circle", "square", "hill", "plaza", "st", "dr",
            "ring", "alley", "loop", "trail", "grove", "gardens", "tie", "ter", "ut", "al", "via", "place", "sor",
            "vila",
            "pl", "ct", "ln", "route", "ring", "alle", "terrace", "pass", "camino", "via", "paseo", "torg",
        ].map { FoldedHash($0).value })
    /// Street words that stand before the name.
    static let leading = Set(
        [
            "rua", "via", "calle", "rue", "avenida", "avda", "ul", "ulica", "aleja", "al", "plac", "travessa", "viale",
            "piazza", "corso", "vicolo", "chemin", "quai", "impasse", "route", "paseo", "camino", "carrer", "carretera",
            "ctra", "praca", "estrada", "rambla", "prospekt", "cesta", "avenue", "boulevard", "plaza", "vila", "sor",
            "place",
        ].map { FoldedHash($0).value })
    static let unmistakable = Set(
        ["street", "avenue", "boulevard", "ave", "blvd"].map { FoldedHash($0).value })
    /// Everyday words that end like a street.
    static let noStreets = Set(["brigade", "renegade", "brigades"].map { FoldedHash($0).value })
    static let ordinals = Set(["st", "nd", "rd", "th"].map { FoldedHash($0).value })
    static let box = FoldedHash("box").value
    static let po = Set(["po", "p"].map { FoldedHash($0).value })
    static let flats = Set(["apt", "apartment", "suite", "ste"].map { FoldedHash($0).value })
    static let fieldPost = Set(["apo", "fpo", "dpo"].map { FoldedHash($0).value })

    /// The address that an anchor at `i` (a street word, a flat, a box, a corner) makes, if it does.
    func address(at i: Int) -> Found? {
        let token = text.tokens[i]
        if token.kind == .number { return postcode(i) ?? flanked(i) }
        guard token.kind == .word else { return nil }
        if token.folded == Word.corner { return corner(i) }
        if token.classes.contains(.military) || token.folded == Self.box { return box(i) ?? flat(i) }
        if Self.flats.contains(token.folded) { return flat(i) }
        guard token.classes.contains(.street) || isStreetByEnding(i) else { return nil }
        return street(i)
    }

    // MARK: Streets

    func street(_ i: Int) -> Found? {
        let tokens = text.tokens
        let isEveryday = Self.everyday.contains(tokens[i].folded)
        var score = 0.0
        var first = i
        var last = i

        // The name: to the left of `Street`, to the right of `Rua`.
        let left = nameStart(before: i)
        let isLeading = Self.leading.contains(tokens[i].folded)
        let right = isLeading ? nameEnd(after: i) : i
        let hasName = left < i || right > i || isStreetByEnding(i)
        guard hasName else { return said(i) }
        last = max(right, dot(after: i))
        if right > i { last = dot(after: right) }

        var numberLeft = false
        if let number = houseNumber(before: left) {
            first = number
            numberLeft = true
        } else {
            first = left
        }
        var numberRight = false
        if let number = houseNumber(after: last) {
            last = number
            numberRight = true
        }
        let isWritten = tokens[i].isCapitalised || (left..<i).contains { tokens[$0].isCapitalised }
        if numberLeft || numberRight {
            score = isWritten ? 0.75 : 0.5
            // "No 5 way": everyday words in small letters are talk.
            let isSaid = asked || text.hasContext(.address, before: 8, of: first)
            if isEveryday && !tokens[i].isCapitalised && !isLeading { score -= isSaid ? 0.25 : 0.35 }
            if !isWritten, left < i, (left..<i).contains(where: { tokens[$0].classes.contains(.common) }) {
                score -= 0.2
            }
        } else {
            guard isWritten, tokens[i].isCapitalised || isStreetByEnding(i), !isEveryday || left < i, !isKept(left, i)
            else { return nil }
            // Roads named by an unmistakable word name a neighbourhood even without a number.
            score = Self.unmistakable.contains(tokens[i].folded) || isStreetByEnding(i) ? 0.5 : 0.25
        }
        if isLeading, left < i, !numberLeft, !numberRight { return nil }
        if asked || text.hasContext(.address, before: 8, of: first) { score += 0.25 }
        if score < 0.5, let said = said(i) { return said }
        return score >= 0.4 ? Found(first: first, last: last, score: min(score, 0.95)) : nil
    }

    private static let measures = Set(
        ["minute", "minutes", "min", "mins", "hour", "hours", "mile", "miles", "km", "block", "blocks", "day", "days"]
            .map {
                FoldedHash($0).value
            })
    private static let before = Set(["at", "to", "is"].map { FoldedHash($0).value })

    /// `i live at 551 elm tree lane`: a number, one or two words of any kind and a street word, where the talk is of addresses.
    func said(_ i: Int) -> Found? {
        let tokens = text.tokens
        for number in stride(from: i - 2, through: max(1, i - 3), by: -1) where tokens[number].kind == .number {
            guard isHouseNumber(number), !tokens[number].isJoined,
                ((number + 1)..<i).allSatisfy({
                    tokens[$0].kind == .word && !tokens[$0].isJoined && !Self.measures.contains(tokens[$0].folded)
                        && tokens[$0].classes.isDisjoint(with: .keepVerb)
                }),
                tokens[number - 1].kind == .word, Self.before.contains(tokens[number - 1].folded),
                asked || text.hasContext(.address, before: 6, of: number)
            else { return nil }
            return Found(first: number, last: i, score: 0.6)
        }
        return nil
    }

    /// `Wall Street`, `Abbey Road`: known to everybody.
    func isKept(_ left: Int, _ i: Int) -> Bool {
        i - left == 1 && Self.famous.contains(FoldedHash.phrase(text.tokens[left].folded, text.tokens[i].folded))
    }

    static let famous: Set<UInt64> = Set(
        [
            ("wall", "street"), ("abbey", "road"), ("sesame", "street"), ("downing", "street"), ("fifth", "avenue"),
            ("baker", "street"), ("bourbon", "street"), ("penny", "lane"), ("oxford", "street"), ("times", "square"),
            ("elm", "street"), ("broadway", "street"), ("main", "street"), ("jump", "street"),
        ].map { FoldedHash.phrase(FoldedHash($0.0).value, FoldedHash($0.1).value) })

    func isStreetByEnding(_ i: Int) -> Bool {
        let token = text.tokens[i]
        guard token.kind == .word, token.length >= 6, token.classes.isDisjoint(with: [.common, .first, .neverName])
        else {
            return false
        }
        // The last bytes, folded; ß counts as ss.
        var folded: [UInt8] = []
        var at = token.start
        while at < token.end {
            let (scalar, length) = ScannedText.scalar(text.bytes, at: at)
            folded.append(contentsOf: FoldedHash.fold(scalar))
            at += length
            if folded.count > 64 { return false }
        }
        return Self.endings.contains { folded.count >= $0.count + 3 && folded.suffix($0.count).elementsEqual($0) }
    }

    /// The first of up to four words before the anchor that make the street's name.
    func nameStart(before i: Int) -> Int {
        let tokens = text.tokens
        var at = i
        var words = 0
        while at > 0, words < 4, !tokens[at].startsLine {
            var previous = at - 1
            // `Bailén-Motril`, `St. James`, `O'Neil`.
            if let sign = text.sign(previous), previous > 0, sign == 0x2D || sign == 0x2E || sign == 0x27,
                tokens[previous].isJoined, tokens[previous - 1].kind == .word
            {
                if sign == 0x2E && tokens[previous - 1].length > 4 { break }
                previous -= 1
            }
            if words == 0, tokens[previous].kind == .word, tokens[previous].isJoined, previous > 0,
                tokens[previous - 1].kind == .number, Self.ordinals.contains(tokens[previous].folded)
            {
                // `40th Street`: the ordinal is the name.
                return previous - 1
            }
            guard tokens[previous].kind == .word else { break }
            let isCapital = tokens[previous].isCapitalised
            if !isCapital {
                // Small letters: only words that are no talk, and directly before.
                if tokens[i].isCapitalised, !tokens[previous].classes.contains(.particle) { break }
                let plain: WordClass = [.common, .keepVerb, .neverName, .kin, .speech, .address, .greeting]
                if !tokens[previous].classes.contains(.particle), !tokens[previous].classes.isDisjoint(with: plain) {
                    break
                }
                if tokens[previous].classes.contains(.particle), words == 0 { break }
            } else if isTalk(previous) {
                break
            }
            at = previous
            words += 1
        }
        return at
    }

    /// The last of up to four words behind a street word that stands first.
    func nameEnd(after i: Int) -> Int {
        let tokens = text.tokens
        var at = dot(after: i)
        var end = i
        var words = 0
        while at + 1 < tokens.count, words < 5, !tokens[at + 1].startsLine {
            var next = at + 1
            if text.isSign(next, "-") || text.isSign(next, "."), tokens[next].isJoined, next + 1 < tokens.count {
                next += 1
            }
            guard tokens[next].kind == .word, !tokens[next].startsLine else { break }
            if !tokens[next].isCapitalised, !tokens[next].classes.contains(.particle),
                text.hasCapital || !tokens[next].classes.isDisjoint(with: [.common, .keepVerb])
            {
                break
            }
            if tokens[next].classes.contains(.unit), !tokens[next].classes.contains(.last) { break }
            at = next
            end = next
            words += 1
        }
        return end
    }

    /// A capitalised word that begins a sentence and is talk: `The`, `Visit`.
    func isTalk(_ i: Int) -> Bool {
        let token = text.tokens[i]
        guard token.classes.contains(.common) else { return false }
        if token.classes.contains(.address) || token.classes.contains(.keepVerb) { return true }
        return i == 0 || token.startsLine || text.isSign(i - 1, ".") || text.isSign(i - 1, ":")
            || text.isSign(i - 1, "\"")
    }

    func dot(after i: Int) -> Int {
        text.isSign(i + 1, ".") && text.tokens[i + 1].isJoined ? i + 1 : i
    }

    /// The first token of the house number (or two) before a street's name.
    func houseNumber(before i: Int) -> Int? {
        let tokens = text.tokens
        var at = i - 1
        // `12b Elm Street`, `40th Street`, `12, Elm Street`.
        if at > 0, tokens[at].kind == .word, tokens[at].isJoined, tokens[at].length <= 2, tokens[at - 1].kind == .number
        {
            at -= 1
        } else if text.isSign(at, ","), at > 0 {
            at -= 1
        }
        if text.isSign(at, "."), at > 0, tokens[at].isJoined { at -= 1 }
        guard at >= 0, isHouseNumber(at), !tokens[at + 1].startsLine || at + 1 == i else { return nil }
        // `40 33 Avenue …`: building and house.
        if at > 0, isHouseNumber(at - 1), !tokens[at].isJoined, !tokens[at].startsLine { at -= 1 }
        return at
    }

    func houseNumber(after i: Int) -> Int? {
        var at = i + 1
        if text.isSign(at, ","), at + 1 < text.tokens.count { at += 1 }
        guard text.tokens.indices.contains(at), isHouseNumber(at), !text.tokens[at].startsLine else { return nil }
        // "Elm Street at 5" has the preposition between; "Elm Street 5 times" has talk behind.
        if at + 1 < text.tokens.count, text.tokens[at + 1].kind == .word, !text.tokens[at + 1].isJoined,
            !text.tokens[at + 1].startsLine, text.has(at + 1, [.common]), !text.tokens[at + 1].isCapitalised,
            text.isSign(i + 1, ",")
        {
            return nil
        }
        if at + 1 < text.tokens.count, text.tokens[at + 1].isJoined, text.tokens[at + 1].kind == .word,
            text.tokens[at + 1].length == 1
        {
            return at + 1
        }
        return at
    }

    func isHouseNumber(_ i: Int) -> Bool {
        let token = text.tokens[i]
        guard token.kind == .number, token.length <= 5 else { return false }
        // `$40 Street`, `3.40`: an amount.
        if token.isJoined, i > 0, text.isSign(i - 1, "$") { return false }
        return true
    }
}
