import Conversations
import Foundation

/// Reads dialogue files: one `{"turns": ["…", …]}` per line, two speakers taking turns. For pre-training.
///
/// The one who begins is the person, the other the bot. Other fields are passed over, but for `persona` and for `status`: a
/// dialogue that the data's makers marked `Rejected` is left out.
public struct DialogueFile: Sendable {
    /// What came of a file.
    public struct Content: Sendable {
        public var dialogues: [[Turn]] = []
        /// Facts about the one who begins and about the other (`persona`), by the dialogue's place; most files have none.
        public var personas: [Int: [[String]]] = [:]
        /// Lines marked as rejected by the data's makers.
        public var rejected = 0
        /// Conversations of a log that nothing may be learnt from, for want of consent.
        public var withheld = 0
        /// Lines that could not be used: the first few, and how many in all.
        public var skipped: [SkipReason] = []
        public var skippedCount = 0

        public init() {}
    }

    private struct Line: Decodable {
        var turns: [String]
        var status: String?
        var persona: [[String]]?
    }

    /// Statuses that leave a dialogue out.
    public var rejectedStatuses: Set<String>
    /// Stop after this many dialogues; `nil` reads all.
    public var limit: Int?

    public init(rejectedStatuses: Set<String> = ["Rejected"], limit: Int? = nil) {
        self.rejectedStatuses = rejectedStatuses
        self.limit = limit
    }

    /// Reads a file. Lines that are broken are counted and described, never silently passed over.
    /// - Throws: `LogError` when the file is missing, or holds no dialogue at all.
    public func read(_ url: URL) throws -> Content {
        var content = Content()
        var reader = try LineReader(url)
        let decoder = JSONDecoder()
        while limit.map({ content.dialogues.count < $0 }) ?? true, let line = try reader.next() {
            let bytes: [UInt8]
            switch line.content {
            case .bytes(let found): bytes = found
            case .tooLong(let length):
                content.skip(.init(.tooLong, file: url.path, line: line.number, reason: "\(length) bytes"))
                continue
            case .invalidUTF8(let offset):
                content.skip(.init(.invalidUTF8, file: url.path, line: line.number, reason: "byte \(offset + 1)"))
                continue
            }
            if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            do {
                let record = try decoder.decode(Line.self, from: Data(bytes))
                if let status = record.status, rejectedStatuses.contains(status) {
                    content.rejected += 1
                    continue
                }
                let turns = record.turns.enumerated().map { Turn($0.offset % 2 == 0 ? .human : .bot, $0.element) }
                guard turns.count >= 2 else {
                    content.skip(
                        .init(
                            .noMessages, file: url.path, line: line.number, field: "turns",
                            reason: "fewer than two turns"))
                    continue
                }
                if let persona = record.persona { content.personas[content.dialogues.count] = persona }
                content.dialogues.append(turns)
            } catch DecodingError.dataCorrupted {
                content.skip(.init(.invalidJSON, file: url.path, line: line.number, reason: "not valid JSON"))
            } catch {
                content.skip(
                    .init(
                        .invalidField, file: url.path, line: line.number, field: "turns",
                        reason: "expected a list of strings (persona: two of them)"))
            }
        }
        guard !content.dialogues.isEmpty else {
            let why = content.skipped.first.map { "; the first fault: line \($0.line), \($0.reason)" } ?? ""
            throw LogError(.emptyFile, file: url.path, reason: "holds no dialogue that can be used\(why)")
        }
        return content
    }
}

extension DialogueFile.Content {
    /// Counts a line that cannot be used and keeps the first few.
    mutating func skip(_ reason: SkipReason) {
        skippedCount += 1
        if skipped.count < 20 { skipped.append(reason) }
    }
}
