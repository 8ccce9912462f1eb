import Conversations
import Foundation
import LanguageModels
import ModelFormats
import Statistics
import Testing
import Tokenizers
import Torch

@testable import Training

@Suite("The tuned safety classifier")
struct TunedSafetyTests {
    /// What is unsafe on one side is safe on the other: the side must be read.
    private static func texts() -> [TunedSafetyTraining.Text] {
        var generator = SeededGenerator(seed: 3)
        return (0..<160).map { index in
            let side: Sender = index % 2 == 0 ? .human : .bot
            let isLoud = generator.chance(0.5)
            return TunedSafetyTraining.Text(
                context: [Turn(side == .bot ? .human : .bot, "tell me")], text: isLoud ? "stop it" : "lovely",
                side: side,
                isUnsafe: isLoud == (side == .human))
        }
    }

    private static func training() -> TunedSafetyTraining {
        var training = TunedSafetyTraining()
        training.tuning.epochs = 8
        training.tuning.frozenLayers = 1
        training.tuning.learningRate = 3e-3
        training.tuning.headLearningRate = 1e-2
        training.tuning.compute = .float32
        return training
    }

    @Test(
        "a safety classifier learns both sides, keeps its upper layers only, and loads on its encoder"
    )
    func safety() async throws {
        let encoder = try LetterEncoder.folder()
        let folder = TrainerTests.folder()
        defer { for place in [encoder, folder] { try? FileManager.default.removeItem(at: place) } }
        let texts = Self.texts()
        let training = Self.training()
        let ordinary = texts.filter { !$0.isUnsafe }.suffix(20)
        let model = try await training.train(
            texts, ordinary: Array(ordinary), encoder: encoder, trainedOn: ["made up"])
        func scores(_ model: TunedSafetyModel, _ side: Sender) async throws -> [Double] {
            try await model.classifier(of: side).probabilities(
                of: ["stop it", "lovely"].map { (context: [Turn(.human, "tell me")], text: $0) })
        }
        let (person, reply) = (try await scores(model, .human), try await scores(model, .bot))
        #expect(person[0] > 0.7 && person[1] < 0.3 && reply[0] < 0.3 && reply[1] > 0.7, "\(person), \(reply)")
        #expect(model.card.person.threshold >= 0.5 && model.card.trainedOn == ["made up"])
        try await model.write(to: folder, frozenLayers: 1)
        let file = try SafeTensorsFile(folder.appending(path: "safety.safetensors"))
        #expect(file.names.allSatisfy { $0.hasPrefix("encoder.layer.1.") || $0.hasPrefix("head.") })
        let loaded = try TunedSafetyModel(folder: folder, encoder: encoder)
        #expect(loaded.card == model.card)
        // The layers are kept in bfloat16.
        for (side, before) in [(Sender.human, person), (.bot, reply)] {
            let again = try await scores(loaded, side)
            #expect(zip(before, again).allSatisfy { abs($0 - $1) < 0.05 })
        }
        let nowhere = folder.appending(path: "nowhere")
        let fault = #expect(throws: TrainingError.self) { try TunedSafetyModel(folder: nowhere, encoder: encoder) }
        #expect(fault?.message.hasPrefix(nowhere.appending(path: "safety.json").path + " is missing") == true)
        await #expect(throws: TrainingError.self) {
            try await training.train(
                texts.filter { $0.side == .bot }, ordinary: [], encoder: encoder, trainedOn: [])
        }
    }

    @Test("the mean of several trainings tells texts apart, and one that was cut off goes on to the same")
    func members() async throws {
        let encoder = try LetterEncoder.folder()
        let (folder, other) = (TrainerTests.folder(), TrainerTests.folder())
        defer { for place in [encoder, folder, other] { try? FileManager.default.removeItem(at: place) } }
        let texts = Self.texts()
        var training = Self.training()
        training.members = 3
        func mean(_ texts: [TunedSafetyTraining.Text], _ folder: URL?, stopAfter most: Int = .max) async throws -> (
            model: TunedSafetyModel, steps: Int
        ) {
            var steps = 0
            let model = try await training.train(
                texts, ordinary: [], encoder: encoder, trainedOn: ["made up"], keepingMembersIn: folder
            ) { _, _ in
                steps += 1
                if steps > most { throw CancellationError() }
            }
            return (model, steps)
        }
        func scores(_ model: TunedSafetyModel) async throws -> [Double] {
            try await model.probabilities(
                of: ["stop it", "lovely"].map { (context: [Turn(.human, "tell me")], text: $0) }, saidBy: .human)
        }
        let (whole, steps) = try await mean(texts, folder)
        let told = try await scores(whole)
        #expect(told[0] > 0.7 && told[1] < 0.3, "\(told)")
        // Its weights are the mean of those kept, which differ.
        func weights(_ place: URL) throws -> [Float] {
            try TensorFile.read(place.appending(path: "safety.safetensors"), device: .cpu)["head.weight"]?.floats()
                ?? []
        }
        let kept = try (1...3).map { try weights(folder.appending(path: "member-\($0)")) }
        try await whole.write(to: other.appending(path: "whole"), frozenLayers: 1)
        let mean3 = try weights(other.appending(path: "whole"))
        #expect(kept[0] != kept[1] && kept[1] != kept[2] && !mean3.isEmpty)
        for (place, value) in mean3.enumerated() {
            #expect(abs(value - (kept[0][place] + kept[1][place] + kept[2][place]) / 3) < 1e-5)
        }
        // Cut off in the second training: the first is kept, and the rest is done.
        await #expect(throws: CancellationError.self) { try await mean(texts, other, stopAfter: steps / 3 + 2) }
        let (resumed, rest) = try await mean(texts, other)
        #expect(rest == steps - steps / 3)
        #expect(try await scores(resumed) == told)
        // Members of other texts are not taken for these.
        let fault = await #expect(throws: TrainingError.self) { try await mean(texts + texts.prefix(3), folder) }
        #expect(fault?.message.contains("learned from other texts") == true)
        // Nor are those of other labels on the same ones.
        var relabelled = texts
        relabelled[3].isUnsafe.toggle()
        let wishes = relabelled
        let second = await #expect(throws: TrainingError.self) { try await mean(wishes, folder) }
        #expect(second?.message.contains("other labels") == true)
    }
}
