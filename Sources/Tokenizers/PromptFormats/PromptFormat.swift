import Conversations
import Foundation

/// How a conversation becomes ids for a model, to write the next reply or to learn from one that was given, and how its
/// ids become text again.
public protocol PromptFormat: Sendable {
    /// Ids to text and back.
    var vocabulary: any Tokenizer { get }
    /// Fills up the shorter rows of a batch.
    var pad: Int { get }
    /// Tokens that end a turn, beside those that the model's configuration names.
    var endIDs: Set<Int> { get }
    /// The token that ends a reply where nothing else does; `nil` where neither tokenizer nor model names one.
    var replyEnd: Int? { get }
    /// Tokens of a prompt that are nobody's words: whoever asks for a reply writes them.
    var markerIDs: Set<Int> { get }
    /// Texts that end a turn, where the format has no token for it.
    var stops: [String] { get }
    /// Whether a reply begins with white space that is the format's and not the bot's.
    var beginsReplyWithSpace: Bool { get }
    /// A history's prompt, ending where the bot's reply begins, in at most `room` tokens.
    ///
    /// What does not fit loses whole turns from its beginning, as `TurnWindow` says; of a last turn that is too long alone
    /// the beginning goes.
    func prompt(for turns: [Turn], room: Int) throws -> [Int]
    /// A reply as a model is to write it after its context, both in at most `room` tokens.
    ///
    /// The reply is kept whole; a context that does not fit loses its oldest turns, of the newest one the beginning.
    /// - Returns: `nil` for a reply that leaves no room for anything before it.
    func exchange(context: [Turn], reply: String, room: Int) throws -> Exchange?
}

extension PromptFormat {
    public var stops: [String] { [] }
    public var beginsReplyWithSpace: Bool { false }

    /// What stands before a plain text when the model is asked to go on with it, and so when it learns from one: the token with
    /// which the tokenizer begins every text (OPT's `</s>`, Llama's `<s>`), where it does.
    public var textBegin: [Int] { (vocabulary as? PretrainedTokenizer)?.textBegin ?? [] }

    /// A reply after a plain text, to which it is joined as it is (TRL's standard strings), in at most `room` tokens: of a
    /// text that does not fit the beginning goes.
    /// - Returns: `nil` for a reply that does not fit alone.
    /// - Throws: `TokenizersError` `missingToken` where nothing says what ends a reply.
    public func continuation(of text: String, reply: String, room: Int) throws -> Exchange? {
        guard let replyEnd else {
            throw TokenizersError(
                .missingToken, file: "tokenizer", "names no eos_token, so a reply's end cannot be learned")
        }
        let prompt = vocabulary.encode(text, parsing: .none)
        let reply = vocabulary.encode(reply, parsing: .none) + [replyEnd]
        guard reply.count <= room else { return nil }
        let left = room - reply.count
        // What begins a text stays where there is room for it.
        let begin = textBegin
        let kept = begin.count <= left ? begin : []
        return Exchange(
            prompt: kept + prompt.suffix(left - kept.count), reply: reply,
            isTruncated: begin.count + prompt.count > left)
    }
}

extension PretrainedTokenizer {
    /// The token that it puts in front of every text, where that is the one it names as a text's beginning.
    var textBegin: [Int] {
        let first = encode("", parsing: .none, addingSpecialTokens: true).first
        let named = roles.begin.flatMap(id(of:))
        return first != nil && first == named ? [first].compactMap { $0 } : []
    }
}

/// A reply after its context, in token ids.
public struct Exchange: Sendable, Hashable {
    /// What the model is shown: just what it sees when it is asked for a reply.
    public var prompt: [Int]
    /// What it should write, the token that ends its turn included.
    public var reply: [Int]
    /// Whether some of the context was left out.
    public var isTruncated: Bool
}

/// The front door: the format that a model folder speaks.
public enum PromptFormats {
    /// Our own (`ChatFormat`) where the tokenizer has its tokens, else the folder's chat template, and for a base model,
    /// which has none, a plain transcript (`PlainPromptFormat`).
    /// - Parameters:
    ///   - ends: tokens that the model's configuration names as its end; taken where the tokenizer names none.
    ///   - now: what a template that asks for the date is told.
    /// - Throws: `TokenizersError` and `ChatTemplateError` that name the file.
    public static func of(
        _ folder: URL, ends: [Int] = [], now: @escaping @Sendable () -> Date = { Date() }
    ) throws -> any PromptFormat {
        if let own = try? ChatFormat(folder: folder) { return own }
        if try ChatTemplate.isPresent(in: folder) {
            return try TemplatePromptFormat(folder: folder, ends: ends, now: now)
        }
        return try PlainPromptFormat(folder: folder, ends: ends)
    }
}
