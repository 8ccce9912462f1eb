/// Turns texts into vectors. The all-MiniLM encoder behind it lives in `LanguageModels`; rooms without torch see this.
public protocol TextEncoder: Sendable {
    /// Length of a vector.
    var dimension: Int { get }
    /// One unit-length vector per text, in order. Empty texts are allowed.
    func encode(_ texts: [String]) async throws -> [[Float]]
}

/// Hidden states of an encoder, word by word, for texts that are cut into words already.
public protocol WordEncoder: Sendable {
    /// Length of a state.
    var stateDimension: Int { get }
    /// For each text the states of its words, flat: [words, layers, dimension]. A word's state is that of its first piece.
    /// - Parameter layers: Which layers' states, from 1, in rising order; later layers are not computed.
    func states(ofWords texts: [[String]], layers: [Int]) async throws -> [[Float]]
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

/// A token of a reply as it was drawn.
public struct ReplyToken: Sendable, Hashable {
    /// A token that might have stood in its place.
    public struct Candidate: Sendable, Hashable {
        /// What it stands for; not always whole characters.
        public var bytes: [UInt8]
        /// At temperature 1 before any filter, in nats.
        public var logProbability: Double

        public init(bytes: [UInt8], logProbability: Double) {
            self.bytes = bytes
            self.logProbability = logProbability
        }

        public var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    public var id: Int
    /// The token itself.
    public var drawn: Candidate
    /// The most probable tokens, most probable first, as many as were asked for.
    public var top: [Candidate]
    /// The part of the reply's text that it made certain: empty while a character or a possible stop string was
    /// unfinished, and more than its own once that was decided.
    public var piece: String

    public init(id: Int, drawn: Candidate, top: [Candidate] = [], piece: String) {
        self.id = id
        self.drawn = drawn
        self.top = top
        self.piece = piece
    }
}

/// A reply with what is known of its making.
public struct Reply: Sendable, Hashable {
    public var text: String
    /// `stop` at an end of turn or a stop string, `length` at the cap.
    public var finishReason: String
    /// Number of tokens drawn.
    public var tokenCount: Int
    /// Mean log-probability of the drawn tokens at temperature 1, in nats.
    public var meanLogProbability: Double
    /// Tokens of the prompt; 0 where the writer does not say.
    public var promptTokenCount: Int
    /// Tokens of the prompt that had been computed before, for an earlier turn or another request.
    public var cachedTokenCount: Int
    /// The drawn tokens without the one that ended it, where `Sampling.topLogProbabilities` asks for them.
    public var tokens: [ReplyToken]?

    public init(
        text: String, finishReason: String, tokenCount: Int, meanLogProbability: Double, promptTokenCount: Int = 0,
        cachedTokenCount: Int = 0, tokens: [ReplyToken]? = nil
    ) {
        self.text = text
        self.finishReason = finishReason
        self.tokenCount = tokenCount
        self.meanLogProbability = meanLogProbability
        self.promptTokenCount = promptTokenCount
        self.cachedTokenCount = cachedTokenCount
        self.tokens = tokens
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
