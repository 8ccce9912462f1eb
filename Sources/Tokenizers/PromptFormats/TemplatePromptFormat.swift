import Conversations
import Foundation

/// The prompt of a published chat model: its folder's tokenizer and chat template, rendered as transformers does it.
///
/// What people type never becomes a special token, whatever it spells: only the template's own text may. Templates that ask
/// whether to think aloud (`enable_thinking`) are told not to: people wait for a reply. Templates that insist on taking
/// turns get neighbours of one speaker as one message, and an empty message where a person should have spoken.
public struct TemplatePromptFormat: PromptFormat {
    public let template: ChatTemplate
    public let tokenizer: PretrainedTokenizer
    /// Said to the model before the conversation; `nil` leaves it to the template.
    public let systemPrompt: String?
    public let pad: Int
    public private(set) var endIDs: Set<Int>
    private let folder: String
    private let specialTokens: [String: Int]
    private let now: @Sendable () -> Date
    /// The token that the template writes after a reply, or else the tokenizer's or the model's end.
    public private(set) var replyEnd: Int?
    /// Ends a reply where the template writes nothing after it that does.
    private let end: Int?
    /// Tokens that a turn takes beside its text, and those around all turns; a little more rather than less.
    private var overhead = (turn: 8, whole: 8)

    /// Reads a model folder.
    /// - Parameters:
    ///   - ends: tokens that the model's configuration names as its end.
    ///   - now: what a template that asks for the date is told.
    /// - Throws: `TokenizersError` and `ChatTemplateError` that name the file.
    public init(
        folder: URL, systemPrompt: String? = nil, ends: [Int] = [], now: @escaping @Sendable () -> Date = { Date() }
    ) throws {
        tokenizer = try PretrainedTokenizer(folder: folder)
        template = try ChatTemplate(folder: folder)
        self.folder = folder.path
        self.systemPrompt = systemPrompt
        self.now = now
        specialTokens = tokenizer.controlTokens
        let named = tokenizer.roles.end.flatMap(tokenizer.id(of:))
        end = named ?? ends.first
        pad = tokenizer.roles.pad.flatMap(tokenizer.id(of:)) ?? named ?? ends.first ?? 0
        endIDs = named.map { [$0] } ?? []
        replyEnd = end
        try learn()
    }

    /// Looks at what the template writes around a short exchange: the token that ends a reply (Llama 3's `<|eot_id|>` is not
    /// the tokenizer's end token), and how many tokens a turn takes.
    private mutating func learn() throws {
        let turns = [Turn(.human, "a"), Turn(.bot, "a"), Turn(.human, "a")]
        let text = tokenizer.encode("a", parsing: .none).count
        do {
            let one = try ids(of: rendered([turns[0]], reply: nil)).count
            let three = try ids(of: rendered(turns, reply: nil)).count
            let turn = max((three - one - 2 * text + 1) / 2, 0) + 1
            overhead = (turn, max(one - text - turn, 0) + 2)
            let whole = try rendered([turns[0]], reply: "a")
            if let cut = turnEnd(of: whole), let found = cut.special {
                endIDs.insert(found)
                replyEnd = found
            }
        } catch let error as ChatTemplateError where error.code == .raised || error.code == .runtime {
            // It may still like real conversations.
        }
    }

    public var vocabulary: any Tokenizer { tokenizer }
    public var markerIDs: Set<Int> { Set(specialTokens.values).subtracting(endIDs) }

    // MARK: - Asking for a reply

    public func prompt(for turns: [Turn], room: Int) throws -> [Int] {
        var ids = try prompt(turns)
        guard ids.count > room else { return ids }
        var start = TurnWindow.start(of: turns, costs: costs(turns), room: room - overhead.whole)
        // The costs are estimates; where they were too low, turn after turn goes.
        while start < turns.count {
            ids = try prompt(Array(turns[start...]))
            if ids.count <= room || start == turns.count - 1 { break }
            start = TurnWindow.next(from: start + 1, in: turns)
        }
        return ids.count > room ? Array(ids.suffix(max(room, 1))) : ids
    }

    private func costs(_ turns: [Turn]) -> [Int] {
        turns.map { tokenizer.encode($0.text, parsing: .none).count + overhead.turn }
    }

    private func prompt(_ turns: [Turn]) throws -> [Int] {
        try taking(turns) { try ids(of: rendered($0, reply: nil)) }
    }

    // MARK: - Learning from a reply

