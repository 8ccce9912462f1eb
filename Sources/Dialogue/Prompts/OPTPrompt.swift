import Conversations

/// The prompts of BlenderBot 3's OPT models, character for character: `Person 1` is the human, `Person 2` the bot.
///
/// `[facts or documents\n]turn\n…turn[\nknowledge][\nStyle: s]\nLabel:` without a space at the end. What is too long
/// loses its oldest turns first, and of documents and memories those ranked last: the reference drops lines from the top,
/// and so the best document first.
public struct OPTPrompt: PromptStyle {
    /// Counts the tokens of a text.
    public typealias TokenCount = @Sendable (String) -> Int

    public let name = "opt"
    /// Most tokens of a prompt; the limit is exclusive, as in the reference. `nil` takes the reference's for each module.
    public var maximumTokens: Int?
    private let count: TokenCount

    /// - Parameter count: the model's tokenizer; the default guesses three tokens for four words and marks.
    public init(maximumTokens: Int? = nil, count: @escaping TokenCount = OPTPrompt.estimate) {
        self.maximumTokens = maximumTokens
        self.count = count
    }

    /// A guess of a text's tokens, on the high side: a token for every four bytes and for every word.
    public static let estimate: TokenCount = { text in
        max((text.utf8.count + 3) / 4, text.split(whereSeparator: \.isWhitespace).count)
    }

    public func prompt(for input: ModuleInput) -> ModulePrompt? {
        let module = input.module
        var turns = input.turns.flatMap(Self.lines)
        if module.readsOneTurn { turns = Array(turns.suffix(1)) }
        var before = Self.before(input)
        let after = Self.after(input)
        let limit = maximumTokens ?? Self.limit(of: module)
        func text() -> String { (before + turns + after + [Self.label(of: module)]).joined(separator: "\n") }
        // The oldest turn goes first, never the last one.
        while turns.count > 1, count(text()) >= limit { turns.removeFirst() }
        // Then the lines that were ranked last.
        while before.count > 1, count(text()) >= limit { before.removeLast() }
        return .text(text())
    }

    private static func lines(of turn: Turn) -> [String] {
        let text = turn.text.split(whereSeparator: \.isNewline).joined(separator: " ")
        // A line of the prompt is a turn: a person's line breaks must not make turns of their own.
        return text.allSatisfy(\.isWhitespace) ? [] : ["\(speaker(turn.sender)): \(text)"]
    }

    static func speaker(_ sender: Sender) -> String { sender == .human ? "Person 1" : "Person 2" }

    /// `Person 1's Persona`: of the human.
    public static func ownerLabel(_ owner: Memory.Owner) -> String { speaker(owner.sender) + "'s Persona" }

    private static func before(_ input: ModuleInput) -> [String] {
        switch input.module {
        case .searchKnowledge:
            input.documents.map { "External Knowledge: " + oneLine($0.content) }
        case .memoryKnowledge, .styleReply, .characterReply:
            input.memories.map { "\(ownerLabel($0.owner)): \(oneLine($0.text))" }
        case .opening:
            input.memories.map { "\(ownerLabel($0.owner)): \(oneLine($0.text))" }
        case .memoryDecision:
            // The bot's facts, then the person's, each on one line.
            [Memory.Owner.bot, .person].compactMap { owner in
                let facts = input.memories.filter { $0.owner == owner }.map { oneLine($0.text) }
                return facts.isEmpty
                    ? nil : "Personal Fact: \(ownerLabel(owner)): \(facts.joined(separator: " "))"
            }
        default: []
        }
    }

    private static func after(_ input: ModuleInput) -> [String] {
        guard input.module.isReply else { return [] }
        var lines = input.knowledge.map { knowledge in
            let owner = knowledge.owner.map { ownerLabel($0) + ": " } ?? ""
            return "\(knowledgeLabel(knowledge.kind)): \(owner)\(oneLine(knowledge.text))"
        }
        if let style = input.style { lines.append("Style: " + oneLine(style)) }
        return lines
    }

    private static func knowledgeLabel(_ kind: KnowledgeKind) -> String {
        switch kind {
        case .topic: "Previous Topic"
        case .memory: "Personal Fact"
        case .search: "Interesting Fact"
        }
    }

    static func oneLine(_ text: String) -> String { text.split(whereSeparator: \.isNewline).joined(separator: " ") }

    private static func label(of module: DialogueModule) -> String {
        switch module {
        case .searchDecision: "Search Decision:"
        case .memoryDecision: "Memory Decision:"
        case .searchQuery: "Query:"
        case .memoryWriting: "Memory:"
        case .memoryKnowledge: "Personal Fact:"
        case .topicKnowledge: "Previous Topic:"
        case .searchKnowledge: "Interesting Fact:"
        case .opening: "Opening:"
        case .topicReply, .memoryReply, .searchReply, .plainReply, .styleReply, .characterReply: "Person 2:"
        }
    }

    private static func limit(of module: DialogueModule) -> Int {
        switch module {
        case .memoryKnowledge, .searchKnowledge, .opening: 1412
        case .topicKnowledge: 1812
        case .searchReply: 1784
        case .memoryReply: 1848
        case .topicReply, .styleReply: 1880
        default: 1912
        }
    }

    public func decoding(of module: DialogueModule) -> DecodingChoice {
        switch module {
        case .searchDecision, .memoryDecision: return .greedy(10, minimum: 1)
        case .searchQuery, .memoryWriting: return .greedy(32)
        case .topicKnowledge, .memoryKnowledge: return .greedy(32, repetitionPenalty: 1.2)
        case .searchKnowledge: return .greedy(64, repetitionPenalty: 1.2)
        default:
            var sampling = Sampling(temperature: 1, topP: 0.9, maximumTokens: 128)
            sampling.factualNucleus = Sampling.FactualNucleus(decay: 0.9, floor: 0.3)
            sampling.minimumTokens = module == .opening ? 1 : 20
            sampling.stops = ["\n"]
            if module != .opening {
                sampling.presencePenalty = 0.5
                sampling.frequencyPenalty = 0.5
                if module == .searchReply {
                    sampling.contextPresencePenalty = 0.5
                    sampling.contextFrequencyPenalty = 0.5
                }
            }
            return DecodingChoice(sampling)
        }
    }

    public func decision(_ output: String, of module: DialogueModule) -> Bool? {
        let text = answer(output, of: module).lowercased()
        let (yes, no) =
            module == .searchDecision
            ? ("search", "do not search") : ("access memory", "do not access memory")
        // Each with its own words: the reference compares the "no" branch with the words for yes.
        if text.hasPrefix(no) { return false }
        if text.hasPrefix(yes) { return true }
        return nil
    }

    public func answer(_ output: String, of module: DialogueModule) -> String {
        let text = OutputText.firstLine(output)
        if module == .memoryWriting, OutputText.isNothing(text) { return "" }
        return OutputText.withoutLabels(text)
    }

    public func written(_ answer: ModuleAnswer, of module: DialogueModule) -> String? {
        oneLine(
            answer, of: module, search: ("search", "do not search"), memory: ("access memory", "do not access memory"),
            nothing: "no persona")
    }
}
