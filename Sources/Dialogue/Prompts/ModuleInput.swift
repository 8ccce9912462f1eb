import Conversations

/// What a module is told, before it is written down as some model wants it.
public struct ModuleInput: Sendable, Hashable {
    public var module: DialogueModule
    /// The talk so far, oldest first.
    public var turns: [Turn]
    /// Facts about both sides, best first.
    public var memories: [Fact]
    /// Passages that a search found, best first.
    public var documents: [SearchDocument]
    /// What the reply is to stand on.
    public var knowledge: [Knowledge]
    /// How the reply is to sound.
    public var style: String?

    public init(
        _ module: DialogueModule, turns: [Turn], memories: [Fact] = [], documents: [SearchDocument] = [],
        knowledge: [Knowledge] = [], style: String? = nil
    ) {
        self.module = module
        self.turns = turns
        self.memories = memories
        self.documents = documents
        self.knowledge = knowledge
        self.style = style
    }
}

/// A fact with whom it is about.
public struct Fact: Sendable, Hashable {
    public var owner: Memory.Owner
    public var text: String

    public init(_ owner: Memory.Owner, _ text: String) {
        self.owner = owner
        self.text = text
    }
}

/// A prompt as a model reads it.
public enum ModulePrompt: Sendable, Hashable {
    /// Text to be continued.
    case text(String)
    /// Turns of a chat to be answered.
    case turns([Turn])

    /// All of its text, for counting.
    public var text: String {
        switch self {
        case .text(let text): text
        case .turns(let turns): turns.map(\.text).joined(separator: "\n")
        }
    }
}

/// How modules' inputs become prompts for one family of models, and its outputs answers again.
public protocol PromptStyle: Sendable {
    /// A name for records.
    var name: String { get }
    /// The prompt of a module, `nil` where this family cannot do its task.
    func prompt(for input: ModuleInput) -> ModulePrompt?
    /// How the module's output is drawn unless somebody says otherwise.
    func decoding(of module: DialogueModule) -> DecodingChoice
    /// What a decision's output means; `nil` when it says neither.
    func decision(_ output: String, of module: DialogueModule) -> Bool?
    /// An output without what the family puts around it: labels, further lines, control tokens. Empty when there is
    /// nothing in it, as when there is nothing to remember.
    func answer(_ output: String, of module: DialogueModule) -> String
    /// An answer as a model of this family should write it, for learning; `decision` and `answer` read it back. `nil` where the
    /// family cannot do the task.
    func written(_ answer: ModuleAnswer, of module: DialogueModule) -> String?
}

extension PromptStyle {
    /// A task as a model sees it, and what it should write.
    public func lesson(_ task: ModuleTask) -> (prompt: ModulePrompt, output: String)? {
        guard let prompt = prompt(for: task.input), let output = written(task.answer, of: task.module) else {
            return nil
        }
        return (prompt, output)
    }

    /// An answer as it stands in one line; decisions and "nothing" in the family's words.
    func oneLine(
        _ answer: ModuleAnswer, of module: DialogueModule, search: (yes: String, no: String),
        memory: (yes: String, no: String), nothing: String
    ) -> String? {
        switch (answer, module) {
        case (.decision(let isYes), .searchDecision): isYes ? search.yes : search.no
        case (.decision(let isYes), .memoryDecision): isYes ? memory.yes : memory.no
        case (.nothing, .memoryWriting): nothing
        case (.decision, _), (.nothing, _), (.text, .searchDecision), (.text, .memoryDecision): nil
        case (.text(let text), _): OPTPrompt.oneLine(text)
        }
    }
}

/// How an output is drawn.
public struct DecodingChoice: Sendable, Hashable {
    /// All but the seed. For replies `nil` means: as the turn's own sampling says.
    public var sampling: Sampling?

    public init(_ sampling: Sampling?) { self.sampling = sampling }

    /// Greedy, at most so many tokens, one line.
    static func greedy(_ tokens: Int, minimum: Int = 0, repetitionPenalty: Double = 1) -> DecodingChoice {
        var sampling = Sampling(temperature: 0, topP: 1, maximumTokens: tokens)
        sampling.minimumTokens = minimum
        sampling.repetitionPenalty = repetitionPenalty
        sampling.stops = ["\n"]
        return DecodingChoice(sampling)
    }
}
