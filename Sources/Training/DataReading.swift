import Conversations
import Foundation

extension TrainingData {
    /// Reads any file that Loam learns from: training lines as TRL and OpenAI write them, or a Loam log, of which the first
    /// line tells.
    ///
    /// Of a log, what may be learnt from is read; other conversations, and broken ones, are counted in `skipped`.
    /// - Throws: `LogError`.
    public init(
        contentsOf url: URL, feedback: FeedbackExamples = FeedbackExamples()
    ) throws {
        self.init()
        guard try LearnableLog.isLog(url) else {
            self = try TrainingFile(url).read()
            return
        }
        let log = try LearnableLog(url)
        while let event = try log.next() {
            switch event {
            case .skipped(let reason): skipped[reason.code.rawValue, default: 0] += 1
            case .withheld: skipped["no consent", default: 0] += 1
            case .conversation(let conversation):
                self += feedback.data(of: conversation, file: url.relativePath)
            }
        }
        guard !(examples.isEmpty && pairs.isEmpty) else {
            throw LogError(.emptyFile, file: url.relativePath, reason: "holds no feedback that may be learnt from")
        }
    }
}
