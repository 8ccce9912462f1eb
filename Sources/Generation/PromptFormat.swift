import Conversations
import Foundation
import Tokenizers

/// How turns become a prompt for a model, and its ids text again.
public protocol PromptFormat: Sendable {
    /// Ids to text and back.
    var vocabulary: any Tokenizer { get }
    /// Fills up the shorter rows of a batch.
    var pad: Int { get }
    /// Tokens that end a turn, beside those that the model's configuration names.
    var endIDs: Set<Int> { get }
    /// A history's prompt, ending where the bot's reply begins, in at most `room` tokens: whole turns go, the oldest first; of a
    /// last turn that is too long alone, the beginning.
    func prompt(for turns: [Turn], room: Int) throws -> [Int]
}

/// The front door: the format that a model folder speaks.
public enum PromptFormats {
    /// Our own (`ChatFormat`) where the tokenizer has its tokens, else the folder's chat template.
    /// - Throws: errors of `Tokenizers` that name the file, when the folder has neither.
    public static func of(_ folder: URL, now: @escaping @Sendable () -> Date = { Date() }) throws -> any PromptFormat {
        if let own = try? ChatFormat(folder: folder) { return own }
        return try TemplatePromptFormat(folder: folder, now: now)
    }
}

extension ChatFormat: PromptFormat {
    public var vocabulary: any Tokenizer { tokenizer }
    public var endIDs: Set<Int> { [end] }

    public func prompt(for turns: [Turn], room: Int) throws -> [Int] {
        // The last token asks for the reply.
        let room = max(room, 1) - 1
        var kept: [[Int]] = []
        var length = 0
        for turn in turns.reversed() {
            let ids = encode(turn: turn.sender == .bot, text: turn.text)
            if kept.isEmpty, ids.count > room {
                // Its first token says who speaks.
                kept.append(room > 2 ? [ids[0]] + ids.suffix(room - 1) : Array(ids.suffix(max(room, 0))))
                break
            }
            guard length + ids.count <= room else { break }
            length += ids.count
            kept.append(ids)
        }
        return kept.reversed().flatMap { $0 } + [bot]
    }
}
