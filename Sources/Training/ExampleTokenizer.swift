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
        /// A dialogue without a turn that is learned.
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

    /// - Throws: `TrainingError` when the context is too short for a marker, a token and an end.
    public init(format: ChatFormat, contextLength: Int) throws {
        guard contextLength >= 4 else {
            throw TrainingError(.options, "context_length \(contextLength) is too short; it needs 4 tokens or more")
        }
        self.format = format
        self.contextLength = contextLength
    }

    /// One example: the reply and its end are supervised with the example's label, the context is not.
    ///
    /// A context that does not fit loses its oldest turns; when even the newest does not fit, its tail is kept. The reply
    /// is kept whole.
    public func tokenize(_ example: Example) -> Swift.Result<(example: TokenizedExample, truncated: Bool), SkipError> {
        guard example.weight.isFinite, example.weight >= 0 else { return .failure(.init(.invalidWeight)) }
        guard example.weight > 0 else { return .failure(.init(.zeroWeight)) }
        guard !example.reply.allSatisfy(\.isWhitespace) else { return .failure(.init(.emptyReply)) }
        let reply = format.encode(turn: true, text: example.reply)
        guard reply.count <= contextLength else { return .failure(.init(.replyTooLong)) }
        var room = contextLength - reply.count
        var turns: [[Int]] = []
        var truncated = false
        for turn in example.context.reversed() {
            let ids = format.encode(turn: turn.sender == .bot, text: turn.text)
            if ids.count <= room {
                turns.append(ids)
                room -= ids.count
                continue
            }
            truncated = true
            if turns.isEmpty, room >= 3, let marker = ids.first {
                turns.append([marker] + ids.suffix(room - 1))
            }
            break
        }
        let context = turns.reversed().joined()
        let label = TokenLabel(example.label)
        let ids = (Array(context) + reply).map(Int32.init(truncatingIfNeeded:))
        let labels =
            [TokenLabel](repeating: .ignored, count: context.count + 1)
            + [TokenLabel](repeating: label, count: reply.count - 1)
        guard let made = try? TokenizedExample(ids: ids, labels: labels, weight: Float(example.weight)) else {
            return .failure(.init(.emptyReply))
        }
        return .success((made, truncated))
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
