import Conversations
import Foundation
import Testing
import Training

@testable import Improvement

@Suite("What a training refuses, and what it says then")
struct RefusedTrainingTests {
    private func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-refused-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    @Test("a reward model of another shape does not go where it would be opened as an encoder's")
    func shapes() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("{}".utf8).write(to: folder.appending(path: "reward.json"))
        for shape in RewardTraining.Shape.allCases where shape != .encoder {
            let error = await #expect(throws: ImprovementError.self) {
                try await RewardTraining(shape, options: TrainingOptions(steps: 1), encoder: folder).run(
                    [], model: folder, to: folder, now: Date(timeIntervalSince1970: 0),
                    makeEncoder: { throw ImprovementError.noData("encoder", "is not needed") }, onProgress: { _ in })
            }
            #expect(error.map { $0.description.contains("reward.json") } == true, "\(shape)")
        }
    }

    @Test("of a log without a dialogue for the safety classifier it is said what is wrong with the log")
    func withheldLog() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let conversation = Conversation(
            id: "c", userID: "u", messages: [Message(id: "1", sender: .human, text: "hello")], consent: .improve)
        let file = folder.appending(path: "log.jsonl")
        try Data((conversation.jsonLine + "\n").utf8).write(to: file)
        let error = #expect(throws: LogError.self) { try SafetyTraining.texts(file, perFile: 10) }
        #expect(error.map { "\($0)".contains("no dialogue that may be learnt from") } == true)
        // Lines with labels are still read as such.
        let labelled = folder.appending(path: "lines.jsonl")
        try Data(#"{"prompt": "a", "completion": " b", "label": false}"#.utf8).write(to: labelled)
        let found = try SafetyTraining.texts(labelled, perFile: 10).learned
        #expect(found.map(\.text) == [" b"] && found.allSatisfy(\.isUnsafe))
    }

    @Test("a correction that says what the bot had said is none")
    func corrections() {
        func item(_ correction: String?) -> Corpus.Item {
            Corpus.Item(
                id: "c/1", userID: "u", context: [Turn(.human, "hi")], reply: "good day",
                feedback: Feedback(userID: "u", rating: .dislike, correction: correction), part: .learn)
        }
        #expect(LabelStage.correction(of: item("good evening")) == "good evening")
        for nothing in [nil, " ", "good day"] { #expect(LabelStage.correction(of: item(nothing)) == nil) }
    }
}
