import Conversations
import Dialogue
import Foundation
import Generation
import Testing
import Training

@testable import Improvement

/// The second of two processes, whose first one adds nothing.
private final class SecondProcess: ProcessGroup {
    var rank: Int { 1 }
    var size: Int { 2 }
    func sum(_ values: [Double]) -> [Double] { values }
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer) {}
    func beginSum(_ values: UnsafeMutableBufferPointer<Float>) {}
    func wait() {}
}

@Suite("Modules are learned from dialogues")
struct ModuleTrainingTests {
    private static let sample = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Models/loam-sample")

    /// Talks in which a memory is taken up, a fact stated, a fact of the world asked for, and a topic named.
    private func dialogues(_ count: Int) -> String {
        let things = ["violin", "cello", "drum", "flute", "piano", "trumpet", "banjo", "harp"]
        let towns = ["Bergen", "Oslo", "Lund", "Turku", "Umea", "Kiel", "Ghent", "Delft"]
        return (0..<count).map { index in
            let (thing, town) = (things[index % 8], towns[index / 8 % 8])
            return """
                {"persona": [["I live in \(town)."], ["I play the \(thing).", "I like tea."]], "turns": \
                ["Hello from talk \(index). I live in \(town).", "Ah, \(town) is nice.", "What do you do, number \(index)?", "I play the \(thing).", \
                "Who built the first \(thing) of \(town)?", "Nobody knows."]}
                """
        }.joined(separator: "\n")
    }

    @Test("every module with tasks is asked before and after, learns, and the folder says which ones it knows")
    func learning() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-modules-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: "talks.jsonl")
        try Data(dialogues(160).utf8).write(to: file)
        let tuned = folder.appending(path: "tuned")
        let outcome = try await ModuleTraining(
            settings: {
                var settings = MethodSettings()
                settings.perStep = 16
                return settings
            }(), options: TrainingOptions(steps: 40, learningRate: 2e-3, warmUp: 2, seed: 1),
            run: TrainingRun(measuresPeak: false)
        ).run([file], model: Self.sample, to: tuned, now: Date(timeIntervalSince1970: 0), onStep: { _ in })
        let taught = outcome.taught
        let names = Set(taught.after.map(\.module))
        #expect(names.isSuperset(of: ["sdm", "mdm", "sgm", "mgm", "mkm", "vrm", "mrm"]), "\(names)")
        #expect(Set(taught.before.map(\.module)) == names)
        for (before, after) in zip(taught.before, taught.after) {
            #expect(after.perplexity < before.perplexity, "\(after.module): \(before.perplexity), \(after.perplexity)")
        }
        let decisions = taught.after.filter { ["sdm", "mdm"].contains($0.module) }.compactMap(\.agreement)
        #expect(decisions.count == 2 && decisions.allSatisfy { $0 > 0.7 }, "\(taught.table)")
        #expect(try TaughtModules.read(from: tuned) == taught && taught.knows(.memoryWriting))
        #expect(try TaughtModules.read(from: Self.sample) == nil)
    }

    @Test("of several processes only the first opens what it wrote and has the figures")
    func otherProcess() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-modules-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: "talks.jsonl")
        try Data(dialogues(160).utf8).write(to: file)
        let tuned = folder.appending(path: "tuned")
        let outcome = try await ModuleTraining(
            options: TrainingOptions(steps: 1, learningRate: 1e-3, warmUp: 1, seed: 1),
            run: TrainingRun(group: SecondProcess(), measuresPeak: false)
        ).run([file], model: Self.sample, to: tuned, now: Date(timeIntervalSince1970: 0), onStep: { _ in })
        #expect(outcome.training.summary.steps == 1 && outcome.taught.after.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: tuned.appending(path: "config.json").path))
    }

    @Test("of a text beyond the context the beginning goes, as in training, and what is asked at its end is answered")
    func longText() async throws {
        let generator = try ReplyGenerator(folder: Self.sample)
        let writer = LocalWriter(generator: generator)
        let sampling = Sampling(temperature: 0, topP: 1, maximumTokens: 8)
        let room = generator.promptRoom(for: sampling)
        let asked = "Person 1: I play the violin. Person 2: How nice. Person 1:"
        func output(_ words: Int) async throws -> Reply {
            let text = String(repeating: "something said long before. ", count: words) + asked
            return try await writer.output(
                for: ModuleCall(module: .memoryWriting, prompt: .text(text), sampling: sampling), onPiece: nil
            ).reply
        }
        let short = try await output(1)
        #expect(try #require(short.promptTokenCount) < room)
        let (long, longer) = (try await output(300), try await output(900))
        #expect(long.promptTokenCount == room)
        #expect(long.text == longer.text && !long.text.isEmpty)
    }

    @Test("decisions are balanced, replies do not outweigh the modules, one module's cap holds")
    func balance() throws {
        func task(_ module: DialogueModule, _ answer: ModuleAnswer) -> Sourced<ModuleTask> {
            Sourced(ModuleTask(ModuleInput(module, turns: [Turn(.human, "hi")]), answer), file: "x")
        }
        let tasks =
            [Sourced<ModuleTask>](repeating: task(.searchDecision, .decision(false)), count: 50)
            + [Sourced<ModuleTask>](repeating: task(.searchDecision, .decision(true)), count: 7)
            + [Sourced<ModuleTask>](repeating: task(.memoryDecision, .decision(false)), count: 30)
            + [Sourced<ModuleTask>](repeating: task(.searchQuery, .text("a")), count: 40)
            + [Sourced<ModuleTask>](repeating: task(.plainReply, .text("b")), count: 500)
        let kept = TeachingData.balanced(tasks, perModule: 20, seed: 1).map(\.item)
        func count(_ module: DialogueModule, _ answer: ModuleAnswer) -> Int {
            kept.count { $0.module == module && $0.answer == answer }
        }
        #expect(count(.searchDecision, .decision(true)) == 7 && count(.searchDecision, .decision(false)) == 7)
        // All the same: nothing to decide.
        #expect(count(.memoryDecision, .decision(false)) == 0)
        #expect(count(.searchQuery, .text("a")) == 20)
        #expect(count(.plainReply, .text("b")) == 34)
    }

    @Test("files without any task are an error that names them")
    func nothing() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-modules-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: "empty.jsonl")
        try Data(#"{"turns": ["a", "b"]}"#.utf8).write(to: file)
        let error = await #expect(throws: TrainingError.self) {
            try await ModuleTraining(options: TrainingOptions(steps: 1, learningRate: 1e-3)).run(
                [file], model: Self.sample, to: folder.appending(path: "out"), now: Date(timeIntervalSince1970: 0),
                onStep: { _ in })
        }
        #expect(error.map { "\($0)".contains("empty.jsonl") } == true)
    }
}
