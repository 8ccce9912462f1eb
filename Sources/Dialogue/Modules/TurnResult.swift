import Conversations

/// What a turn came to: the reply and everything that led to it.
public struct TurnResult: Sendable, Hashable {
    public var text = ""
    /// Which call for a reply it came from, counted from 0; `nil` for a canned reply.
    public var replyCall: Int?
    /// `stop` at an end of turn, `length` at the cap.
    public var finishReason = "stop"
    /// Tokens drawn for the reply.
    public var tokenCount = 0
    /// Tokens that the model read for the reply, and those of them that it had read before; 0 for a canned one.
    public var promptTokenCount = 0
    public var cachedTokenCount = 0
    /// The tokens of the reply as it was drawn, where they are asked for.
    public var tokens: [ReplyToken]?
    public var generation: GenerationRecord?
    public var search: SearchRecord?
    public var memory: MemoryRecord?
    public var modules: [ModuleRecord] = []
    /// What the safety layers said of the reply, or of what made a canned one necessary.
    public var safety: [SafetyDecision] = []
    /// What they said of the person's words.
    public var personDecisions: [SafetyDecision] = []
    public var isSafetyControlled = false
    /// Name of the failure, as the BB3x release has it.
    public var failure: String?
    /// Whether no model had anything to say.
    public var isCrash = false
    /// Whether it only thanks for what somebody said of a reply.
    public var isThanks = false
    /// The reply that this one asks the person about.
    public var asksAbout: String?
    /// The memory that the reply stands on.
    public var usedMemoryID: String?

    public init() {}

    /// The message of it.
    public func message(id: String) -> Message {
        var extra: [String: JSONValue] = [:]
        if isCrash { extra["from_model_crash"] = .bool(true) }
        if isThanks { extra["is_canned"] = .bool(true) }
        return Message(
            id: id, sender: .bot, text: text, generation: generation, search: search, memory: memory,
            modules: modules, asksAbout: asksAbout, safety: safety, isSafetyControlled: isSafetyControlled,
            interactionFailure: failure, extra: extra)
    }
}
