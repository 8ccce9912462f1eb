import Conversations

/// A part of the bot with one task of its own, named as BlenderBot 3 names it (Shuster et al. 2022, arXiv 2208.03188).
public enum DialogueModule: String, Sendable, Hashable, Codable, CaseIterable {
    /// Search decision: does the reply need a search?
    case searchDecision = "sdm"
    /// Memory decision: does the reply need a memory?
    case memoryDecision = "mdm"
    /// Search query.
    case searchQuery = "sgm"
    /// Memory writing: the fact that the last turn states, if any.
    case memoryWriting = "mgm"
    /// Memory knowledge: which memory the reply stands on.
    case memoryKnowledge = "mkm"
    /// Contextual knowledge: what or whom the talk is about.
    case topicKnowledge = "ckm"
    /// Search knowledge: the sentence of the documents that the reply stands on.
    case searchKnowledge = "skm"
    /// Reply on the topic.
    case topicReply = "crm"
    /// Reply on a memory.
    case memoryReply = "mrm"
    /// Reply on what was found.
    case searchReply = "srm"
    /// Plain reply.
    case plainReply = "vrm"
    /// Reply in a style.
    case styleReply = "grm"
    /// Opening: what the bot says first, to someone it knows or not.
    case opening = "orm"
    /// Reply as a character (tasks such as LIGHT).
    case characterReply = "brm"

    /// Whether it looks at the last turn only.
    public var readsOneTurn: Bool {
        switch self {
        case .searchDecision, .memoryDecision, .memoryWriting: true
        default: false
        }
    }

    /// Whether what it says is said to the person.
    public var isReply: Bool {
        switch self {
        case .topicReply, .memoryReply, .searchReply, .plainReply, .styleReply, .opening, .characterReply: true
        default: false
        }
    }
}

/// What a reply stands on.
public enum KnowledgeKind: String, Sendable, Hashable, Codable, CaseIterable {
    case topic, memory, search

    /// The module that writes a reply on it.
    public var reply: DialogueModule {
        switch self {
        case .topic: .topicReply
        case .memory: .memoryReply
        case .search: .searchReply
        }
    }
}

/// A sentence that a reply stands on.
public struct Knowledge: Sendable, Hashable {
    public var kind: KnowledgeKind
    public var text: String
    /// Whom a memory is about.
    public var owner: Memory.Owner?

    public init(_ kind: KnowledgeKind, _ text: String, owner: Memory.Owner? = nil) {
        self.kind = kind
        self.text = text
        self.owner = owner
    }
}