    public func exchange(context: [Turn], reply: String, room: Int) throws -> Exchange? {
        var (prompt, said) = try exchange(context, reply)
        guard said.count < room else { return nil }
        guard prompt.count + said.count > room, !context.isEmpty else {
            let left = room - said.count
            return Exchange(prompt: Array(prompt.suffix(left)), reply: said, isTruncated: prompt.count > left)
        }
        var start = TurnWindow.longest(
            of: context, costs: costs(context), room: room - said.count - overhead.whole)
        while true {
            (prompt, said) = try exchange(Array(context[start...]), reply)
            guard said.count < room else { return nil }
            if prompt.count + said.count <= room || start == context.count - 1 { break }
            start = TurnWindow.next(from: start + 1, in: context)
        }
        return Exchange(prompt: Array(prompt.suffix(room - said.count)), reply: said, isTruncated: true)
    }

    /// The ids that the template writes after the prompt, up to the token that ends the reply.
    ///
    /// They are taken from the ids of the whole where these begin with the prompt's; where a token would reach across the
    /// border, from the rest of the text alone, since whoever writes a reply begins after the prompt too. A template whose
    /// whole does not begin with its prompt (one that opens a thought and drops it later) gets the reply as it is and an end.
    private func exchange(_ context: [Turn], _ reply: String) throws -> (prompt: [Int], reply: [Int]) {
        try taking(context) { turns in
            let open = try rendered(turns, reply: nil)
            let whole = try rendered(turns, reply: reply)
            let prompt = ids(of: open)
            let border = open.text.utf8.count
            let isContinued = whole.text.utf8.starts(with: open.text.utf8) && whole.contentEnd > border
            guard isContinued else {
                let text = reply.trimmingCharacters(in: .whitespacesAndNewlines)
                let said = tokenizer.encode(text, finding: .text, isBeginning: border == 0)
                return (prompt, try ended(said, by: replyEnd))
            }
            let cut = turnEnd(of: whole)
            let end = cut?.range.upperBound ?? whole.contentEnd
            let ids = self.ids(of: whole.part(0..<end))
            let said =
                ids.starts(with: prompt)
                ? Array(ids.dropFirst(prompt.count))
                : self.ids(of: whole.part(border..<end), isBeginning: border == 0)
            return (prompt, cut == nil ? try ended(said, by: self.end) : said)
        }
    }

    /// The first special token after the last message's text.
    private func turnEnd(of whole: RenderedPrompt) -> RenderedPrompt.Piece? {
        let end = whole.contentEnd
        return whole.pieces(specialTokens: specialTokens).first { $0.special != nil && $0.range.lowerBound >= end }
    }

    private func ended(_ ids: [Int], by end: Int?) throws -> [Int] {
        guard let end else {
            throw TokenizersError(
                .missingToken, file: folder,
                "neither the chat template nor eos_token says what ends a reply, so none can be learned")
        }
        return ids + [end]
    }

    // MARK: - Rendering

    private func rendered(_ turns: [Turn], reply: String?) throws -> RenderedPrompt {
        var messages: [TemplateValue] = []
        if let systemPrompt { messages.append(["role": "system", "content": .string(systemPrompt)]) }
        messages += turns.map {
            ["role": $0.sender == .bot ? "assistant" : "user", "content": .string($0.text)]
        }
        if let reply { messages.append(["role": "assistant", "content": .string(reply)]) }
        return try template.render(
            messages: messages, addGenerationPrompt: reply == nil, variables: ["enable_thinking": false],
            clock: TemplateClock(now: now()))
    }

    private func ids(of prompt: RenderedPrompt, isBeginning: Bool = true) -> [Int] {
        tokenizer.encode(prompt, controls: specialTokens, isBeginning: isBeginning)
    }

    /// Does something with turns, or, where the template refuses them, with the same turns put in order.
    private func taking<Result>(_ turns: [Turn], _ body: ([Turn]) throws -> Result) throws -> Result {
        do {
            return try body(turns)
        } catch let error as ChatTemplateError where error.code == .raised || error.code == .runtime {
            let ordered = Self.alternating(turns)
            guard ordered != turns else { throw error }
            return try body(ordered)
        }
    }

    /// Turns that go to and fro, from the person's to the person's.
    static func alternating(_ turns: [Turn]) -> [Turn] {
        var result: [Turn] = []
        for turn in turns {
            if let last = result.last, last.sender == turn.sender {
                result[result.count - 1].text += "\n" + turn.text
            } else {
                result.append(turn)
            }
        }
        if result.first?.sender != .human { result.insert(Turn(.human, ""), at: 0) }
        if result.last?.sender == .bot { result.append(Turn(.human, "")) }
        return result
    }
}
