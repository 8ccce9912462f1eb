/// Turns texts into vectors. The all-MiniLM encoder behind it lives in `LanguageModels`; rooms without torch see this.
public protocol TextEncoder: Sendable {
    /// Length of a vector.
    var dimension: Int { get }
    /// One unit-length vector per text, in order. Empty texts are allowed.
    func encode(_ texts: [String]) async throws -> [[Float]]
}

/// One turn as a model sees it.
public struct Turn: Sendable, Hashable, Codable {
    public var sender: Sender
    public var text: String

    public init(_ sender: Sender, _ text: String) {
        self.sender = sender
        self.text = text
    }
}

/// How a reply is drawn.
public struct Sampling: Sendable, Hashable, Codable {
    /// 0 is greedy.
    public var temperature: Double
    /// Nucleus: keep the smallest set of tokens whose probability reaches this; 1 keeps all.
    public var topP: Double
    /// At most this many tokens.
    public var maximumTokens: Int
    /// No n-gram of this length twice in a reply; 0 is off.
    public var blockedNGram: Int
    public var seed: UInt64

    public init(
        temperature: Double = 0.8, topP: Double = 0.95, maximumTokens: Int = 48, blockedNGram: Int = 0, seed: UInt64 = 0
    ) {
        self.temperature = temperature
        self.topP = topP
        self.maximumTokens = maximumTokens
        self.blockedNGram = blockedNGram
        self.seed = seed
    }

    enum CodingKeys: String, CodingKey {
        case temperature, seed
        case topP = "top_p"
        case maximumTokens = "max_tokens"
        case blockedNGram = "no_repeat_ngram_size"
    }
}

/// A reply with what is known of its making.
public struct Reply: Sendable, Hashable {
    public var text: String
    /// `stop` at an end of turn, `length` at the cap.
    public var finishReason: String
    /// Number of tokens drawn.
    public var tokenCount: Int
    /// Mean log-probability of the drawn tokens at temperature 1, in nats.
    public var meanLogProbability: Double

    public init(text: String, finishReason: String, tokenCount: Int, meanLogProbability: Double) {
        self.text = text
        self.finishReason = finishReason
        self.tokenCount = tokenCount
        self.meanLogProbability = meanLogProbability
    }
}

/// Writes replies: a local model or an endpoint.
public protocol TextGenerator: Sendable {
    /// Registry id of the model, kept with each reply.
    var modelID: String { get }
    /// One reply to the turns so far; `onPiece` is called with each new piece of text as it is drawn.
    func reply(to turns: [Turn], sampling: Sampling, onPiece: (@Sendable (String) -> Void)?) async throws -> Reply
    /// One reply for each history, drawn in batches. Reply `i` uses seed `sampling.seed + i`.
    func replies(to histories: [[Turn]], sampling: Sampling) async throws -> [Reply]
}

/// Says how probable it is that a text, in its context, belongs to a class (unsafe, say).
public protocol TextClassifier: Sendable {
    /// Probability per (context, text) pair, in order.
    func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double]
}
