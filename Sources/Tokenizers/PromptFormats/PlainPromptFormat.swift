import Conversations
import Foundation

/// A conversation as a transcript, for base models without a chat template (GPT-2, OPT, Llama's base models):
///
///     Person 1: hello there
///     Person 2: hi, how are you?
///     Person 1: fine, and you?
///     Person 2:
///
/// as BB3's OPT models have it. A turn is one line: line breaks in what is said become spaces, so nobody can type a line that
/// looks like another's turn. The end token is learned after a reply; a model that has not learned it yet is stopped by the
/// line's end. The token with which the tokenizer begins a text (OPT's `</s>`, Llama's `<s>`) stands first.
public struct PlainPromptFormat: PromptFormat {
    /// What begins a person's line and the bot's.
    public static let labels = (person: "Person 1:", bot: "Person 2:")

    public let tokenizer: PretrainedTokenizer
    public let pad: Int
    public let endIDs: Set<Int>
    private let folder: String
    private let begin: [Int]
    private let end: Int?

    /// Reads a model folder.
    /// - Parameter ends: tokens that the model's configuration names as its end; taken where the tokenizer names none.
    /// - Throws: `TokenizersError` that names the file.
    public init(folder: URL, ends: [Int] = []) throws {
        tokenizer = try PretrainedTokenizer(folder: folder)
        self.folder = folder.path
        end = tokenizer.roles.end.flatMap(tokenizer.id(of:)) ?? ends.first
        endIDs = end.map { [$0] } ?? []
        pad = tokenizer.roles.pad.flatMap(tokenizer.id(of:)) ?? end ?? 0
        begin = tokenizer.textBegin
    }

    public var vocabulary: any Tokenizer { tokenizer }
    public var replyEnd: Int? { end }
    public var markerIDs: Set<Int> { Set(begin) }
    public var stops: [String] { ["\n"] }
    public var beginsReplyWithSpace: Bool { true }

    public func prompt(for turns: [Turn], room: Int) throws -> [Int] {
        var ids = prompt(turns[...])
        guard ids.count > room else { return ids }
        var start = TurnWindow.start(of: turns, costs: costs(turns), room: room - Self.around)
        while start < turns.count {
            ids = prompt(turns[start...])
            if ids.count <= room || start == turns.count - 1 { break }
            start = TurnWindow.next(from: start + 1, in: turns)
        }
        return fitted(ids, room)
    }

    public func exchange(context: [Turn], reply: String, room: Int) throws -> Exchange? {
        guard let end else {
            throw TokenizersError(
                .missingToken, file: folder, "names no eos_token, so the end of a reply cannot be learned")
        }
        func made(_ turns: ArraySlice<Turn>) -> (prompt: [Int], reply: [Int]) {
            let prompt = self.prompt(turns)
            let text = transcript(turns)
            let said = " " + Self.line(reply)
            let whole = begin + tokenizer.encode(text + said, parsing: .none)
            // A token that would reach across the border is not what follows the prompt.
            let ids =
                whole.starts(with: prompt)
                ? Array(whole.dropFirst(prompt.count)) : tokenizer.encode(said, parsing: .none)
            return (prompt, ids + [end])
        }
        var (prompt, said) = made(context[...])
        guard said.count < room else { return nil }
        guard prompt.count + said.count > room, !context.isEmpty else {
            let left = room - said.count
            return Exchange(prompt: fitted(prompt, left), reply: said, isTruncated: prompt.count > left)
        }
        var start = TurnWindow.longest(of: context, costs: costs(context), room: room - said.count - Self.around)
        while true {
            (prompt, said) = made(context[start...])
            if prompt.count + said.count <= room || start == context.count - 1 { break }
            start = TurnWindow.next(from: start + 1, in: context)
        }
        return Exchange(prompt: fitted(prompt, room - said.count), reply: said, isTruncated: true)
    }

    /// Tokens of the bot's label and of a beginning, at most.
    private static let around = 8

    private func costs(_ turns: [Turn]) -> [Int] {
        turns.map { tokenizer.encode(Self.line(of: $0), parsing: .none).count }
    }

    private func prompt(_ turns: ArraySlice<Turn>) -> [Int] {
        begin + tokenizer.encode(transcript(turns), parsing: .none)
    }

    private func transcript(_ turns: ArraySlice<Turn>) -> String {
        turns.map(Self.line(of:)).joined() + Self.labels.bot
    }

    /// The beginning stays where there is room for more.
    private func fitted(_ ids: [Int], _ room: Int) -> [Int] {
        guard ids.count > room else { return ids }
        return room > begin.count ? begin + ids.suffix(room - begin.count) : Array(ids.suffix(max(room, 1)))
    }

    private static func line(of turn: Turn) -> String {
        (turn.sender == .bot ? labels.bot : labels.person) + " " + line(turn.text) + "\n"
    }

    /// A text as one line.
    static func line(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }.joined(separator: " ")
    }
}
