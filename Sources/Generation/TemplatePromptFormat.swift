import Conversations
import Foundation
import Tokenizers

/// The prompt of a published chat model: its folder's tokenizer and chat template, rendered as transformers does it.
///
/// What people type never becomes a special token, whatever it spells: only the template's own text may.
public struct TemplatePromptFormat: PromptFormat {
    public let template: ChatTemplate
    public let tokenizer: PretrainedTokenizer
    /// Said to the model before the conversation; `nil` leaves it to the template.
    public let systemPrompt: String?
    public let pad: Int
    public let endIDs: Set<Int>
    private let specialTokens: [String: Int]
    private let now: @Sendable () -> Date

    /// Reads a model folder.
    /// - Parameter now: what a template that asks for the date is told.
    /// - Throws: `TokenizersError` and `ChatTemplateError` that name the file.
    public init(
        folder: URL, systemPrompt: String? = nil, now: @escaping @Sendable () -> Date = { Date() }
    ) throws {
        tokenizer = try PretrainedTokenizer(folder: folder)
        template = try ChatTemplate(folder: folder)
        self.systemPrompt = systemPrompt
        self.now = now
        let end = tokenizer.roles.end.flatMap(tokenizer.id(of:))
        endIDs = end.map { [$0] } ?? []
        pad = tokenizer.roles.pad.flatMap(tokenizer.id(of:)) ?? end ?? 0
        specialTokens = tokenizer.controlTokens
    }

    public var vocabulary: any Tokenizer { tokenizer }

    public func prompt(for turns: [Turn], room: Int) throws -> [Int] {
        var kept = turns[...]
        var ids = try encode(kept)
        while ids.count > room, kept.count > 1 {
            // Templates that insist on taking turns want the person first.
            kept = kept.dropFirst()
            while kept.count > 1, kept.first?.sender == .bot { kept = kept.dropFirst() }
            ids = try encode(kept)
        }
        return ids.count > room ? Array(ids.suffix(max(room, 1))) : ids
    }

    private func encode(_ turns: ArraySlice<Turn>) throws -> [Int] {
        var messages: [TemplateValue] = []
        if let systemPrompt { messages.append(["role": "system", "content": .string(systemPrompt)]) }
        messages += turns.map {
            ["role": $0.sender == .bot ? "assistant" : "user", "content": .string($0.text)]
        }
        let prompt = try template.render(
            messages: messages, addGenerationPrompt: true, clock: TemplateClock(now: now()))
        return prompt.encode(specialTokens: specialTokens) { tokenizer.encode($0, parsing: .none) }
    }
}
