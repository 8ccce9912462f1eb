import Conversations

/// For models that only answer chats: they see turns and nothing else, and write plain replies only. A memory that bears on
/// the talk is shown to them as a turn of its owner before it, since that is how they know of facts.
public struct PlainPrompt: PromptStyle {
    public let name = "plain"

    public init() {}

    public func prompt(for input: ModuleInput) -> ModulePrompt? {
        guard input.module.isReply, input.module != .opening, !input.turns.isEmpty else { return nil }
        let recalled = input.knowledge.compactMap { knowledge in
            knowledge.owner.map { Turn($0.sender, knowledge.text) }
        }
        return .turns(recalled + input.turns)
    }

    public func decoding(of module: DialogueModule) -> DecodingChoice { DecodingChoice(nil) }
    public func decision(_ output: String, of module: DialogueModule) -> Bool? { nil }
    public func answer(_ output: String, of module: DialogueModule) -> String { output }
    public func written(_ answer: ModuleAnswer, of module: DialogueModule) -> String? {
        guard case .text(let text) = answer, module.isReply, module != .opening else { return nil }
        return text
    }
}
