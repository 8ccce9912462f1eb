/// Reads one name from the tokens and weighs what speaks for it.
struct NameReader {
    let text: ScannedText
    let context: RecognitionContext

    /// Tokens, inclusive.
    struct Name {
        var first: Int
        var last: Int
        var score: Double
    }

    static let longestName = 5

    // MARK: Kept names

    /// The last token of the longest kept name that begins at a place.
    func keptEnd(_ i: Int) -> Int? {
        let tokens = text.tokens
        let found = text.phraseEnd(i, in: context.lexicon.kept, longest: context.lexicon.longestKept)
        // One kept word followed by another name is another person: `Drake Henson`.
        if let found, found == i, found + 1 < tokens.count,
            !tokens[found + 1].isJoined,
            tokens[found + 1].classes.contains(.last), tokens[found + 1].isCapitalised
        {
            return nil
        }
        return found
    }

    // MARK: Names

    /// The name that begins at a word, if one does.
    func name(at i: Int) -> Name? {
        let tokens = text.tokens
        if let answer = answer(i) { return answer }
        if let introduced = introduction(before: i) { return introduced }
        if !text.tokens[i].isCapitalised || text.isShouted, let name = small(i) { return name }
        let token = tokens[i]
        // `Mr. Grimes`: the title goes with the name.
        if token.classes.contains(.title), token.isCapitalised || !text.hasCapital {
            let next = text.isSign(i + 1, ".") ? i + 2 : i + 1
            if next < tokens.count, tokens[next].kind == .word, !tokens[next].startsLine,
                i + 1 == next || tokens[i + 1].isJoined,
                tokens[next].isCapitalised || isGiven(next) || tokens[next].classes.contains(.last),
                tokens[next].classes.isDisjoint(with: [.common, .neverName])
                    || tokens[next].isCapitalised && !text.isShouted
                        && !tokens[next].classes.contains(.keepVerb)
            {
                if tokens[next].classes.contains(.keptStart), keptEnd(next) != nil { return nil }
                if tokens[next].classes.contains(.common), tokens[next].classes.isDisjoint(with: [.first, .last]) {
                    return nil
                }
                return Name(first: i, last: runEnd(next, isSure: true), score: 0.85)
            }
        }
        guard isCandidate(i) else { return nil }
        let end = runEnd(i, isSure: false)
        let score = weigh(i, end)
        return score >= 0.2 ? Name(first: i, last: end, score: score) : nil
    }

    /// Whether the word's capital says something.
    private func isCapital(_ i: Int) -> Bool { text.tokens[i].isCapitalised && !text.isShouted }

    private func isGiven(_ i: Int) -> Bool {
        let classes = text.tokens[i].classes
        return classes.contains(.first) && classes.isDisjoint(with: [.ambiguous, .common, .neverName, .particle])
    }

    private func isCandidate(_ i: Int) -> Bool {
        let token = text.tokens[i]
        if token.isJoined, i > 0, text.isSign(i - 1, "'") || text.isSign(i - 1, "@") || text.isSign(i - 1, "_") {
            return false
        }
        if context.knownNames.contains(token.folded) { return true }
        if isCapital(i) {
            if token.isAllCapitals, token.length <= 4, token.classes.isDisjoint(with: [.first, .last]) { return false }
            if token.classes.contains(.neverName), !token.classes.contains(.first) { return false }
            if token.length == 1 { return false }
            return token.classes.isDisjoint(with: [.common, .title, .particle])
                || !token.classes.isDisjoint(with: [.first, .last])
        }
        return isGiven(i) || (token.classes.contains(.first) && i + 1 < text.tokens.count && text.has(i + 1, .last))
    }

