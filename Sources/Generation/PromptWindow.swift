import Conversations
import Tokenizers

/// Fits a history into a model's context.
public struct PromptWindow: Sendable {
    private let format: any PromptFormat
    /// Most tokens of prompt and reply together.
    public let contextLength: Int

    public init(format: any PromptFormat, contextLength: Int) {
        self.format = format
        self.contextLength = contextLength
    }

    /// Tokens that a prompt may have where so many are kept for the reply.
    ///
    /// A wish for more reply than half the context is taken as half, so that something of the history remains.
    public func room(replyTokens: Int) -> Int { max(contextLength - min(replyTokens, contextLength / 2), 1) }

    /// The prompt, ending where the bot's reply begins, with room left for `replyTokens`. Once a history is too long it
    /// loses its beginning in steps of a quarter of the room, so that following turns have their beginning in common.
    public func prompt(for turns: [Turn], replyTokens: Int) throws -> [Int] {
        try format.prompt(for: turns, room: room(replyTokens: replyTokens))
    }
}
