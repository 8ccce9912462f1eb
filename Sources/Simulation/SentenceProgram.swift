/// A template compiled for matching: a small backtracking machine over words.
struct SentenceProgram: Sendable {
    private enum Step: Sendable {
        case word(Int32)
        case slot(isSubject: Bool, isOpen: Bool, phrases: [Int32: [LexiconIndex.Phrase]])
        case anything(isSubject: Bool)
        case split([Int])
        case jump(Int)
        case accept
    }

    /// Longest run of words that a slot of `any` takes.
    private static let longestAny = 6

    private var steps: [Step] = []

    init(_ pattern: Pattern, subject: Int, value: Int, lexicons: inout LexiconIndex) {
        append(pattern.nodes, subject, value, &lexicons)
        steps.append(.accept)
    }

    private mutating func append(
        _ nodes: [Pattern.Node], _ subject: Int, _ value: Int, _ lexicons: inout LexiconIndex
    ) {
        for node in nodes {
            switch node {
            case .word(let text):
                for word in SentenceText.words(of: text) { steps.append(.word(lexicons.intern(word))) }
            case .slot(let isSubject, let form):
                let lexicon = isSubject ? subject : value
                steps.append(
                    lexicon == LexiconIndex.any
                        ? .anything(isSubject: isSubject)
                        : .slot(
                            isSubject: isSubject, isOpen: form.isEmpty && lexicons.isOpen(lexicon),
                            phrases: lexicons.phrases(of: lexicon, form: form)))
            case .choice(let sequences):
                let split = steps.count
                steps.append(.split([]))
                var starts: [Int] = []
                var jumps: [Int] = []
                for sequence in sequences {
                    starts.append(steps.count)
                    append(sequence, subject, value, &lexicons)
                    jumps.append(steps.count)
                    steps.append(.jump(0))
                }
                steps[split] = .split(starts)
                for jump in jumps { steps[jump] = .jump(steps.count) }
            }
        }
    }

    /// Words that a match may begin with; `nil` when any may.
    func firstWords(_ lexicons: LexiconIndex) -> Set<Int32>? {
        var found: Set<Int32> = []
        var open = [0]
        while let at = open.popLast() {
            switch steps[at] {
            case .word(let word): found.insert(word)
            case .slot(_, let isOpen, let phrases):
                found.formUnion(phrases.keys)
                if isOpen { found.insert(LexiconIndex.unknown) }
            case .anything: return nil
            case .split(let targets): open += targets
            case .jump(let target): open.append(target)
            case .accept: break
            }
        }
        return found
    }

    /// Calls `found` with the slots of every way to read all the words.
    func match(
        _ ids: [Int32], words: [String], lexicons: LexiconIndex, found: (_ subject: String, _ value: String) -> Void
    ) {
        walk(0, 0, "", "", ids, words, found)
    }

    private func walk(
        _ step: Int, _ at: Int, _ subject: String, _ value: String, _ ids: [Int32], _ words: [String],
        _ found: (String, String) -> Void
    ) {
        var step = step
        var at = at
        while true {
            switch steps[step] {
            case .word(let word):
                guard at < ids.count, ids[at] == word else { return }
                at += 1
                step += 1
            case .jump(let target): step = target
            case .split(let targets):
                for target in targets { walk(target, at, subject, value, ids, words, found) }
                return
            case .slot(let isSubject, let isOpen, let phrases):
                guard at < ids.count else { return }
                if isOpen, ids[at] == LexiconIndex.unknown, (isSubject ? subject : value).isEmpty {
                    walk(
                        step + 1, at + 1, isSubject ? words[at] : subject, isSubject ? value : words[at], ids, words,
                        found)
                    return
                }
                for phrase in phrases[ids[at]] ?? [] where at + phrase.words.count <= ids.count {
                    guard phrase.words.indices.allSatisfy({ ids[at + $0] == phrase.words[$0] }) else { continue }
                    // A slot named twice must hold the same thing twice.
                    let held = isSubject ? subject : value
                    guard held.isEmpty || held == phrase.value else { continue }
                    walk(
                        step + 1, at + phrase.words.count, isSubject ? phrase.value : subject,
                        isSubject ? value : phrase.value, ids, words, found)
                }
                return
            case .anything(let isSubject):
                for length in stride(from: 1, through: min(Self.longestAny, ids.count - at), by: 1) {
                    let text = words[at..<at + length].joined(separator: " ")
                    walk(step + 1, at + length, isSubject ? text : subject, isSubject ? value : text, ids, words, found)
                }
                return
            case .accept:
                if at == ids.count { found(subject, value) }
                return
            }
        }
    }
}
