import Conversations
import Tokenizers

/// Fits a history into a model's context: whole turns go from the oldest on, and the last turn always stays.
public struct PromptWindow: Sendable {
    private let format: ChatFormat
    /// Most tokens of prompt and reply together.
    public let contextLength: Int

    public init(format: ChatFormat, contextLength: Int) {
        self.format = format
        self.contextLength = contextLength
    }

    /// The prompt, ending where the bot's reply begins, with room left for `replyTokens`.
    ///
    /// A wish for more reply than half the context is taken as half, so that something of the history remains. When
    /// the last turn alone is too long its beginning goes.
    public func prompt(for turns: [Turn], replyTokens: Int) -> [Int] {
        let room = max(contextLength - min(replyTokens, contextLength / 2), 1) - 1
        var kept: [[Int]] = []
        var length = 0
        for turn in turns.reversed() {
            let ids = format.encode(turn: turn.sender == .bot, text: turn.text)
            if kept.isEmpty, ids.count > room {
                // Its first token says who speaks.
                kept.append(room > 2 ? [ids[0]] + ids.suffix(room - 1) : Array(ids.suffix(max(room, 0))))
                break
            }
            guard length + ids.count <= room else { break }
            length += ids.count
            kept.append(ids)
        }
        return kept.reversed().flatMap { $0 } + [format.bot]
    }
}
