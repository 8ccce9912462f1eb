/// What a turn looked up (BB3x `search_*`).
public struct SearchRecord: Sendable, Hashable {
    /// `search` or `do not search`.
    public var decision: String?
    public var query: String?
    /// The sentence that the reply stands on.
    public var knowledge: String?
    /// What was found, best first: the sources of `knowledge`.
    public var documents: [SearchDocument]
    /// Who searched, by the provider's name.
    public var provider: String?
    /// Why there was no search, or nothing was found; the reply was then made without it.
    public var failure: String?

    public init(
        decision: String? = nil, query: String? = nil, knowledge: String? = nil, documents: [SearchDocument] = [],
        provider: String? = nil, failure: String? = nil
    ) {
        self.decision = decision
        self.query = query
        self.knowledge = knowledge
        self.documents = documents
        self.provider = provider
        self.failure = failure
    }
}

/// One document that a search returned.
public struct SearchDocument: Sendable, Hashable, Codable {
    public var title: String
    public var content: String
    public var url: String

    public init(title: String, content: String, url: String) {
        self.title = title
        self.content = content
        self.url = url
    }
}

/// What a turn remembered (BB3x `memories`, `memory_*`).
public struct MemoryRecord: Sendable, Hashable {
    /// All memories so far, as they came: `owner: memory`. Whose is whose differs between sources, so the owner is data.
    public var memories: [String]
    /// `access memory` or `do not access memory`.
    public var decision: String?
    /// The memory that was used.
    public var knowledge: String?

    public init(memories: [String] = [], decision: String? = nil, knowledge: String? = nil) {
        self.memories = memories
        self.decision = decision
        self.knowledge = knowledge
    }
}

/// One call of a module of the bot, as it went: what "look inside" shows.
public struct ModuleRecord: Sendable, Hashable {
    /// The module's name: `sdm` decides on a search, `mgm` writes a memory, …
    public var module: String
    /// Registry id of what answered: a model, or a rule.
    public var model: String
    /// What it said, as it said it; empty where that is the message's text, or must not be kept.
    public var output: String
    /// Why the output was not used, or there was none.
    public var failure: String?
    /// Tokens of the prompt; 0 where nobody counted.
    public var promptTokens: Int
    /// Tokens of the prompt that had been computed before.
    public var cachedTokens: Int
    /// Tokens drawn.
    public var tokens: Int

    public init(
        module: String, model: String, output: String, failure: String? = nil, promptTokens: Int = 0,
        cachedTokens: Int = 0, tokens: Int = 0
    ) {
        self.module = module
        self.model = model
        self.output = output
        self.failure = failure
        self.promptTokens = promptTokens
        self.cachedTokens = cachedTokens
        self.tokens = tokens
    }
}

/// The verdict of one safety layer on one message.
public struct SafetyDecision: Sendable, Hashable, Codable {
    /// Which layer spoke: `classifier`, `string_matcher`, `duo_safety`, …
    public var layer: String
    public var isUnsafe: Bool
    /// What kind of unsafe, where the layer says.
    public var category: String?
    /// Probability of unsafe, where the layer gives one.
    public var score: Double?

    public init(layer: String, isUnsafe: Bool, category: String? = nil, score: Double? = nil) {
        self.layer = layer
        self.isUnsafe = isUnsafe
        self.category = category
        self.score = score
    }
}

/// A label on a message that came with a log: from a rater (`mturk`), a reward model, another tool.
public struct Annotation: Sendable, Hashable, Codable {
    /// Who or what labelled: `mturk`, `reward`, …
    public var source: String
    /// The label's name.
    public var label: String
    /// Count or probability.
    public var value: Double?

    public init(source: String, label: String, value: Double? = nil) {
        self.source = source
        self.label = label
        self.value = value
    }
}