    /// The last token of the run of name words that begins at `i`.
    private func runEnd(_ i: Int, isSure: Bool) -> Int {
        let tokens = text.tokens
        var end = i
        var at = i
        var words = 1
        while words < Self.longestName {
            var next = at + 1
            guard next < tokens.count else { break }
            if let sign = text.sign(next) {
                // `Anne-Marie`, `O'Brien`, `J. Smith`, `Philip M.D.`
                let isInitial = sign == 0x2E && tokens[at].length == 1 && tokens[next].isJoined
                let isLink =
                    (sign == 0x2D || sign == 0x27) && tokens[next].isJoined && next + 1 < tokens.count
                    && tokens[next + 1].isJoined && tokens[next + 1].folded != Word.s
                guard isInitial || isLink else { break }
                next += 1
                guard next < tokens.count else { break }
            }
            let token = tokens[next]
            guard token.kind == .word, !token.startsLine else { break }
            if token.isJoined, !(next > at + 1) { break }
            let capital = isCapital(next)
            if token.classes.contains(.suffix), capital || token.isAllCapitals || !text.hasCapital {
                end = next
                break
            }
            if token.classes.contains(.particle), !capital || token.length <= 3 {
                // `Ludwig van Moor`: only between names.
                let following = next + 1
                guard following < tokens.count, tokens[following].kind == .word, !tokens[following].startsLine,
                    isCapital(following) || tokens[following].classes.contains(.particle)
                else { break }
                at = next
                words += 1
                continue
            }
            if capital {
                let never: WordClass = [.neverName, .common, .keepVerb, .title, .account]
                let isName = !token.classes.isDisjoint(with: [.first, .last])
                if !isName, !token.classes.isDisjoint(with: never) { break }
                if isName, token.classes.contains(.common), startsSentence(next) { break }
                if !token.classes.isDisjoint(with: [.unit, .military]), !isName { break }
                if token.classes.contains(.keptStart), words == 1, keptEnd(next).map({ $0 > next }) == true { break }
                // An initial must have its full stop or stand between names.
                if token.length == 1, token.folded == Word.i { break }
            } else {
                let isPlain = token.classes.isDisjoint(with: [.common, .neverName, .particle, .ambiguous])
                let isListed = !token.classes.isDisjoint(with: [.last, .first]) && isPlain
                guard isListed || context.knownNames.contains(token.folded), !isCapital(i) || !text.hasSmall else {
                    break
                }
            }
            end = next
            at = next
            words += 1
        }
        return end
    }

