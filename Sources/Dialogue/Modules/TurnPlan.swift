import Conversations

/// How a bot goes about a turn: which modules it asks, how their prompts are written, how their outputs are drawn.
public struct TurnPlan: Sendable {
    /// When something is done.
    public enum Use: String, Sendable, Hashable, Codable, CaseIterable {
        /// When its decision module says so.
        case decide
        case always, never
    }

    /// When the talk's topic serves as knowledge.
    public enum TopicUse: String, Sendable, Hashable, Codable, CaseIterable {
        /// When the turn has no knowledge from a search or a memory.
        case otherwise
        case always, never
    }

    /// How several pieces of knowledge become one reply.
    public enum Conditioning: String, Sendable, Hashable, Codable, CaseIterable {
        /// All in one prompt.
        case combined
        /// A reply for each; the most probable one is said.
        case separate
        /// Both; a separate one is said only if it is more probable.
        case both
    }

    /// Who finds the facts worth remembering.
    public enum MemoryWriter: String, Sendable, Hashable, Codable, CaseIterable {
        /// The module `mgm`.
        case model
        /// Sentences in which people state facts about themselves (`StatedFacts`): works with any model.
        case rule
        case never
    }

    /// Whose settings a reply is drawn with.
    public enum ReplyDrawing: String, Sendable, Hashable, Codable, CaseIterable {
        /// The style's: those of the models it was made for.
        case asStyle
        /// The turn's: what the model, the command line and the request wish for.
        case asTurn
    }

    /// When a reply that has to be looked at is shown.
    public enum Showing: Sendable, Hashable {
        /// Once all of it passed.
        case whole
        /// Sentence by sentence, each once it passed with all before it, where the reply takes longer than this. What comes after a
        /// sentence that does not pass is not said; what was shown stays.
        case sentences(after: Duration)
    }

    /// How prompts are written, where `styles` has no other for a module.
    public var style: any PromptStyle
    public var styles: [DialogueModule: any PromptStyle] = [:]
    public var search = Use.never
    public var memory = Use.never
    public var topic = TopicUse.never
    public var conditioning = Conditioning.combined
    public var memoryWriter = MemoryWriter.never
    /// How replies sound: `kind`, `brief`.
    public var replyStyle: String?
    /// Facts about the bot that everybody may know.
    public var persona: [String] = []
    /// Documents asked of the search.
    public var documentCount = 5
    /// Decoding of a module where it is not to be its style's; seeds are the turn's own.
    public var decodings: [DialogueModule: Sampling] = [:]
    /// Of replies alone; decisions, queries and memories are drawn as their style says.
    public var replyDrawing = ReplyDrawing.asStyle
    /// What is said where no reply of a model can be.
    public var canned = CannedReplies()
    /// Whether a complaint gets an apology and the question what would have been better, rather than small talk.
    public var recovers = true
    public var showing = Showing.sentences(after: .milliseconds(400))

    public init(style: any PromptStyle = PlainPrompt()) { self.style = style }

    /// A plain chat: one reply, no other module.
    public static let plain = TurnPlan()

    /// All modules of BlenderBot 3, for a model that was trained with them or that follows instructions.
    public static func modular(_ style: any PromptStyle) -> TurnPlan {
        var plan = TurnPlan(style: style)
        plan.search = .decide
        plan.memory = .decide
        plan.topic = .otherwise
        plan.memoryWriter = .model
        return plan
    }

    func style(of module: DialogueModule) -> any PromptStyle { styles[module] ?? style }

    /// How a module's output is drawn, where the turn's replies are drawn as `turn`; the seed is not looked at.
    func sampling(of module: DialogueModule, turn: Sampling) -> Sampling {
        if let own = decodings[module] { return own }
        if replyDrawing == .asTurn, module.isReply { return turn }
        return style(of: module).decoding(of: module).sampling ?? turn
    }

    /// The call of a module; `nil` where its style cannot do the task.
    func call(_ input: ModuleInput, replySampling: Sampling, seed: UInt64) -> ModuleCall? {
        let style = style(of: input.module)
        guard let prompt = style.prompt(for: input) else { return nil }
        var sampling = sampling(of: input.module, turn: replySampling)
        sampling.seed = seed
        return ModuleCall(module: input.module, prompt: prompt, sampling: sampling)
    }
}

/// What is asked of a model.
public struct ModuleCall: Sendable, Hashable {
    public var module: DialogueModule
    public var prompt: ModulePrompt
    public var sampling: Sampling

    public init(module: DialogueModule, prompt: ModulePrompt, sampling: Sampling) {
        self.module = module
        self.prompt = prompt
        self.sampling = sampling
    }
}

/// What a model said, and which one.
public struct ModuleOutput: Sendable, Hashable {
    public var reply: Reply
    /// Registry id.
    public var model: String

    public init(reply: Reply, model: String) {
        self.reply = reply
        self.model = model
    }
}
