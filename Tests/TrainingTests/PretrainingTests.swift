import Conversations
import Foundation
import LanguageModels
import ModelFormats
import Statistics
import Testing
import Tokenizers
import Torch

@testable import Training

@Suite("Pre-training", .serialized)
struct PretrainingTests {
    /// Made-up dialogues with a plain rule: a question about a colour gets that colour.
    private static func dialogues(_ count: Int) -> [[Turn]] {
        var generator = SeededGenerator(seed: 3)
        let colours = ["red", "blue", "green", "yellow"]
        let things = ["door", "boat", "kite", "cup"]
        return (0..<count).map { _ in
            let (colour, thing) = (colours[generator.index(below: 4)], things[generator.index(below: 4)])
            return [
                Turn(.human, "My \(thing) is \(colour). What colour is my \(thing)?"), Turn(.bot, "It is \(colour)."),
                Turn(.human, "Thank you!"), Turn(.bot, "You are welcome."),
            ]
        }
    }

    private func task(_ steps: Int, _ optimizer: TrainingOptions.OptimizerKind = .adamW) -> PretrainingTask {
        PretrainingTask(
            preset: .tiny, vocabularySize: 320, rowsPerStep: 4,
            training: TrainingOptions(
                steps: steps, learningRate: 3e-3, warmUp: 2, optimizer: optimizer, compute: .float32), heldOutEvery: 10,
            seed: 5)
    }

    @Test(
        "from dialogues to a folder that loads, resumed after a stop to the same weights, with a falling loss",
        arguments: TrainingOptions.OptimizerKind.allCases)
    func run(_ optimizer: TrainingOptions.OptimizerKind) throws {
        let (one, two) = (TrainerTests.folder(), TrainerTests.folder())
        defer { for folder in [one, two] { try? FileManager.default.removeItem(at: folder) } }
        let dialogues = Self.dialogues(60)
        var losses: [Double] = []
        let outcome = try task(8, optimizer).run(
            dialogues, to: one, sources: ["made up"], onStep: { losses.append($0.loss) })
        #expect(outcome.dialogues == 54)
        #expect(outcome.fill > 0.8)
        #expect(try #require(losses.last) < 0.8 * #require(losses.first))
        #expect(try #require(outcome.heldOutPerplexity) < Double(320) / 4)

        var steps = 0
        #expect(throws: CancellationError.self) {
            try task(8, optimizer).run(dialogues, to: two, onStep: { _ in steps += 1 }, shouldStop: { steps == 3 })
        }
        #expect(!FileManager.default.fileExists(atPath: two.appending(path: "model.safetensors").path))
        #expect(try task(8, optimizer).run(dialogues, to: two).training.resumedFrom == 3)

        let models = try [one, two].map { try LlamaModel(folder: $0) }
        #expect(try TrainerTests.weights(models[0]) == TrainerTests.weights(models[1]))
        #expect(models[0].parameterCount == outcome.parameterCount)
        let format = try ChatFormat(folder: one)
        #expect(format.tokenizer.vocabularySize == models[0].configuration.vocabularySize)
        #expect(models[0].configuration.endIDs == [format.end])
        #expect(models[0].configuration.padID == format.pad)
        // What was saved is what was trained: the held-out perplexity comes out again.
        let held = dialogues.enumerated().filter { $0.offset % 10 == 9 }.map(\.element)
        let examples = try DialogueTokenizer(format: format, contextLength: 256).tokenize(held).examples
        let again = exp(try ReplyScorer(model: models[0], compute: .float32).crossEntropy(examples))
        #expect(abs(again - (outcome.heldOutPerplexity ?? 0)) < 1e-3)
        // Bits per byte, counted once more by the texts: every turn costs its own bytes and one for its end.
        let bytes = held.joined().reduce(0) { $0 + $1.text.utf8.count + 1 }
        let bits = log2(again) * Double(examples.reduce(0) { $0 + $1.supervisedCount })
        #expect(abs(bits / Double(bytes) - (outcome.heldOutBitsPerByte ?? 0)) < 1e-3)
        #expect(try String(contentsOf: one.appending(path: "README.md"), encoding: .utf8).contains("made up"))
    }

    @Test("a context of another length than the preset's is the rows', the documents' and the model's")
    func context() throws {
        let folder = TrainerTests.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var short = task(1)
        short.contextLength = 48
        // Ten turns each are more than 48 tokens, and none of them alone is.
        let dialogues = stride(from: 0, to: 60, by: 5).map { Array(Self.dialogues(60)[$0..<$0 + 5].joined()) }
        var lengths: [Int] = []
        let outcome = try short.run(dialogues, to: folder, onStep: { lengths.append($0.tokens) })
        #expect(outcome.documents > 2 * outcome.dialogues)
        #expect(lengths.allSatisfy { $0 <= 4 * 48 })
        #expect(try LlamaModel(folder: folder).configuration.contextLength == 48)
        short.contextLength = 100_000
        #expect(throws: TrainingError.self) { try short.run(dialogues, to: folder) }
    }

    @Test("the presets have the sizes that they say")
    func presets() throws {
        let expected: [ModelPreset: ClosedRange<Double>] = [
            .tiny: 2.0e6...3.5e6, .mini: 5.5e6...6.5e6, .small: 9e6...11e6, .medium: 29e6...30e6,
        ]
        for preset in ModelPreset.allCases {
            let width = Double(preset.width)
            let layer = 4 * width * width + 3 * width * Double(preset.innerWidth) + 2 * width
            let count = Double(preset.vocabularySize) * width + Double(preset.layers) * layer + width
            #expect(try #require(expected[preset]).contains(count), "\(preset): \(count)")
        }
    }

    @Test("no data is one clear error")
    func nothing() {
        #expect(throws: TrainingError(.data, "there are no dialogues to pre-train on")) {
            try task(2).run([], to: TrainerTests.folder())
        }
        #expect(throws: TrainingError.self) {
            try task(2).run([[Turn(.human, " "), Turn(.bot, "")]], to: TrainerTests.folder())
        }
    }
}
