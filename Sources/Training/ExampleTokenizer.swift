import Conversations
import Tokenizers

/// Examples and dialogues to token ids with a label per token, in the chat format.
///
/// Role markers (`<|person|>`, `<|bot|>`) are never supervised: whoever generates writes them. The end of turn is, so
/// that the model learns to stop. Padding is another token than the end of turn.
public struct ExampleTokenizer: Sendable {
    /// Which turns of a dialogue are learned when it is not an example with one reply.
    public enum Supervision: String, Sendable, Hashable, Codable {
        /// Text and end of every turn: pre-training.
        case allTurns = "all_turns"
        /// Text and end of the bot's turns only.
        case botTurns = "bot_turns"
    }

    /// What is done with the tokens of a bad reply that a better one to the same context holds too (`Example.betterReplies`):
    /// words of the topic and of the grammar, mostly, of which nobody complained.
    public enum Overlap: String, Sendable, Hashable, Codable, CaseIterable {
        /// Pushed down like the rest: the methods as published.
        case pushedDown = "pushed_down"
        /// Left alone.
        case leftAlone = "left_alone"
        /// Taken for good tokens, as JUICER's DIRECTOR-OVERLAP does (Shi et al. 2022, arXiv 2210.15893).
        case learned
    }

    /// Why an example could not be used.
    public enum Skip: String, Sendable, Hashable, Codable, CaseIterable {
        /// The reply has no text.
        case emptyReply = "empty_reply"
        /// The reply alone is longer than the model's context.
        case replyTooLong = "reply_too_long"
        /// The weight is 0, so it would teach nothing.
        case zeroWeight = "zero_weight"
        /// The weight is negative or not a number.
        case invalidWeight = "invalid_weight"
        /// One turn of a dialogue is longer than the model's context.
        case turnTooLong = "turn_too_long"
        /// Both replies of a pair are the same.
        case sameReplies = "same_replies"
        /// A dialogue without a turn, or a bad reply without a token, that is learned.
        case nothingSupervised = "nothing_supervised"
    }

    /// What came of a list of examples.
    public struct Result: Sendable {
        public var examples: [TokenizedExample] = []
        /// For each of `examples` its place in the list that came in.
        public var origins: [Int] = []
        public var skipped: [Skip: Int] = [:]
        /// Number of examples that lost old turns to fit the context.
        public var truncated = 0
    }

    public let format: ChatFormat
    /// Longest sequence in tokens.
    public let contextLength: Int
    public let overlap: Overlap
    /// Whether an example's context is learned too, as plain dialogue: SFT on everything instead of on the reply only.
    public let learnsContext: Bool

    /// - Throws: `TrainingError` when the context is too short for a marker, a token and an end.
    public init(
        format: ChatFormat, contextLength: Int, overlap: Overlap = .pushedDown, learnsContext: Bool = false
    ) throws {
        guard contextLength >= 4 else {
            throw TrainingError(.options, "context_length \(contextLength) is too short; it needs 4 tokens or more")
        }
        self.format = format
        self.contextLength = contextLength
        self.overlap = overlap
        self.learnsContext = learnsContext
    }

    /// One example: the reply and its end are supervised with the example's label, the context is not.
    ///
    /// A context that does not fit loses its oldest turns; when even the newest does not fit, its tail is kept. The reply
    /// is kept whole.
    /// - Parameter replyRoom: Least tokens that are kept free for the reply: two replies to one context then follow the same
    ///   part of it.
    public func tokenize(
        _ example: Example, replyRoom: Int = 0
    ) -> Swift.Result<(example: TokenizedExample, truncated: Bool), SkipError> {
        guard example.weight.isFinite, example.weight >= 0 else { return .failure(.init(.invalidWeight)) }
        guard example.weight > 0 else { return .failure(.init(.zeroWeight)) }
        guard !example.reply.allSatisfy(\.isWhitespace) else { return .failure(.init(.emptyReply)) }
        let reply = replyIDs(of: example)
        guard reply.count <= contextLength else { return .failure(.init(.replyTooLong)) }
        let (context, truncated) = contextIDs(of: example, room: contextLength - max(reply.count, replyRoom))
        let ids = (context.map(\.id) + reply).map(Int32.init(truncatingIfNeeded:))
        // In plain text a reply has no marker of its own: all of it is learned.
        let markers = example.plainPrompt == nil ? 1 : 0
        let labels =
            context.map { learnsContext && !$0.isMarker ? TokenLabel.unlabelled : .ignored }
            + [TokenLabel](repeating: .ignored, count: markers) + replyLabels(of: example, reply.dropFirst(markers))
        guard let made = try? TokenizedExample(ids: ids, labels: labels, weight: Float(example.weight)) else {
            return .failure(.init(.nothingSupervised))
        }
        return .success((made, truncated))
    }

