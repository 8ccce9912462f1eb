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
    private static let endings = [
        "strasse", "strase", "gasse", "gade", "gata", "gatan", "gaten", "vagen", "veien", "straat", "laan", "plein",
        "gracht",
        "dreef", "singel", "katu", "allee", "platz", "damm", "ufer", "utca", "steenweg", "weg", "vej", "straede", "str",
        "kade", "baan", "sgt", "kroken", "bakken", "stien", "torvet", "markt", "steig", "ring",
    ].map { Array($0.utf8) }
    /// Street words that are also everyday words: with these the name must be written in capitals.
    private static let everyday = Set(
        [
            "way", "place", "court", "close", "drive", "walk", "row", "circle", "square", "hill", "plaza", "st", "dr",
            "ring", "alley", "loop", "trail", "grove", "gardens", "tie", "ter", "ut", "al", "via", "place", "sor",
            "vila",
            "pl", "ct", "ln", "route", "ring", "alle", "terrace", "pass", "camino", "via", "paseo", "torg",
        ].map { FoldedHash($0).value })
    /// Street words that stand before the name.
    private static let leading = Set(
        [
            "rua", "via", "calle", "rue", "avenida", "avda", "ul", "ulica", "aleja", "al", "plac", "travessa", "viale",
            "piazza", "corso", "vicolo", "chemin", "quai", "impasse", "route", "paseo", "camino", "carrer", "carretera",
            "ctra", "praca", "estrada", "rambla", "prospekt", "cesta", "avenue", "boulevard", "plaza", "vila", "sor",
            "place",
        ].map { FoldedHash($0).value })
    private static let box = FoldedHash("box").value
    private static let po = Set(["po", "p"].map { FoldedHash($0).value })
    private static let flats = Set(["apt", "apartment", "suite", "ste"].map { FoldedHash($0).value })
    private static let fieldPost = Set(["apo", "fpo", "dpo"].map { FoldedHash($0).value })

    /// The address that an anchor at `i` (a street word, a flat, a box, a corner) makes, if it does.
    func address(at i: Int) -> Found? {
        let token = text.tokens[i]
        guard token.kind == .word else { return nil }
        if token.folded == Word.corner { return corner(i) }
        if token.classes.contains(.military) || token.folded == Self.box { return box(i) ?? flat(i) }
        if Self.flats.contains(token.folded) { return flat(i) }
        guard token.classes.contains(.street) || isStreetByEnding(i) else { return nil }
        return street(i)
    }

    // MARK: Streets

    private func street(_ i: Int) -> Found? {
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
        guard hasName else { return nil }
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
            if isEveryday && !tokens[i].isCapitalised && !isLeading { score -= 0.35 }
            if !isWritten, left < i, (left..<i).contains(where: { tokens[$0].classes.contains(.common) }) {
                score -= 0.2
            }
        } else {
            guard isWritten, tokens[i].isCapitalised || isStreetByEnding(i), !isEveryday || left < i, !isKept(left, i)
            else { return nil }
            score = 0.25
        }
        if isLeading, left < i, !numberLeft, !numberRight { return nil }
        if asked || text.hasContext(.address, before: 8, of: first) { score += 0.25 }
        return score >= 0.4 ? Found(first: first, last: last, score: min(score, 0.95)) : nil
    }

    /// `Wall Street`, `Abbey Road`: known to everybody.
    private func isKept(_ left: Int, _ i: Int) -> Bool {
        i - left == 1 && Self.famous.contains(FoldedHash.phrase(text.tokens[left].folded, text.tokens[i].folded))
    }

    private static let famous: Set<UInt64> = Set(
        [
            ("wall", "street"), ("abbey", "road"), ("sesame", "street"), ("downing", "street"), ("fifth", "avenue"),
            ("baker", "street"), ("bourbon", "street"), ("penny", "lane"), ("oxford", "street"), ("times", "square"),
            ("elm", "street"), ("broadway", "street"), ("main", "street"),
        ].map { FoldedHash.phrase(FoldedHash($0.0).value, FoldedHash($0.1).value) })

    private func isStreetByEnding(_ i: Int) -> Bool {
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
    private func nameStart(before i: Int) -> Int {
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
            if tokens[previous].kind == .number, at < tokens.count, tokens[at].isJoined, previous > 0 {
                break  // `40th Street` is read as number and word; the ordinal belongs to the name.
            }
            guard tokens[previous].kind == .word else { break }
            let isCapital = tokens[previous].isCapitalised
            if !isCapital {
                // Small letters: only words that are no talk, and directly before.
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
    private func nameEnd(after i: Int) -> Int {
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
            let isSmall = !tokens[next].isCapitalised && text.hasCapital
            if isSmall, !tokens[next].classes.contains(.particle), !tokens[i].isCapitalised == false { break }
            if tokens[next].classes.contains(.unit), !tokens[next].classes.contains(.last) { break }
            if isSmall, !tokens[next].classes.isDisjoint(with: [.common, .keepVerb]),
                !tokens[next].classes.contains(.particle)
            {
                break
            }
            at = next
            end = next
            words += 1
        }
        return end
    }

    /// A capitalised word that begins a sentence and is talk: `The`, `Visit`.
    private func isTalk(_ i: Int) -> Bool {
        let token = text.tokens[i]
        guard token.classes.contains(.common) else { return false }
        if token.classes.contains(.address) || token.classes.contains(.keepVerb) { return true }
        return i == 0 || token.startsLine || text.isSign(i - 1, ".") || text.isSign(i - 1, ":")
            || text.isSign(i - 1, "\"")
    }

    private func dot(after i: Int) -> Int {
        text.isSign(i + 1, ".") && text.tokens[i + 1].isJoined ? i + 1 : i
    }

    /// The first token of the house number (or two) before a street's name.
    private func houseNumber(before i: Int) -> Int? {
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

    private func houseNumber(after i: Int) -> Int? {
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

    private func isHouseNumber(_ i: Int) -> Bool {
        let token = text.tokens[i]
        guard token.kind == .number, token.length <= 5 else { return false }
        // `$40 Street`, `3.40`: an amount.
        if token.isJoined, i > 0, text.isSign(i - 1, "$") { return false }
        return true
    }

    // MARK: Corners, boxes, flats

    /// `the corner of A and B`.
    private func corner(_ i: Int) -> Found? {
        let tokens = text.tokens
        guard text.isWord(i + 1, Word.of) else { return nil }
        var at = i + 2
        var last = at
        var hasAnd = false
        var hasStreet = false
        while at < tokens.count, at - i < 16, !tokens[at].startsLine {
            let token = tokens[at]
            if token.kind == .sign {
                guard token.isJoined, text.isSign(at, ".") || text.isSign(at, "-") || text.isSign(at, "'") else {
                    break
                }
            } else if token.folded == Word.and {
                if hasAnd { break }
                hasAnd = true
            } else {
                if token.classes.contains(.street) || isStreetByEnding(at) { hasStreet = true }
                let isTalk =
                    token.kind == .word && !token.isCapitalised && token.classes.contains(.common)
                    && !token.classes.contains(.street)
                if isTalk { break }
                last = at
                // A sentence's end after the second street.
                if hasAnd, hasStreet, token.classes.contains(.street), at + 1 < tokens.count,
                    tokens[at + 1].kind == .word, !tokens[at + 1].isCapitalised
                {
                    break
                }
            }
            at += 1
        }
        guard hasAnd, hasStreet || (last > i + 3 && tokens[i + 2].isCapitalised) else { return nil }
        let first = text.isWord(i - 1, Word.the) ? i - 1 : i
        return Found(first: first, last: last, score: hasStreet ? 0.8 : 0.55)
    }

    /// `P.O. Box 12`, `PSC 44, Box 75`, `Unit 85 Box 38`, `APO AP 93558`.
    private func box(_ i: Int) -> Found? {
        let tokens = text.tokens
        if Self.fieldPost.contains(tokens[i].folded) {
            guard i + 2 < tokens.count, tokens[i + 1].kind == .word, tokens[i + 1].length == 2,
                tokens[i + 2].kind == .number, tokens[i + 2].length == 5
            else { return nil }
            return Found(first: i, last: i + 2, score: 0.9)
        }
        if tokens[i].folded == Self.box {
            guard i + 1 < tokens.count, tokens[i + 1].kind == .number else { return nil }
            var first = i - 1
            if text.isSign(first, ".") { first -= 1 }
            guard first >= 0, tokens[first].kind == .word else { return nil }
            if tokens[first].folded == FoldedHash("o").value, tokens[first].length == 1, first > 0 {
                first -= 1
                if text.isSign(first, "."), first > 0 { first -= 1 }
            }
            guard Self.po.contains(tokens[first].folded) else { return nil }
            if first > 0, isHouseNumber(first - 1), !tokens[first].startsLine { first -= 1 }
            return Found(first: first, last: i + 1, score: 0.85)
        }
        guard i + 1 < tokens.count, tokens[i + 1].kind == .number else { return nil }
        var next = i + 2
        if text.isSign(next, ",") { next += 1 }
        guard text.isWord(next, Self.box), next + 1 < tokens.count, tokens[next + 1].kind == .number else { return nil }
        return Found(first: i, last: next + 1, score: 0.9)
    }

    /// `Apt. 12`, with the line before it when that holds a number and a name.
    private func flat(_ i: Int) -> Found? {
        let tokens = text.tokens
        var number = dot(after: i) + 1
        if text.isSign(number, "#") { number += 1 }
        guard number < tokens.count, Self.flats.contains(tokens[i].folded), tokens[number].kind == .number,
            tokens[number].length <= 5, !tokens[number].startsLine
        else { return nil }
        var first = i
        var at = i - 1
        if text.isSign(at, ",") { at -= 1 }
        // Back over `14 Some Name 23`.
        var words = 0
        var numbers = 0
        var reach = at
        while at >= 0, words <= 5, numbers <= 3 {
            let token = tokens[at]
            if token.kind == .number {
                guard isHouseNumber(at) else { break }
                numbers += 1
                reach = at
            } else if token.kind == .word {
                guard token.isCapitalised || token.classes.contains(.particle) || !text.hasCapital, !isTalk(at) else {
                    break
                }
                words += 1
            } else {
                guard let sign = text.sign(at), sign == 0x2E || sign == 0x2D || sign == 0x27 || sign == 0x2F else {
                    break
                }
            }
            if token.startsLine { break }
            at -= 1
        }
        if words > 0, numbers > 0 { first = reach }
        return Found(first: first, last: number, score: 0.8)
    }

    // MARK: What follows

    /// The last token of flat, town, state, postcode and country behind an address.
    func tail(after start: Int) -> Int {
        let tokens = text.tokens
        var last = start
        var places = 0
        for _ in 0..<8 {
            var at = last + 1
            if text.isSign(at, ".") && at + 1 < tokens.count && tokens[at + 1].startsLine { at += 1 }
            var isSeparated = false
            if text.isSign(at, ",") {
                isSeparated = true
                at += 1
            }
            guard at < tokens.count else { break }
            if tokens[at].startsLine { isSeparated = true }
            if text.isSign(at, ">") { at += 1 }
            guard at < tokens.count else { break }
            if let piece = flat(at) {
                last = piece.last
            } else if tokens[at].classes.contains(.military), let piece = box(at) {
                last = piece.last
            } else if tokens[at].kind == .number, tokens[at].length >= 3, tokens[at].length <= 6 {
                // A postcode, perhaps with its second half.
                last = at
                if text.isSign(at + 1, "-"), at + 2 < tokens.count, tokens[at + 1].isJoined, tokens[at + 2].isJoined,
                    tokens[at + 2].kind == .number, tokens[at + 2].length <= 4
                {
                    last = at + 2
                }
            } else if tokens[at].kind == .word, let end = placeEnd(at, isSeparated: isSeparated), places < 4 {
                last = end
                places += 1
            } else {
                break
            }
        }
        return last
    }

    /// A town, state or country that begins at a place: capitalised words up to a comma, line end, number or the end.
    private func placeEnd(_ i: Int, isSeparated: Bool) -> Int? {
        let tokens = text.tokens
        var end = i
        var at = i
        var words = 0
        while at < tokens.count, words < 5, at == i || !tokens[at].startsLine {
            let token = tokens[at]
            if token.kind == .word,
                token.isCapitalised || token.classes.contains(.particle) || token.folded == Word.and
                    || (!text.hasCapital && isSeparated && !token.classes.contains(.common))
            {
                end = at
                words += 1
            } else if text.isSign(at, "-") || text.isSign(at, "'") || text.isSign(at, "."), token.isJoined,
                at + 1 < tokens.count, tokens[at + 1].kind == .word, text.isSign(at, ".") || tokens[at + 1].isJoined,
                !text.isSign(at, ".") || tokens[at - 1].length <= 3
            {
                // goes on
            } else {
                break
            }
            at += 1
        }
        guard words > 0, tokens[i].classes.isDisjoint(with: [.keepVerb]),
            !isTalk(i) || tokens[i].classes.contains(.street)
        else { return nil }
        if end + 1 >= tokens.count || tokens[end + 1].startsLine { return end }
        let next = tokens[end + 1]
        if next.kind == .number { return end }
        // Behind a comma, what another comma or a full stop closes; otherwise talk goes on.
        if next.kind == .sign, isSeparated { return end }
        if isSeparated, next.kind == .word, tokens[i].classes.contains(.neverName) { return end }
        return nil
    }
}
