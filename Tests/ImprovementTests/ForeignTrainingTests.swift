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

    private func makeBase(_ folder: URL) throws {
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
        try LlamaModel(shape, generator: Generator(seed: 3)).save(to: folder, metadata: [:])
    }

    @Test("votes move the weights, the tokenizer and its template stay byte for byte, and the folder replies")
    func roundTrip() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-tuned-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let (base, tuned) = (folder.appending(path: "base"), folder.appending(path: "tuned"))
        try makeBase(base)
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
        var settings = MethodSettings()
        settings.perStep = 2
        let outcome = try MethodTraining(
            .maskedCringe, settings: settings,
            options: TrainingOptions(steps: 60, learningRate: 1e-2, warmUp: 2, seed: 1)
        ).run([file], model: base, to: tuned, onStep: { _ in })
        #expect(outcome.summary.steps == 60)
        for name in ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"] {
            #expect(
                try Data(contentsOf: tuned.appending(path: name)) == Data(contentsOf: base.appending(path: name)),
                "\(name)")
        }
        // A context of 8,192 does not make rows of that length.
        #expect(try ModelBench(tuned).rowLength == 1024)
        let pairs = [(context: [Turn(.human, "hello there")], reply: "good day")]
        let before = try #require(try ModelBench(base).scores(pairs)[0])
        let after = try #require(try ModelBench(tuned).scores(pairs)[0])
        #expect(after.meanLogProbability > before.meanLogProbability + 2)
        let reply = try await ReplyGenerator(folder: tuned, dtype: .float32).reply(
            to: [Turn(.human, "hello there")], sampling: Sampling(temperature: 0, topP: 1, maximumTokens: 12))
        #expect(reply.text == "good day" && reply.finishReason == "stop")
    }
}
