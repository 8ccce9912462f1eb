import Conversations
import Foundation

extension DialogueFile {
    /// Dialogues of a file in either form: lines with `turns`, or a Loam log, whose first line tells.
    ///
    /// Of a log only what may be learnt from is read, the others are counted.
    /// - Throws: `LogError` when the file cannot be read or holds no dialogue.
    public func readEither(_ url: URL) throws -> Content {
        guard try LearnableLog.isLog(url) else { return try read(url) }
        var content = Content()
        func isFull() -> Bool { limit.map { content.dialogues.count >= $0 } ?? false }
        let log = try LearnableLog(url)
        while !isFull(), let event = try log.next() {
            switch event {
            case .skipped(let reason): content.skip(reason)
            case .withheld: content.withheld += 1
            case .conversation(let conversation):
                for turns in conversation.dialogues where turns.count >= 2 && !isFull() {
                    content.dialogues.append(turns)
                }
            }
        }
        guard !content.dialogues.isEmpty else {
            throw LogError(.emptyFile, file: url.path, reason: "holds no dialogue that may be learnt from")
        }
        return content
    }
}
