import Conversations
import Foundation

extension TrainingData {
    /// Reads any file that Loam learns from: training lines as TRL and OpenAI write them, or a Loam log, of which the first
    /// line tells.
    ///
    /// Of a log, conversations with consent `improve` or `release` are read; broken ones are counted in `skipped`.
    /// - Throws: `LogError`.
    public init(
        contentsOf url: URL, feedback: FeedbackExamples = FeedbackExamples()
    ) throws {
        self.init()
        guard try Self.isLog(url) else {
            self = try TrainingFile(url).read()
            return
        }
        let reader = try LogFormat.loam.reader(of: url)
        while let event = try reader.next() {
            switch event {
            case .skipped(let reason): skipped[reason.code.rawValue, default: 0] += 1
            case .conversation(let conversation):
                guard conversation.consent >= .improve else {
                    skipped["no consent", default: 0] += 1
                    continue
                }
                self += feedback.data(of: conversation, file: url.relativePath)
            }
        }
        guard !(examples.isEmpty && pairs.isEmpty) else {
            throw LogError(.emptyFile, file: url.relativePath, reason: "holds no feedback that may be learnt from")
        }
    }

    /// Whether the first line is a conversation.
    public static func isLog(_ url: URL) throws -> Bool {
        var reader = try LineReader(url)
        guard case .bytes(let bytes)? = try reader.next()?.content, let value = try? JSONValue(parsing: bytes),
            case .object(let fields) = value
        else { return false }
        return fields["message_history"] != nil
    }
}
