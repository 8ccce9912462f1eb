import Conversations

/// The contexts of BlenderBot 3's R2C2 models (3B): turns one per line, and a control token at the end that says which
/// module is asked. Knowledge stands between marks of its own, facts after `your persona:` (the bot's) or
/// `partner's persona:` (the human's).
public struct ControlTokenPrompt: PromptStyle {
    public let name = "control-tokens"
    private let maximumTokens: Int
    private let count: OPTPrompt.TokenCount

    /// - Parameters:
    ///   - maximumTokens: the model's context (1,024 of R2C2).
    ///   - count: its tokenizer; the default is a guess on the high side.
    public init(maximumTokens: Int = 1024, count: @escaping OPTPrompt.TokenCount = OPTPrompt.estimate) {
        self.maximumTokens = maximumTokens
        self.count = count
    }

    private static let nothing = "__NO__PERSONA__BEAM__MIN__LEN__20__"

    public func prompt(for input: ModuleInput) -> ModulePrompt? {
        let module = input.module
        var turns = input.turns.map { OPTPrompt.oneLine($0.text) }.filter { !$0.allSatisfy(\.isWhitespace) }
        if module.readsOneTurn, module != .memoryDecision || input.memories.isEmpty { turns = Array(turns.suffix(1)) }
        var before: [String] = []
        switch module {
        case .memoryKnowledge, .memoryDecision, .opening, .styleReply, .characterReply:
            before = input.memories.map { Self.ownerLabel($0.owner) + OPTPrompt.oneLine($0.text) }
        case .searchKnowledge: before = input.documents.map { OPTPrompt.oneLine($0.content) }
        default: break
        }
        var after: [String] = []
        if module.isReply {
            after = input.knowledge.map { knowledge in
                let mark = Self.mark(knowledge.kind)
                let owner = knowledge.owner.map(Self.ownerLabel) ?? ""
                return "__\(mark)__ \(owner)\(OPTPrompt.oneLine(knowledge.text)) __end\(mark)__"
            }
            if let style = input.style { after.append(OPTPrompt.oneLine(style)) }
        }
        if let token = Self.token(of: module) { after.append(token) }
        func text() -> String { (before + turns + after).joined(separator: "\n") }
        while turns.count > 1, count(text()) >= maximumTokens { turns.removeFirst() }
        while before.count > 1, count(text()) >= maximumTokens { before.removeLast() }
        return .text(text())
    }

    /// `your persona: ` of the bot, `partner's persona: ` of the human.
    public static func ownerLabel(_ owner: Memory.Owner) -> String {
        owner == .bot ? "your persona: " : "partner's persona: "
    }

    private static func mark(_ kind: KnowledgeKind) -> String {
        switch kind {
        case .topic: "entity"
        case .memory: "memory"
        case .search: "knowledge"
        }
    }

    private static func token(of module: DialogueModule) -> String? {
        switch module {
        case .searchDecision: "__is-search-required__"
        case .memoryDecision: "__is-memory-required__"
        case .searchQuery: "__generate-query__"
        case .memoryWriting: "__generate-memory__"
        case .memoryKnowledge: "__access-memory__"
        case .topicKnowledge: "__extract-entity__"
        case .searchKnowledge: "__generate-knowledge__"
        default: nil
        }
    }

    public func decoding(of module: DialogueModule) -> DecodingChoice {
        func beam(_ count: Int, minimum: Int, block: Int = 0, context: Int = 0) -> DecodingChoice {
            var sampling = Sampling(temperature: 0, topP: 1, maximumTokens: 128, blockedNGram: block)
            sampling.beamCount = count
            sampling.minimumTokens = minimum
            sampling.blockedContextNGram = context
            return DecodingChoice(sampling)
        }
        switch module {
        // "__do-not-access-memory__" is 15 tokens of a vocabulary of 4,096, and was cut off at the 10 of ParlAI's dictionary.
        case .searchDecision, .memoryDecision: return .greedy(24)
        case .searchQuery: return beam(1, minimum: 2)
        case .memoryWriting: return beam(3, minimum: 10, block: 3)
        case .memoryKnowledge: return beam(3, minimum: 5, block: 3)
        case .topicKnowledge: return beam(3, minimum: 1, block: 3, context: 3)
        case .searchKnowledge: return beam(3, minimum: 10, block: 3, context: 3)
        default: return beam(10, minimum: 20, block: 3, context: 3)
        }
    }

    public func decision(_ output: String, of module: DialogueModule) -> Bool? {
        let text = OutputText.firstLine(output)
        let (yes, no) =
            module == .searchDecision
            ? ("__do-search__", "__do-not-search__") : ("__do-access-memory__", "__do-not-access-memory__")
        if text.hasPrefix(no) { return false }
        if text.hasPrefix(yes) { return true }
        return nil
    }

    public func answer(_ output: String, of module: DialogueModule) -> String {
        let text = OutputText.firstLine(output)
        if module == .memoryWriting, text.hasPrefix(Self.nothing) || OutputText.isNothing(text) { return "" }
        // A decision, or the end of one, is no answer to what was asked.
        if ["-search__", "-memory__"].contains(where: text.contains) { return "" }
        return OutputText.withoutLabels(text)
    }

    public func written(_ answer: ModuleAnswer, of module: DialogueModule) -> String? {
        oneLine(
            answer, of: module, search: ("__do-search__", "__do-not-search__"),
            memory: ("__do-access-memory__", "__do-not-access-memory__"), nothing: Self.nothing)
    }
}
