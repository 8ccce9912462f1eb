import Conversations
import Foundation

extension DialogueFile {
    /// Dialogues of a file in either form: lines with `turns`, or a Loam log, whose first line tells.
    ///
    /// Of a log only what may be learnt from (consent `improve` or `release`) is read.
    /// - Throws: `LogError` when the file cannot be read or holds no dialogue.
    public func readEither(_ url: URL) throws -> Content {
        guard try Self.isLog(url) else { return try read(url) }
        var content = Content()
        let reader = try LogFormat.loam.reader(of: url)
        while let event = try reader.next() {
            switch event {
            case .skipped(let reason): content.skip(reason)
            case .conversation(let conversation):
                let turns = conversation.dialogue
                if conversation.consent >= .improve, turns.count >= 2 { content.dialogues.append(turns) }
            }
        }
        guard !content.dialogues.isEmpty else {
            throw LogError(.emptyFile, file: url.path, reason: "holds no dialogue that may be learnt from")
        }
        return content
    }

    /// Whether a file is a Loam log rather than lines with `turns`, by its first line.
    public static func isLog(_ url: URL) throws -> Bool {
        var first = try LineReader(url)
        guard case .bytes(let bytes)? = try first.next()?.content, let value = try? JSONValue(parsing: bytes),
            case .object(let fields) = value
        else { return false }
        return fields["message_history"] != nil
    }
}
