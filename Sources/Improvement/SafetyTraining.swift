import Conversations
import Foundation
import Safety
import Training

/// Learns the head that tells unsafe replies, on a frozen sentence encoder: `loam train safety`.
public struct SafetyTraining {
    public init() {}

    /// - Parameter files: DiaSafety's JSON arrays (`.json`), or training lines whose label says whether the reply is safe.
    /// - Returns: What came of it, in a sentence; the head is `reply-head.json` in the folder.
    public func run(_ files: [URL], encoder: any TextEncoder, to folder: URL) async throws -> String {
        var examples: [SafetyExample] = []
        for file in files {
            if file.pathExtension == "json" {
                examples += try SafetyDataset.diaSafety(file)
            } else {
                examples += try TrainingFile(file).read().labelled.map { one in
                    SafetyExample(
                        turn: one.item.context.last { $0.sender == .human }?.text ?? one.item.plainPrompt,
                        text: one.item.reply, isUnsafe: one.item.label == .bad)
                }
            }
        }
        let training = SafetyHeadTraining(kind: .reply, encoder: encoder)
        let head = try await training.train(examples, trainedOn: files.map(\.lastPathComponent))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try head.write(to: folder.appending(path: "reply-head.json"))
        let figures = try await training.evaluate(head, examples)
        return "\(figures.examples) replies, \(figures.unsafeExamples) unsafe; AUC on themselves "
            + String(format: "%.3f", figures.auc)
    }
}
