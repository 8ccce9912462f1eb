/// How a tokenizer cuts normalized text into the words that its model encodes: the steps of its pre-tokenizer, or a
/// shortcut where they are of a well-known kind.
struct WordCutting: Sendable {
    private enum Way: Sendable {
        /// The text is one word.
        case whole
        /// Matches of one pattern, and what lies between, as bytes: GPT-2, Llama 3, Qwen.
        case pattern(TextPattern)
        case steps([PreTokenizer])
        /// Steps of which the last, `ByteLevel`, leaves its alphabet out.
        case bytes([PreTokenizer], addsPrefixSpace: Bool, splits: Bool)
    }

    private let way: Way

    /// Whether the steps end in words that are bytes, each of them spelled in GPT-2's alphabet just once.
    static func givesBytes(_ steps: [PreTokenizer]) -> Bool {
        guard case .byteLevel? = steps.last else { return false }
        return !steps.dropLast().contains { step in
            switch step {
            case .byteLevel, .metaspace: true
            default: false
            }
        }
    }

    /// - Parameter takesBytes: the model wants words as plain bytes; then the steps must give them.
    init(_ steps: [PreTokenizer], takesBytes: Bool) {
        guard takesBytes, case .byteLevel(let addsPrefixSpace, let splits)? = steps.last else {
            way = steps.isEmpty ? .whole : .steps(steps)
            return
        }
        let first = Array(steps.dropLast())
        if first.isEmpty, splits, !addsPrefixSpace {
            way = .pattern(.gpt2)
        } else if first.count == 1, !splits, !addsPrefixSpace, case .split(let pattern, .isolated, _) = first[0] {
            way = .pattern(pattern)
        } else {
            way = .bytes(first, addsPrefixSpace: addsPrefixSpace, splits: splits)
        }
    }

    /// - Parameter origin: how many bytes of the text stem from the very beginning of what is encoded.
    @inline(__always)
    func forEachWord(
        in text: UnsafeBufferPointer<UInt8>, origin: Int, _ workspace: Workspace,
        _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        switch way {
        case .whole: if !text.isEmpty { body(text) }
        case .pattern(let pattern):
            var end = 0
            pattern.forEachMatch(in: text) { match in
                if end < match.lowerBound { body(UnsafeBufferPointer(rebasing: text[end..<match.lowerBound])) }
                body(UnsafeBufferPointer(rebasing: text[match]))
                end = match.upperBound
            }
            if end < text.count { body(UnsafeBufferPointer(rebasing: text[end...])) }
        case .steps(let steps): run(steps, nil, text, origin, workspace, body)
        case .bytes(let steps, let addsPrefixSpace, let splits):
            run(steps, (addsPrefixSpace, splits), text, origin, workspace, body)
        }
    }

    private func run(
        _ steps: [PreTokenizer], _ last: (addsPrefixSpace: Bool, splits: Bool)?, _ text: UnsafeBufferPointer<UInt8>,
        _ origin: Int, _ workspace: Workspace, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        // Taken out of the workspace while it is in use, so that nobody else writes to it.
        var words = WordPieces()
        swap(&words, &workspace.words)
        words.reset(text, origin: origin)
        for step in steps { step.apply(&words) }
        if let last {
            PreTokenizer.cutBytes(&words, addsPrefixSpace: last.addsPrefixSpace, splits: last.splits)
        }
        words.bytes.withUnsafeBufferPointer { bytes in
            for piece in words.pieces where piece.start < piece.end {
                body(UnsafeBufferPointer(rebasing: bytes[piece.start..<piece.end]))
            }
        }
        swap(&words, &workspace.words)
    }
}
