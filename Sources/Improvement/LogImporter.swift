import Conversations
import Foundation
import Storage

/// Reads one log into a store, in batches, in constant memory.
public struct LogImporter: Sendable {
    /// What a log came to.
    public struct Counts: Sendable {
        public var kept = 0
        public var messages = 0
        public var likes = 0
        public var dislikes = 0
        public var people: Set<String> = []
        /// Skipped records by reason.
        public var reasons: [String: Int] = [:]

        public var skipped: Int { reasons.values.reduce(0, +) }

        public init() {}

        /// Takes off what the store would not keep.
        mutating func note(_ summary: SaveSummary) {
            for (reason, count) in [
                ("refused by the store", summary.refused.count), ("person was deleted", summary.deletedPerson),
                ("conversation was deleted", summary.deletedConversation), ("no consent", summary.withoutConsent),
            ] where count > 0 {
                reasons[reason, default: 0] += count
                kept -= count
            }
        }

        /// Adds another log's counts.
        public mutating func add(_ other: Counts) {
            kept += other.kept
            messages += other.messages
            likes += other.likes
            dislikes += other.dislikes
            people.formUnion(other.people)
            reasons.merge(other.reasons, uniquingKeysWith: +)
        }
    }

    /// A record that was left out, as kept in `skipped.jsonl`.
    public struct Skipped: Sendable, Codable {
        public var file: String
        public var line: Int
        public var field: String?
        public var code: String
        public var reason: String

        /// File, line, field and reason in one line.
        public var text: String {
            [field.map { "\(file):\(line): \($0)" } ?? "\(file):\(line)", reason].joined(separator: ": ")
        }
    }

    public var format: LogFormat
    /// What the operator says the people allowed; `nil`: what the log says, or the format's own rule.
    public var consent: Consent?
    /// End at the first bad record instead of passing over it.
    public var isStrict: Bool
    public init(format: LogFormat, consent: Consent? = nil, isStrict: Bool = false) {
        self.format = format
        self.consent = consent
        self.isStrict = isStrict
    }

    /// Reads `log` into `store`; `onSkip` is called for each record that is left out, `onProgress` with the messages stored
    /// so far.
    ///
    /// In strict reading the whole log is checked before the first conversation is stored, so that a bad file changes
    /// nothing.
    /// - Throws: `LogError` for a log that cannot be used, `StorageError` for a store that cannot.
    public func importing(
        _ log: URL, into store: any ConversationStore, onSkip: (Skipped) -> Void = { _ in },
        onProgress: (Int) -> Void = { _ in }
    ) async throws -> Counts {
        let options = LogReadingOptions(isStrict: isStrict, consent: consent)
        if isStrict {
            let check = try format.reader(of: log, options: options)
            while try check.next() != nil {}
        }
        // Other processors parse, decode and make the rows while this one waits for the disk; a batch is a transaction.
        let batches = try format.mapped(log, options: options) { EncodedConversation($0) }
        var counts = Counts()
        while let batch = try await batches.next() {
            var kept: [EncodedConversation] = []
            kept.reserveCapacity(batch.count)
            for event in batch {
                switch event {
                case .skipped(let reason):
                    counts.reasons[Self.words(reason.code), default: 0] += 1
                    onSkip(
                        Skipped(
                            file: reason.file, line: reason.line, field: reason.field, code: reason.code.rawValue,
                            reason: reason.reason))
                case .value(let conversation):
                    // What a person did not agree to keep has no text in it any more; the store has to know, since it may hold
                    // the conversation from before they withdrew. It counts such a record, and `note` takes it off again.
                    counts.kept += 1
                    kept.append(conversation)
                    guard conversation.consent > .none else { continue }
                    counts.messages += conversation.messageCount
                    counts.people.insert(conversation.userID)
                    counts.likes += conversation.likes
                    counts.dislikes += conversation.dislikes
                }
            }
            counts.note(try await store.saveFromLog(kept))
            onProgress(counts.messages)
        }
        return counts
    }

    private static func words(_ code: LogError.Code) -> String {
        code.rawValue.replacingOccurrences(of: "_", with: " ")
    }
}
