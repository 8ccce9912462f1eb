import Foundation

/// Who wrote a message. Readers accept `Chatbot`, `bot`, `Human`, `human` in any case.
public enum Sender: String, Sendable, Hashable, Codable {
    case bot
    case human
}

/// One message of a conversation with everything that is known about it.
public struct Message: Sendable, Hashable, Identifiable {
    /// Unique in its conversation (`bot_message_id` / `human_message_id`).
    public var id: String
    public var sender: Sender
    public var text: String
    /// The message this one answers; `nil` means the one before it. Regenerated replies share a parent.
    public var parentID: String?
    public var sentAt: Date?
    /// True for a person's text that is feedback on the reply before it, not a turn (`is_dislike_feedback`).
    public var isDislikeFeedback: Bool
    /// Current feedback on this message, at most one per user; a store keeps the history.
    public var feedback: [Feedback]
    /// The model and sampling settings that wrote it.
    public var generation: GenerationRecord?
    public var search: SearchRecord?
    public var memory: MemoryRecord?
    /// The calls of the bot's modules that led to this reply, in order.
    public var modules: [ModuleRecord]
    /// The reply that this message of the bot asks the person about: what they say next is feedback on that one.
    public var asksAbout: String?
    /// Verdicts of the safety layers, live ones and those of a release's offline annotation.
    public var safety: [SafetyDecision]
    /// True for a canned reply given instead of the model's (`is_safety_controlled_response`).
    public var isSafetyControlled: Bool
    /// What made the bot give a canned reply (`previous_interaction_failure`); an open set.
    public var interactionFailure: String?
    /// Labels by raters or models that came with the log.
    public var annotations: [Annotation]
    /// Fields that this version does not know, as they came.
    public var extra: [String: JSONValue]

    public init(
        id: String, sender: Sender, text: String, parentID: String? = nil, sentAt: Date? = nil,
        isDislikeFeedback: Bool = false, feedback: [Feedback] = [], generation: GenerationRecord? = nil,
        search: SearchRecord? = nil, memory: MemoryRecord? = nil, modules: [ModuleRecord] = [],
        asksAbout: String? = nil, safety: [SafetyDecision] = [],
        isSafetyControlled: Bool = false, interactionFailure: String? = nil, annotations: [Annotation] = [],
        extra: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.sender = sender
        self.text = text
        self.parentID = parentID
        self.sentAt = sentAt
        self.isDislikeFeedback = isDislikeFeedback
        self.feedback = feedback
        self.generation = generation
        self.search = search
        self.memory = memory
        self.modules = modules
        self.asksAbout = asksAbout
        self.safety = safety
        self.isSafetyControlled = isSafetyControlled
        self.interactionFailure = interactionFailure
        self.annotations = annotations
        self.extra = extra
    }
}

/// What made a reply: enough to make it again.
public struct GenerationRecord: Sendable, Hashable, Codable {
    /// Registry id of the model version.
    public var model: String
    public var temperature: Double?
    public var topP: Double?
    public var seed: UInt64?
    /// Mean log-probability of the reply's tokens under the model that wrote it, in nats.
    public var meanLogProbability: Double?

    public init(
        model: String, temperature: Double? = nil, topP: Double? = nil, seed: UInt64? = nil,
        meanLogProbability: Double? = nil
    ) {
        self.model = model
        self.temperature = temperature
        self.topP = topP
        self.seed = seed
        self.meanLogProbability = meanLogProbability
    }

    enum CodingKeys: String, CodingKey {
        case model, temperature, seed
        case topP = "top_p"
        case meanLogProbability = "mean_log_probability"
    }
}
