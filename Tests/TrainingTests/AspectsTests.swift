import Conversations
import Foundation
import LanguageModels
import Testing
import Torch

@testable import Training

@Suite("What texts were judged for")
struct AspectsTests {
    private static func example(_ aspect: String?, _ number: Int) -> RewardExample {
        RewardExample(
            context: [Turn(.human, "tell me")], reply: number % 2 == 0 ? "stop it" : "lovely", isGood: number % 2 == 1,
            userID: "\(number)", judgedFor: aspect)
    }

    @Test("the loss by hand: texts without an aspect count nothing but in the batch's number")
    func loss() throws {
        let examples = ["b", nil, "a", "b"].enumerated().map { Self.example($0.element, $0.offset) }
        let aspects = try #require(try Aspects(of: examples, features: 2, device: .cpu))
        let features = try Tensor([Float]([1, 0, 5, 5, 0, 1]), shape: [3, 2])
        // A head of zeros gives two aspects a half each: two of three texts cost ln 2.
        let first = try #require(try aspects.loss(features, of: [0, 1, 2]))
        #expect(abs(try first.item() - 2 * log(2) / 3) < 1e-6)
        // Places are alphabetical: a 0, b 1. Logits of the first text (0, 2), of the third (0, −1).
        try aspects.head.weight?.value.copy(from: Tensor([Float]([0, 0, 2, -1]), shape: [2, 2]))
        let second = try #require(try aspects.loss(features, of: [0, 1, 2]))
        #expect(abs(try second.item() - (log1p(exp(-2)) + log1p(exp(-1))) / 3) < 1e-6)
        #expect(try aspects.loss(features, of: [1, 1, 1]) == nil)
    }

    @Test("fewer than two aspects are no task")
    func few() throws {
        #expect(try Aspects(of: [Self.example("a", 0), Self.example(nil, 1)], features: 2, device: .cpu) == nil)
    }

    @Test("telling them moves the encoder, and the model that comes out has no head for it")
    func training() throws {
        let encoder = try LetterEncoder.folder()
        defer { try? FileManager.default.removeItem(at: encoder) }
        var training = EncoderRewardTraining()
        training.epochs = 1
        training.usesPrior = false
        training.compute = .float32
        func trained(_ aspect: (Int) -> String?) throws -> EncoderRewardModel {
            try training.train((0..<40).map { Self.example(aspect($0), $0) }, encoder: encoder).model
        }
        func states(_ model: EncoderRewardModel) throws -> [Float] {
            try model.encoder.namedParameters.flatMap { try $0.parameter.value.floats() }
        }
        let plain = try trained { _ in nil }
        let told = try trained { $0 % 3 == 0 ? "a" : "b" }
        #expect(try states(plain) != states(told))
        #expect(
            told.head.named("head").map { $0.parameter.value.shape }
                == plain.head.named("head").map { $0.parameter.value.shape })
        training.judgedForWeight = 0
        #expect(try states(plain) == states(try trained { $0 % 3 == 0 ? "a" : "b" }))
    }
}
