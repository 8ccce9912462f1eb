import Conversations
import Dialogue
import Evaluation
import Foundation
import Storage
import Synchronization
import Testing

@testable import Server

@Suite("Two models live") struct TrialTests {
    private let start = Date(timeIntervalSince1970: 10_000)

    private func assignment(_ share: Double = 0.5) throws -> ArmAssignment {
        try ArmAssignment(
            experiment: "t", arms: [.init(model: "old", share: 1 - share), .init(model: "new", share: share)])
    }

    @Test("a person is answered by the model of their arm, and by the serving one when the trial is over")
    func answering() async throws {
        let assignment = try assignment()
        let trial = TrialAnswerer(
            base: PlainAnswerer(generator: ScriptedGenerator(modelID: "old")),
            trial: PlainAnswerer(generator: ScriptedGenerator(modelID: "new")), assignment: assignment)
        func model(_ person: String) async throws -> String? {
            let conversation = Conversation(
                id: "c", userID: person, messages: [Message(id: "m", sender: .human, text: "Hello")])
            return try await trial.answer(conversation, sampling: Sampling()) { _ in }.message.generation?.model
        }
        var seen: Set<String> = []
        for index in 0..<20 {
            let answered = try await model("p\(index)")
            #expect(answered == assignment.model(for: "p\(index)"))
            seen.insert(answered ?? "")
        }
        #expect(seen == ["old", "new"] && trial.modelID == "old")
        trial.end()
        for index in 0..<20 { #expect(try await model("p\(index)") == "old") }
    }

    @Test("an unsafe model is stopped by what the store holds, a harmless one is not", arguments: [true, false])
    func watching(isUnsafe: Bool) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "trial-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try SQLiteStore(at: folder.appending(path: "store.sqlite"))
        let assignment = try assignment()
        let (start, later) = (start, start.addingTimeInterval(100_000))
        let watch = TrialWatch(store: store, assignment: assignment, start: start, level: 0.05, now: { later })
        #expect(try await watch.look() == nil)
        try await store.save(
            (0..<80).map { index in
                let isTried = assignment.model(for: "p\(index)") == "new"
                let reply = Message(
                    id: "r", sender: .bot, text: "Sorry.", sentAt: start.addingTimeInterval(Double(index + 1)),
                    interactionFailure: isUnsafe && isTried && index % 3 != 0 ? "unsafe_BlenderBot3" : nil)
                return Conversation(
                    id: "c\(index)", userID: "p\(index)", messages: [reply], startedAt: start.addingTimeInterval(1))
            })
        let comparison = try #require(try await watch.look())
        #expect(comparison.mustStop == isUnsafe)
        let stopped = Mutex(0)
        let task = Task {
            await watch.run(every: .milliseconds(1), onFailure: { _ in }) { _ in stopped.withLock { $0 += 1 } }
        }
        if !isUnsafe {
            try await Task.sleep(for: .milliseconds(50))
            task.cancel()
        }
        await task.value
        #expect(stopped.withLock { $0 } == (isUnsafe ? 1 : 0))
    }
}
