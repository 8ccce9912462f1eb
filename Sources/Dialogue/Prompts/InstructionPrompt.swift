import Conversations

/// Prompts for models that follow instructions: the chat as it is, and after the person's last words a note that says what
/// is wanted.
///
/// The talk comes first and word for word the same for all modules, so that one pass over it serves them all (prefix
/// caches, here and at endpoints alike); what differs stands at the end.
public struct InstructionPrompt: PromptStyle {
    public let name = "instruction"
    /// The bot's name, where it has one.
    public var botName: String?

    public init(botName: String? = nil) { self.botName = botName }

    public func prompt(for input: ModuleInput) -> ModulePrompt? {
        var turns = Self.alternating(input.turns)
        let note = note(for: input)
        guard !note.isEmpty else { return turns.isEmpty ? nil : .turns(turns) }
        // Templates insist on taking turns: the note goes to the end of the person's turn, or is one.
        if turns.last?.sender == .human {
            turns[turns.count - 1].text += "\n\n" + note
        } else {
            turns.append(Turn(.human, note))
        }
        return .turns(turns)
    }

    /// Turns of one side after another joined, and the person first.
    static func alternating(_ turns: [Turn]) -> [Turn] {
        var result: [Turn] = []
        for turn in turns {
            if result.last?.sender == turn.sender {
                result[result.count - 1].text += "\n" + turn.text
            } else {
                result.append(turn)
            }
        }
        if result.first?.sender == .bot { result.insert(Turn(.human, "(The person opens the chat.)"), at: 0) }
        return result
    }

    private func note(for input: ModuleInput) -> String {
        let facts = input.memories.map { "- \($0.owner == .person ? "The person" : "You"): \($0.text)" }
        func lines(_ head: String, _ list: [String], _ task: String) -> String {
            "[Note: " + ([head] + list + [task]).joined(separator: "\n") + "]"
        }
        switch input.module {
        case .searchDecision:
            return "[Note: Does a good answer need facts from a web search? Write only: search, or: do not search]"
        case .memoryDecision:
            return lines(
                "You remember:", facts,
                "Does a good answer need one of these? Write only: access memory, or: do not access memory")
        case .searchQuery: return "[Note: Write only a short web search query for what the person asks.]"
        case .memoryWriting:
            let isBot = input.turns.last?.sender == .bot
            return
                "[Note: What lasting fact \(isBot ? "did you state about yourself" : "did the person state about themselves") "
                + "in the last message? Write it as one short sentence that begins with I or My, or write only: none]"
        case .memoryKnowledge:
            return lines("You remember:", facts, "Copy the one line that helps most, without its dash and owner.")
        case .topicKnowledge: return "[Note: Name what the talk is about, in one to four words, and nothing else.]"
        case .searchKnowledge:
            return lines(
                "Found:", input.documents.enumerated().map { "(\($0 + 1)) \($1.title): \($1.content)" },
                "Write the one sentence from this that helps to answer.")
        case .opening:
            return facts.isEmpty
                ? "[Note: Greet the person and begin a talk, in one or two sentences.]"
                : lines(
                    "You remember:", facts,
                    "Greet the person and begin a talk about something that you know, in one or two sentences.")
        case .topicReply, .memoryReply, .searchReply, .plainReply, .styleReply, .characterReply:
            var known = input.knowledge.map { knowledge in
                switch knowledge.kind {
                case .topic: "- The talk is about: \(knowledge.text)"
                case .memory:
                    "- You remember\(knowledge.owner == .bot ? " of yourself" : " of the person"): \(knowledge.text)"
                case .search: "- A search found: \(knowledge.text)"
                }
            }
            if input.module == .styleReply || input.module == .characterReply { known += facts }
            if known.isEmpty, input.style == nil { return "" }
            let style = input.style.map { " Be \($0)." } ?? ""
            return known.isEmpty
                ? "[Note: Answer in one or two sentences.\(style)]"
                : lines("You know:", known, "Use it where it fits; answer in one or two sentences.\(style)")
        }
    }

    public func decoding(of module: DialogueModule) -> DecodingChoice {
        switch module {
        case .searchDecision, .memoryDecision: .greedy(8)
        case .searchQuery, .topicKnowledge: .greedy(24)
        case .memoryWriting, .memoryKnowledge: .greedy(40)
        case .searchKnowledge: .greedy(80)
        default: DecodingChoice(nil)
        }
    }

    public func decision(_ output: String, of module: DialogueModule) -> Bool? {
        let text = OutputText.unquoted(answer(output, of: module)).lowercased()
        let no = ["do not", "don't", "no", "not ", "none"]
        if no.contains(where: text.hasPrefix) { return false }
        if ["yes", module == .searchDecision ? "search" : "access"].contains(where: text.hasPrefix) { return true }
        return nil
    }

    public func answer(_ output: String, of module: DialogueModule) -> String {
        var text = OutputText.unquoted(OutputText.withoutLabels(OutputText.firstLine(output)))
        while text.hasPrefix("- ") { text = String(text.dropFirst(2)) }
        for owner in ["The person: ", "You: "] where module == .memoryKnowledge && text.hasPrefix(owner) {
            text = String(text.dropFirst(owner.count))
        }
        if module == .memoryWriting, OutputText.isNothing(text) { return "" }
        return text
    }

    public func written(_ answer: ModuleAnswer, of module: DialogueModule) -> String? {
        oneLine(
            answer, of: module, search: ("search", "do not search"), memory: ("access memory", "do not access memory"),
            nothing: "none")
    }
}
