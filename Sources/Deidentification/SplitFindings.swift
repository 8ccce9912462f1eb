/// A text of a conversation with what was found in it so far.
struct WorkedText {
    var scanned: ScannedText
    var patterns: [Candidate]
    var context: RecognitionContext
    var names: [Candidate]
    var tags: NameTags?
}

/// Finds what somebody spreads over two messages: `my number is 212 555` and then `0187`, `jo.smith@` and then `example.org`.
///
/// The end of one message and the beginning of the same person's next are read as one text, with a space between and without. Only
/// ends that could go on are: a digit, an `@`, a dot, `at`.
struct SplitFindings {
    let detector: Detector
    /// Bytes of either side that are read.
    static let reach = 64

    /// - Parameters:
    ///   - turns: The messages' texts among `texts`, with the place of their message.
    ///   - senders: Of all messages.
    func add(_ turns: [(index: Int, message: Int)], _ senders: [some Equatable], _ texts: inout [WorkedText]) {
        for (place, turn) in turns.enumerated() {
            // The same person's message before, across at most one answer.
            let before = turns[max(0, place - 2)..<place].last {
                senders.indices.contains(turn.message) && senders[$0.message] == senders[turn.message]
            }
            guard let before else { continue }
            let (a, b) = (texts[before.index].scanned, texts[turn.index].scanned)
            guard Self.goesOn(a, b) else { continue }
            for joint in [" ", ""] { join(before.index, turn.index, joint, &texts) }
        }
    }

    private static func goesOn(_ a: ScannedText, _ b: ScannedText) -> Bool {
        guard let last = a.tokens.last, let first = b.tokens.first else { return false }
        let ends =
            last.kind == .number || a.isSign(a.tokens.count - 1, "@") || a.isSign(a.tokens.count - 1, "-")
            || a.isWord(a.tokens.count - 1, Word.at) || a.isWord(a.tokens.count - 1, Word.dot)
        let begins =
            first.kind == .number || b.isSign(0, "@") || b.isSign(0, ".") || b.isSign(0, "-") || b.isWord(0, Word.at)
            || b.isWord(0, Word.dot)
        return (ends && (first.kind != .sign || begins)) || (begins && first.kind == .sign)
            || (a.isSign(a.tokens.count - 1, ".") && a.hasAt)
    }

    private func join(_ before: Int, _ after: Int, _ joint: String, _ texts: inout [WorkedText]) {
        let (a, b) = (texts[before].scanned, texts[after].scanned)
        // Cut at tokens, so that no character is torn.
        guard let head = a.tokens.first(where: { a.bytes.count - $0.start <= Self.reach })?.start,
            let tail = b.tokens.last(where: { $0.end <= Self.reach })?.end
        else { return }
        let left = Array(a.bytes[head...])
        let text =
            String(decoding: left, as: UTF8.self) + joint + String(decoding: b.bytes[..<tail], as: UTF8.self)
        let scanned = ScannedText(text, lexicon: detector.lexicon)
        var context = texts[before].context
        context.asked.formUnion(texts[after].context.asked)
        let middle = left.count
        // Whole as it stands: `mail jo@example.org.` and then `By the way …` is no address in `.by`.
        let isWhole =
            b.tokens.count > 1
            && texts[before].patterns.contains {
                ($0.entity == .emailAddress || $0.entity == .url) && a.bytes.count - $0.end <= 1
            }
        for candidate in detector.patterns(in: scanned, context)
        where candidate.start < middle && candidate.end > middle + joint.utf8.count {
            guard candidate.entity != .age, candidate.entity != .streetAddress, candidate.entity != .location,
                !isWhole || (candidate.entity != .emailAddress && candidate.entity != .url)
            else { continue }
            texts[before].patterns.append(
                Candidate(
                    entity: candidate.entity, start: head + candidate.start, end: a.tokens.last?.end ?? 0,
                    score: candidate.score))
            texts[after].patterns.append(
                Candidate(
                    entity: candidate.entity, start: b.tokens.first?.start ?? 0,
                    end: min(b.bytes.count, candidate.end - middle - joint.utf8.count), score: candidate.score))
        }
    }
}
