import Conversations
import Tokenizers

/// Whole dialogues to token ids with a label per token, in our own chat format: for pre-training.
///
/// Role markers (`<|person|>`, `<|bot|>`) are never supervised: whoever generates writes them. The end of turn is, so
/// that the model learns to stop. Padding is another token than the end of turn.
public struct DialogueTokenizer: Sendable {
    /// Which turns of a dialogue are learned.
    public enum Supervision: String, Sendable, Hashable, Codable {
        /// Text and end of every turn.
        case allTurns = "all_turns"
        /// Text and end of the bot's turns only.
        case botTurns = "bot_turns"
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

    /// A dialogue longer than the context is cut at turn borders into several documents.
    public func tokenize(
        _ dialogues: some Sequence<[Turn]>, supervising supervision: Supervision = .allTurns
    ) -> ExampleTokenizer.Result {
        var result = ExampleTokenizer.Result()
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
}