    func startsSentence(_ i: Int) -> Bool {
        let tokens = text.tokens
        if i == 0 || tokens[i].startsLine { return true }
        guard let sign = text.sign(i - 1) else { return false }
        switch sign {
        case UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: "\""),
            UInt8(ascii: ">"), UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "("), UInt8(ascii: "\\"):
            // After a title's or initial's full stop the sentence goes on.
            return
                !(sign == 0x2E && i > 1 && tokens[i - 2].kind == .word
                && (tokens[i - 2].classes.contains(.title) || tokens[i - 2].length == 1))
        default: return false
        }
    }

    // MARK: Weighing

    private func weigh(_ first: Int, _ last: Int) -> Double {
        let tokens = text.tokens
        let words = (first...last).filter { tokens[$0].kind == .word && !tokens[$0].classes.contains(.particle) }
        if words.contains(where: { context.knownNames.contains(tokens[$0].folded) }) {
            let known = words.contains {
                context.knownNames.contains(tokens[$0].folded)
                    && (isCapital($0) || tokens[$0].classes.isDisjoint(with: [.common, .ambiguous]))
            }
            if known { return 0.7 }
        }
        var score = 0.0
        let head = tokens[first].classes
        let capital = isCapital(first)
        let isStart = startsSentence(first)
        if words.count == 1 {
            if isGiven(first) {
                score = capital ? 0.75 : 0.55
            } else if head.contains(.first) {
                score = capital ? (isStart ? 0.35 : 0.5) : 0.05
                if head.contains(.neverName) { score -= 0.2 }
                if head.contains(.common) { score -= isStart ? 0.2 : 0.1 }
            } else if head.contains(.last), head.isDisjoint(with: [.ambiguous, .common, .neverName]) {
                score = capital ? (isStart ? 0.45 : 0.55) : 0.1
            } else if head.contains(.last) {
                score = capital && !isStart ? 0.3 : 0.1
            } else {
                score = capital ? (isStart ? 0.2 : 0.3) : 0
            }
        } else {
            let firsts = words.count { tokens[$0].classes.contains(.first) }
            let lasts = words.dropFirst().count { !tokens[$0].classes.isDisjoint(with: [.last, .suffix]) }
            let given = words.count { isGiven($0) }
            if given > 0 {
                score = 0.8
            } else if firsts > 0, lasts > 0 {
                score = 0.7
            } else if firsts > 0 {
                score = isStart && head.contains(.common) ? 0.3 : 0.55
            } else if lasts > 0 {
                score = isStart ? 0.4 : 0.5
            } else {
                score = isStart ? 0.3 : 0.35
            }
            if !capital { score -= 0.1 }
        }
        return min(0.95, score + surroundings(first, last, isCapital: capital))
    }

    /// What stands beside the name speaks for or against a person.
    private func surroundings(_ first: Int, _ last: Int, isCapital: Bool) -> Double {
        let tokens = text.tokens
        var boost = 0.0
        // Before.
        var before = first - 1
        if text.isSign(before, ",") { before -= 1 }
        if text.isSign(before, "\"") { before -= 1 }
        if text.has(before, .kin) {
            boost = max(boost, 0.35)
        } else if text.has(before, .greeting), isCapital {
            boost = max(boost, text.isSign(first - 1, ",") || startsSentence(before) ? 0.25 : 0.1)
        } else if text.isWord(before, Word.with) || text.isWord(before, Word.by), isCapital {
            boost = max(boost, 0.15)
        }
        // `X and Y`, `X, Y` where Y is surely a name, and the other way round.
        let isListedBefore = text.isWord(first - 1, Word.and) || text.isSign(first - 1, ",")
        if isListedBefore, first >= 2, isGiven(first - 2), tokens[first - 2].isCapitalised, isCapital {
            boost = max(boost, 0.25)
        }
        let isListedBehind = text.isWord(last + 1, Word.and) || text.isSign(last + 1, ",")
        if isListedBehind, last + 2 < tokens.count, isGiven(last + 2), tokens[last + 2].isCapitalised, isCapital {
            boost = max(boost, 0.25)
        }
        if text.has(first - 1, .speech), isCapital { boost = max(boost, 0.3) }
        // A line that holds nothing else, as in an address or under a letter.
        if last > first, tokens[first].startsLine, last + 1 < tokens.count, tokens[last + 1].startsLine, isCapital {
            boost = max(boost, 0.2)
        }
        // `X, can I …`
        if isCapital, startsSentence(first), text.isSign(last + 1, ","), text.has(last + 2, .keepVerb) {
            boost = max(boost, 0.3)
        }
        // Behind.
        let after = last + 1
        if text.has(after, .speech), isCapital {
            boost = max(boost, 0.3)
        } else if text.isSign(after, "'"), text.isWord(after + 1, Word.s) {
            if text.has(after + 2, [.kin, .address, .phone, .card, .account]) { boost = max(boost, 0.3) }
        } else if text.has(after, .keepVerb), isCapital {
            // `X is a very nice person`, `X was born in`.
            if text.isWord(after + 1, Word.from) {
                boost = max(boost, 0.35)
            } else if text.hasContext([.kin, .speech, .birth], before: 0, after: 6, of: first, after) {
                boost = max(boost, 0.25)
            } else if tokens[first].classes.contains(.first), tokens[first].classes.isDisjoint(with: .common) {
                boost = max(boost, 0.2)
            }
        } else if text.isWord(after, Word.his) || text.isWord(after, Word.her), isCapital {
            boost = max(boost, 0.25)
        } else if text.isSign(after, ":"), startsSentence(first), isCapital,
            tokens[first].classes.isDisjoint(with: .common)
        {
            boost = max(boost, 0.3)
        }
        // `the Schmitz novel`, `the Anderson`: rather a thing.
        if text.isWord(first - 1, Word.the) { boost -= 0.15 }
        // A street or a company goes on behind.
        if text.has(after, [.street]), tokens[after].isCapitalised { boost -= 0.3 }
        return boost
    }
}