    /// Two replies to one context as two documents, chosen and rejected; both follow the same part of the context.
    public func tokenize(
        _ pair: PreferencePair
    ) -> Swift.Result<(chosen: TokenizedExample, rejected: TokenizedExample, truncated: Bool), SkipError> {
        let examples = pair.examples
        let room = examples.map { replyIDs(of: $0).count }.max() ?? 0
        switch (tokenize(examples[0], replyRoom: room), tokenize(examples[1], replyRoom: room)) {
        case (.failure(let skip), _), (_, .failure(let skip)): return .failure(skip)
        case (.success(let chosen), .success(let rejected)):
            guard chosen.example.ids != rejected.example.ids else { return .failure(.init(.sameReplies)) }
            return .success((chosen.example, rejected.example, chosen.truncated || rejected.truncated))
        }
    }

    /// The reply with its end, behind its marker where the prompt is turns.
    private func replyIDs(of example: Example) -> [Int] {
        example.plainPrompt == nil
            ? format.encode(turn: true, text: example.reply) : format.tokenizer.encode(example.reply) + [format.end]
    }

    private func contextIDs(of example: Example, room: Int) -> (ids: [(id: Int, isMarker: Bool)], truncated: Bool) {
        func marked(_ ids: [Int]) -> [(id: Int, isMarker: Bool)] {
            ids.enumerated().map { (id: $1, isMarker: $0 == 0) }
        }
        if let plain = example.plainPrompt {
            let ids = format.tokenizer.encode(plain)
            return (ids.suffix(max(0, room)).map { (id: $0, isMarker: false) }, ids.count > room)
        }
        var room = room
        var turns: [[(id: Int, isMarker: Bool)]] = []
        var truncated = false
        for turn in example.context.reversed() {
            let ids = format.encode(turn: turn.sender == .bot, text: turn.text)
            if ids.count <= room {
                turns.append(marked(ids))
                room -= ids.count
                continue
            }
            truncated = true
            if turns.isEmpty, room >= 3, let marker = ids.first {
                turns.append(marked([marker] + ids.suffix(room - 1)))
            }
            break
        }
        return (Array(turns.reversed().joined()), truncated)
    }

    private func replyLabels(of example: Example, _ reply: ArraySlice<Int>) -> [TokenLabel] {
        let label = TokenLabel(example.label)
        guard label == .bad, overlap != .pushedDown, let better = example.betterReplies, !better.isEmpty else {
            return [TokenLabel](repeating: label, count: reply.count)
        }
        // A word is another token at the beginning of a reply than behind a space: both count.
        var shared: Set<Int> = [format.end]
        for text in better { shared.formUnion(format.tokenizer.encode(text) + format.tokenizer.encode(" " + text)) }
        return reply.map { shared.contains($0) ? (overlap == .learned ? .good : .ignored) : .bad }
    }

    /// Many examples; those that cannot be used are counted by reason.
    public func tokenize(_ examples: some Sequence<Example>) -> Result {
        var result = Result()
        for (index, example) in examples.enumerated() {
            switch tokenize(example) {
            case .success(let made):
                result.examples.append(made.example)
                result.origins.append(index)
                if made.truncated { result.truncated += 1 }
            case .failure(let skip):
                result.skipped[skip.reason, default: 0] += 1
            }
        }
        return result
    }

    /// Whole dialogues for pre-training. A dialogue longer than the context is cut at turn borders into several documents.
    public func tokenize(dialogues: some Sequence<[Turn]>, supervising supervision: Supervision = .allTurns) -> Result {
        var result = Result()
        for (index, dialogue) in dialogues.enumerated() {
            var ids: [Int32] = []
            var labels: [TokenLabel] = []
            var made = 0
            func close() {
                if let document = try? TokenizedExample(ids: ids, labels: labels) {
                    result.examples.append(document)
                    result.origins.append(index)
                    made += 1
                }
                ids = []
                labels = []
            }
            for turn in dialogue where !turn.text.allSatisfy(\.isWhitespace) {
                let isBot = turn.sender == .bot
                let tokens = format.encode(turn: isBot, text: turn.text)
                guard tokens.count <= contextLength else {
                    result.skipped[.turnTooLong, default: 0] += 1
                    close()
                    continue
                }
                if ids.count + tokens.count > contextLength {
                    close()
                    result.truncated += 1
                }
                let label: TokenLabel = supervision == .allTurns || isBot ? .unlabelled : .ignored
                ids += tokens.map(Int32.init(truncatingIfNeeded:))
                labels.append(.ignored)
                labels += [TokenLabel](repeating: label, count: tokens.count - 1)
            }
            close()
            if made == 0 { result.skipped[.nothingSupervised, default: 0] += 1 }
        }
        return result
    }

    /// An example that cannot be used.
    public struct SkipError: Error, Sendable, Hashable, CustomStringConvertible {
        public let reason: Skip

        init(_ reason: Skip) { self.reason = reason }

        public var description: String { "training: example skipped: \(reason.rawValue)" }
    }
}
