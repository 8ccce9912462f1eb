/// The entries of a list as a tree of words, with a second tree of letters for words that were spaced out.
struct PhraseTree: Sendable {
    /// A word of the list: how long its runs are and whether longer words that begin so count too.
    private struct Listed: Sendable {
        var runs: [Int]
        var isPrefix: Bool
        var id: Int
    }

    private struct Node: Sendable {
        var next: [Int: Int] = [:]
        var entry: String?
    }

    private struct LetterNode: Sendable {
        var next: [Unicode.Scalar: Int] = [:]
        var entry: String?
        var runs: [Int] = []
    }

    private var words: [[Unicode.Scalar]: [Listed]] = [:]
    private var wordCount = 0
    private var longestPrefix = 0
    private var nodes = [Node()]
    private var letters = [LetterNode()]

    /// Adds a word or phrase; false when nothing of it is left after folding.
    mutating func insert(_ entry: String) -> Bool {
        let isPrefix = entry.last == "*"
        let folded = WordFolding(entry).tokens.compactMap(\.readings.first)
        guard !folded.isEmpty else { return false }
        var node = 0
        for (index, word) in folded.enumerated() {
            node = child(of: node, by: id(of: word, isPrefix: isPrefix && index == folded.count - 1))
        }
        nodes[node].entry = nodes[node].entry ?? entry
        let joined = folded.flatMap { word in zip(word.letters, word.runs).flatMap { repeatElement($0, count: $1) } }
        if joined.count >= 4 {
            // Written without its spaces, and with a space after each letter.
            let word = WordFolding.Word(joined)
            if folded.count > 1 {
                let node = child(of: 0, by: id(of: word, isPrefix: false))
                nodes[node].entry = nodes[node].entry ?? entry
            }
            insertLetters(word, entry)
        }
        return true
    }

    func matches(_ tokens: [WordFolding.Token]) -> [StringMatcher.Match] {
        guard wordCount > 0 else { return [] }
        let ids = tokens.map { token in token.readings.flatMap { self.ids(of: $0) } }
        var found: [StringMatcher.Match] = []
        for start in tokens.indices where !ids[start].isEmpty {
            var live = [0]
            var position = start
            while position < tokens.count, !live.isEmpty {
                live = live.flatMap { node in ids[position].compactMap { nodes[node].next[$0] } }
                position += 1
                for node in live {
                    if let entry = nodes[node].entry { found.append(.init(entry: entry, words: start..<position)) }
                }
            }
        }
        findParted(tokens, &found)
        findSpaced(tokens, &found)
        // One entry at one place may be reached by two readings.
        var seen: Set<StringMatcher.Match> = []
        return found.filter { seen.insert($0).inserted }
            .sorted { ($0.words.lowerBound, $0.words.upperBound) < ($1.words.lowerBound, $1.words.upperBound) }
    }

    /// "stu-pid": the parts of one chunk, joined.
    private func findParted(_ tokens: [WordFolding.Token], _ found: inout [StringMatcher.Match]) {
        var start = 0
        while start < tokens.count {
            var end = start + 1
            while end < tokens.count, !tokens[end].beginsChunk { end += 1 }
            if end - start > 1 {
                let word = WordFolding.Word(tokens[start..<end].flatMap { Self.spelled($0) })
                for id in ids(of: word) {
                    if let node = nodes[0].next[id], let entry = nodes[node].entry {
                        found.append(.init(entry: entry, words: start..<end))
                    }
                }
            }
            start = end
        }
    }

    /// "i d i o t", also with other single letters before or after.
    private func findSpaced(_ tokens: [WordFolding.Token], _ found: inout [StringMatcher.Match]) {
        var start = 0
        while start < tokens.count {
            guard tokens[start].isSingle else {
                start += 1
                continue
            }
            var end = start
            while end < tokens.count, tokens[end].isSingle { end += 1 }
            if end - start >= 4 { findLetters(tokens, start..<end, &found) }
            start = end
        }
    }

    private func findLetters(
        _ tokens: [WordFolding.Token], _ range: Range<Int>, _ found: inout [StringMatcher.Match]
    ) {
        let scalars = range.flatMap { Self.spelled(tokens[$0], isLetter: true) }
        guard scalars.count == range.count else { return }
        let word = WordFolding.Word(scalars)
        var offset = range.lowerBound
        for first in word.letters.indices {
            var node = 0
            var end = offset
            for index in first..<word.letters.count {
                guard let next = letters[node].next[word.letters[index]] else { break }
                node = next
                end += word.runs[index]
                if let entry = letters[node].entry, zip(word.runs[first...index], letters[node].runs).allSatisfy(>=) {
                    found.append(.init(entry: entry, words: offset..<end))
                }
            }
            offset += word.runs[first]
        }
    }

    private static func spelled(_ token: WordFolding.Token, isLetter: Bool = false) -> [Unicode.Scalar] {
        guard let word = token.readings.first else { return [] }
        // A digit alone is no disguise, but among letters one by one it is.
        if isLetter, let scalar = word.letters.first, let letter = digits[scalar] { return [letter] }
        return zip(word.letters, word.runs).flatMap { repeatElement($0, count: $1) }
    }

    private static let digits: [Unicode.Scalar: Unicode.Scalar] = [
        "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t",
    ]

    private func ids(of word: WordFolding.Word) -> [Int] {
        var result = (words[word.letters] ?? []).filter { word.isStretched($0.runs) }.map(\.id)
        if longestPrefix > 0 {
            for length in 1..<max(1, min(word.letters.count, longestPrefix + 1)) {
                for listed in words[Array(word.letters.prefix(length))] ?? []
                where listed.isPrefix && word.isStretched(listed.runs) {
                    result.append(listed.id)
                }
            }
        }
        return result
    }

    private mutating func id(of word: WordFolding.Word, isPrefix: Bool) -> Int {
        if let known = words[word.letters]?.first(where: { $0.runs == word.runs && $0.isPrefix == isPrefix }) {
            return known.id
        }
        words[word.letters, default: []].append(Listed(runs: word.runs, isPrefix: isPrefix, id: wordCount))
        if isPrefix { longestPrefix = max(longestPrefix, word.letters.count) }
        wordCount += 1
        return wordCount - 1
    }

    private mutating func child(of node: Int, by word: Int) -> Int {
        if let next = nodes[node].next[word] { return next }
        nodes.append(Node())
        nodes[node].next[word] = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func insertLetters(_ word: WordFolding.Word, _ entry: String) {
        var node = 0
        for letter in word.letters {
            if let next = letters[node].next[letter] {
                node = next
            } else {
                letters.append(LetterNode())
                letters[node].next[letter] = letters.count - 1
                node = letters.count - 1
            }
        }
        if letters[node].entry == nil {
            letters[node].entry = entry
            letters[node].runs = word.runs
        }
    }
}
