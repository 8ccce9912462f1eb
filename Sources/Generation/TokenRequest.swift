/// What is asked of a model in tokens: a prompt, and how it is continued.
public struct TokenRequest: Sendable {
    public var prompt: [Int]
    public var settings: DecodingSettings

    public init(prompt: [Int], settings: DecodingSettings) {
        self.prompt = prompt
        self.settings = settings
    }
}

/// A token as it was drawn.
public struct GeneratedToken: Sendable, Hashable {
    public var id: Int
    /// The text that it makes certain: empty while a character or a possible stop string is unfinished, and more than
    /// its own once that is decided.
    public var piece: String
    /// At temperature 1 before any filter, in nats.
    public var logProbability: Double
    /// The most probable tokens in its place, as many as the request asked for.
    public var top: [TokenLogProbability]
}

/// A continuation that is over.
public struct Completion: Sendable, Hashable {
    public enum FinishReason: String, Sendable, Hashable {
        /// The model ended it, or a stop string came.
        case stop
        /// The limit of tokens or the end of the context was reached.
        case length
    }

    /// Tokens drawn, without the one that ended it.
    public var ids: [Int]
    /// Their text, cut before the stop string; empty where the caller wants none.
    public var text: String
    public var finishReason: FinishReason
    public var promptTokenCount: Int
    /// Tokens of the prompt that did not have to be computed.
    public var cachedTokenCount: Int
    /// Tokens drawn, the end included.
    public var tokenCount: Int
    /// Sum over the drawn tokens, in nats; of a beam, what it was searched by.
    public var logProbability: Double

    /// Per token, in nats.
    public var meanLogProbability: Double { tokenCount > 0 ? logProbability / Double(tokenCount) : 0 }
}

/// What happens while a request is continued.
public enum GenerationEvent: Sendable, Hashable {
    case token(GeneratedToken)
    /// The last event; `rest` is text that was held back until the end.
    case finished(Completion, rest: String)
}
