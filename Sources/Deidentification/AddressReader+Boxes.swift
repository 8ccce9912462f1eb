/// Corners, box numbers, field post, flats, and names between two numbers.
extension AddressReader {
    // MARK: Corners, boxes, flats

    /// `the corner of A and B`.
    func corner(_ i: Int) -> Found? {
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
    func box(_ i: Int) -> Found? {
        let tokens = text.tokens
        if Self.fieldPost.contains(tokens[i].folded) {
            guard i + 2 < tokens.count, tokens[i + 1].kind == .word, tokens[i + 1].length == 2,
                tokens[i + 2].kind == .number, tokens[i + 2].length == 5
            else { return nil }
            var first = i
            // The line before names a ship: `USS Somebody`.
            if tokens[i].startsLine, i >= 2, tokens[i - 1].kind == .word, tokens[i - 2].isAllCapitals,
                tokens[i - 2].length <= 6
            {
                first = i - 2
            }
            return Found(first: first, last: i + 2, score: 0.9)
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
    func flat(_ i: Int) -> Found? {
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

    // MARK: Numbers alone

    /// `zip code 12345`.
    func postcode(_ i: Int) -> Found? {
        guard (4...6).contains(text.tokens[i].length), text.hasContext(.postcode, before: 4, of: i) else { return nil }
        return Found(first: i, last: i, score: 0.7)
    }

    /// `63 Some Name 42`: a name between two house numbers, as many countries write it, where the talk is of addresses or
    /// a town or flat follows.
    func flanked(_ i: Int) -> Found? {
        let tokens = text.tokens
        guard isHouseNumber(i), !(tokens[i].isJoined && i > 0 && tokens[i - 1].kind != .sign) else { return nil }
        var at = i + 1
        if at < tokens.count, isHouseNumber(at), !tokens[at].isJoined, !tokens[at].startsLine { at += 1 }
        var words = 0
        while at < tokens.count, words < 5, !tokens[at].startsLine, tokens[at].kind != .number {
            if tokens[at].kind == .sign {
                guard let sign = text.sign(at), sign == 0x2E || sign == 0x2D || sign == 0x27 || sign == 0x2F,
                    tokens[at].isJoined
                else { return nil }
            } else {
                let talk: WordClass = [.common, .keepVerb, .neverName, .kin, .speech]
                let isName = tokens[at].isCapitalised || tokens[at].classes.contains(.particle)
                // `Trg revolucije 12`: behind a capital, a small word that is no talk goes on.
                let goesOn = words > 0 && tokens[at].classes.isDisjoint(with: talk) && tokens[at].length > 2
                guard isName || goesOn || !text.hasCapital,
                    tokens[at].isCapitalised || tokens[at].classes.isDisjoint(with: talk)
                else {
                    return nil
                }
                words += 1
            }
            at += 1
        }
        let hasNumber = at < tokens.count && tokens[at].kind == .number && isHouseNumber(at) && !tokens[at].startsLine
        guard words > 0, words < 5 || hasNumber else { return nil }
        let last = hasNumber ? at : at - 1
        var score = hasNumber ? 0.3 : 0.1
        if asked || text.hasContext(.address, before: 12, of: i) { score += 0.25 }
        let next = last + 1
        // A line of its own.
        if hasNumber, tokens[i].startsLine, next >= tokens.count || tokens[next].startsLine, words > 1 { score += 0.25 }
        if next < tokens.count, text.isSign(next, ",") || tokens[next].startsLine, tail(after: last) > last {
            score += 0.25
        }
        return score >= 0.5 ? Found(first: i, last: last, score: score) : nil
    }
}
