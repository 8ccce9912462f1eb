import Conversations
import Dialogue
import Foundation

/// What the API serves beside the model that talks; each is `nil` until it is loaded, and where there is none.
public struct SideModels: Sendable {
    /// Answers `/v1/embeddings`.
    public var embedding: EmbeddingModel?
    /// Answers `/v1/moderations`.
    public var moderation: ModerationModel?
    /// Answers `/v1/rewards`.
    public var reward: RewardJudge?
    /// Answers `/v1/completions`.
    public var completer: (any TextCompleter)?
    /// Tells `/metrics` what the model that talks is doing.
    public var gauge: (any ModelGauge)?

    public init(
        embedding: EmbeddingModel? = nil, moderation: ModerationModel? = nil, reward: RewardJudge? = nil,
        completer: (any TextCompleter)? = nil, gauge: (any ModelGauge)? = nil
    ) {
        self.embedding = embedding
        self.moderation = moderation
        self.reward = reward
        self.completer = completer
        self.gauge = gauge
    }

    /// Ids of those that a client may name beside the model that talks.
    var ids: [String] { [embedding?.id, moderation?.id, reward?.id].compactMap { $0 } }
}

/// A text encoder under the name that clients ask for.
public struct EmbeddingModel: Sendable {
    public let id: String
    public let encoder: any TextEncoder
    /// Most tokens of a text; longer ones are refused rather than read in part.
    public let maximumTokens: Int
    /// Tokens that a text has.
    public let tokenCount: @Sendable (String) -> Int

    public init(
        id: String, encoder: any TextEncoder, maximumTokens: Int, tokenCount: @escaping @Sendable (String) -> Int
    ) {
        self.id = id
        self.encoder = encoder
        self.maximumTokens = maximumTokens
        self.tokenCount = tokenCount
    }
}

/// The safety layers under the name that clients ask for.
public struct ModerationModel: Sendable {
    public let id: String
    public let safety: any SafetyCheck

    public init(id: String = "loam-safety", safety: any SafetyCheck) {
        self.id = id
        self.safety = safety
    }
}

/// A reward model under the name that clients ask for.
public struct RewardJudge: Sendable {
    public let id: String
    let model: any TextClassifier

    /// - Parameter model: gives the probability that a reply is a *good* one; asked one question at a time.
    public init(id: String, model: any TextClassifier) {
        self.id = id
        self.model = TakingTurns(model)
    }
}

/// A classifier that is asked by many and can answer one at a time.
private actor TakingTurns: TextClassifier {
    private let model: any TextClassifier
    private var last: Task<[Double], any Error>?

    init(_ model: any TextClassifier) { self.model = model }

    func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
        let task = Task { [model, last] in
            _ = await last?.result
            return try await model.probabilities(of: pairs)
        }
        last = task
        return try await task.value
    }
}

/// Continues a text as it stands, without turns around it.
public protocol TextCompleter: Sendable {
    /// Registry id of the model behind it.
    var modelID: String { get }
    /// - Parameter onPiece: called with each new piece of text; joined they are the reply's text.
    func continuation(
        of text: String, sampling: Sampling, onPiece: (@Sendable (String) -> Void)?
    ) async throws -> Reply
}
