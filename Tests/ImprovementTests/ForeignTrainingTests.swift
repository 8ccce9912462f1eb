import Conversations
import Foundation
import Generation
import LanguageModels
import Testing
import Tokenizers
import Torch
import Training

@testable import Improvement

/// `loam train` on a folder with somebody else's tokenizer and chat template, and the round trip through writing a reply.
@Suite("Votes tune other people's models")
struct ForeignTrainingTests {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    private static let day = Date(timeIntervalSince1970: 1_795_649_000)

    private func makeBase(_ folder: URL, seed: UInt64 = 3) throws {
        let fixtures = Self.tests.appending(path: "TokenizersTests/Fixtures")
        let files = FileManager.default
        try files.createDirectory(at: folder, withIntermediateDirectories: true)
        try files.copyItem(
            at: fixtures.appending(path: "kinds/qwen2.json"), to: folder.appending(path: "tokenizer.json"))
        try files.copyItem(
            at: fixtures.appending(path: "chat_templates/qwen25.jinja"),
            to: folder.appending(path: "chat_template.jinja"))
        try Data(#"{"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}"#.utf8)
            .write(to: folder.appending(path: "tokenizer_config.json"))
        let shape = LlamaConfiguration(
            vocabularySize: 448, hiddenSize: 32, intermediateSize: 48, layerCount: 2, headCount: 4,
            keyValueHeadCount: 2, contextLength: 8192, padID: 424, endIDs: [426])
        try LlamaModel(shape, generator: Generator(seed: seed)).save(to: folder, metadata: [:])
    }

    /// Eight people who like one reply and dislike another.
    private func log(in folder: URL) throws -> URL {
        var log = ""
        for index in 0..<8 {
            var conversation = Conversation(id: "c\(index)", userID: "u\(index)", consent: .improve)
            conversation.messages = [
                Message(id: "m0", sender: .human, text: "hello there"),
                Message(id: "m1", sender: .bot, text: index % 2 == 0 ? "good day" : "go away"),
            ]
            conversation.messages[1].feedback = [
                Feedback(userID: "u\(index)", rating: index % 2 == 0 ? .like : .dislike)
            ]
            log += conversation.jsonLine + "\n"
        }
        let file = folder.appending(path: "log.jsonl")
        try Data(log.utf8).write(to: file)
        return file
    }

    @Test("votes move the weights, the tokenizer and its template stay byte for byte, and the folder replies")
    func roundTrip() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-tuned-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let (base, tuned) = (folder.appending(path: "base"), folder.appending(path: "tuned"))
        try makeBase(base)
        let file = try log(in: folder)
        var settings = MethodSettings()
        settings.perStep = 2
        let outcome = try MethodTraining(
            .maskedCringe, settings: settings,
            options: TrainingOptions(steps: 60, learningRate: 1e-2, warmUp: 2, seed: 1)
        ).run([file], model: base, to: tuned, now: Self.day, onStep: { _ in })
        #expect(outcome.summary.steps == 60)
        for name in ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"] {
            #expect(
                try Data(contentsOf: tuned.appending(path: name)) == Data(contentsOf: base.appending(path: name)),
                "\(name)")
        }
        // A context of 8,192 does not make rows of that length.
        #expect(try ModelBench(tuned, today: Self.day).rowLength == 1024)
        let pairs = [(context: [Turn(.human, "hello there")], reply: "good day")]
        let before = try #require(try ModelBench(base, today: Self.day).scores(pairs)[0])
        let after = try #require(try ModelBench(tuned, today: Self.day).scores(pairs)[0])
        #expect(after.meanLogProbability > before.meanLogProbability + 2)
        let reply = try await ReplyGenerator(folder: tuned, dtype: .float32).reply(
            to: [Turn(.human, "hello there")], sampling: Sampling(temperature: 0, topP: 1, maximumTokens: 12))
        #expect(reply.text == "good day" && reply.finishReason == "stop")
    }

    @Test("DIRECTOR goes on with the head that a model has")
    func ownHead() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-head-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let base = folder.appending(path: "base")
        try makeBase(base)
        let file = try log(in: folder)
        func train(_ model: URL, to name: String, rate: Double, guidance: Double = 1) throws -> DirectorHead {
            var settings = MethodSettings()
            settings.perStep = 2
            settings.guidance = guidance
            let place = folder.appending(path: name)
            _ = try MethodTraining(
                .director, settings: settings,
                options: TrainingOptions(steps: 4, learningRate: rate, warmUp: 1, seed: 1),
                run: TrainingRun(measuresPeak: false)
            ).run([file], model: model, to: place, now: Self.day, onStep: { _ in })
            return try DirectorHead(
                folder: place, for: ModelBench(place, today: Self.day).decoder.configuration)
        }
        func values(_ head: DirectorHead) throws -> [Float] {
            try head.namedParameters.flatMap { try $0.parameter.value.floats() }
        }
        let first = try train(base, to: "first", rate: 1e-2, guidance: 2.5)
        // So small a rate moves nothing: what is there is what it began with.
        let second = try train(folder.appending(path: "first"), to: "second", rate: 1e-9)
        let worst = zip(try values(first), try values(second)).map { abs($0 - $1) }.max() ?? 1
        #expect(worst < 1e-5 && second.guidance == 2.5)
        let third = try train(folder.appending(path: "first"), to: "third", rate: 1e-9, guidance: 4)
        #expect(third.guidance == 4)
    }

    @Test("a run that is cut and goes on the next day still tells the template the day on which it began")
    func nextDay() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-day-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let base = folder.appending(path: "base")
        try makeBase(base)
        let template = base.appending(path: "chat_template.jinja")
        let text = try String(contentsOf: template, encoding: .utf8)
        try Data(("{{- strftime_now('%d %b %Y') }}" + text).utf8).write(to: template)
        let file = try log(in: folder)
        struct Cut: Error {}
        func train(to name: String, on day: Date, cutAt: Int? = nil) throws -> Data {
            var settings = MethodSettings()
            settings.perStep = 2
            var options = TrainingOptions(steps: 6, learningRate: 1e-2, warmUp: 2, seed: 1)
            options.checkpointEvery = 2
            let place = folder.appending(path: name)
            _ = try MethodTraining(
                .maskedCringe, settings: settings, options: options,
                run: TrainingRun(sampleEvery: 2, sampleCount: 1, measuresPeak: false)
            ).run(
                [file], model: base, to: place, now: day, onStep: { if $0.step == cutAt { throw Cut() } })
            return try Data(contentsOf: place.appending(path: "model.safetensors"))
        }
        let tomorrow = Self.day.addingTimeInterval(86_400)
        let uncut = try train(to: "uncut", on: Self.day)
        #expect(throws: Cut.self) { try train(to: "cut", on: Self.day, cutAt: 5) }
        #expect(try train(to: "cut", on: tomorrow) == uncut)
        // So do the samples on the way.
        func samples(_ name: String) throws -> [SampleLog.Line] {
            try RunFolder.readLines(
                SampleLog.Line.self, from: folder.appending(path: "\(name)/training/samples.jsonl"))
        }
        #expect(try samples("cut").map(\.step) == [2, 4, 6])
        #expect(try samples("cut").map(\.reply) == samples("uncut").map(\.reply))
        // The day matters: a run that begins tomorrow learns other tokens.
        #expect(try train(to: "later", on: tomorrow) != uncut)
        #expect(try RunDay.of(folder.appending(path: "cut/training"), now: tomorrow) == Self.day)
    }

    @Test("a run does not go on from a checkpoint of another base, nor with another scale of its adapter")
    func otherBase() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-base-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let (base, other) = (folder.appending(path: "base"), folder.appending(path: "other"))
        try makeBase(base)
        try makeBase(other, seed: 4)
        let file = try log(in: folder)
        func train(_ model: URL, alpha: Double) throws {
            var settings = MethodSettings()
            settings.perStep = 2
            _ = try MethodTraining(
                .sft, settings: settings, options: TrainingOptions(steps: 2, learningRate: 1e-3, warmUp: 1, seed: 1),
                run: TrainingRun(lora: LoRAConfiguration(rank: 2, alpha: alpha), measuresPeak: false)
            ).run([file], model: model, to: folder.appending(path: "tuned"), now: Self.day, onStep: { _ in })
        }
        try train(base, alpha: 4)
        // Nothing is left to do.
        try train(base, alpha: 4)
        for (model, alpha) in [(other, 4.0), (base, 8.0)] {
            do {
                try train(model, alpha: alpha)
                Issue.record("no error")
            } catch {
                #expect("\(error)".contains("tuned/training/checkpoints/step-000002 was begun from another model"))
            }
        }
    }

    @Test("a folder's day is written once, and an unreadable one is named")
    func runDay() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-day-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(try RunDay.of(folder, now: Self.day) == Self.day)
        #expect(try RunDay.of(folder, now: .distantFuture) == Self.day)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [RunDay.name])
        try Data("yesterday\n".utf8).write(to: folder.appending(path: RunDay.name))
        #expect(throws: ImprovementError.self) { try RunDay.of(folder, now: Self.day) }
    }
}
