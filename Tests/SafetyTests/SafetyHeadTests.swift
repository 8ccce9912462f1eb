import Conversations
import Foundation
import Safety
import Testing

@Suite struct SafetyHeadTests {
    @Test func featuresAreTextTurnProductAndDifference() {
        #expect(SafetyHead.features(.reply, text: [1, 2], turn: [3, -1]) == [1, 2, 3, -1, 3, -2, 2, 3])
        #expect(SafetyHead.features(.reply, text: [1, -2], turn: nil) == [1, -2, 0, 0, 0, 0, 0, 0])
        #expect(SafetyHead.features(.person, text: [1, 2], turn: [3, -1]) == [1, 2])
    }

    @Test func probabilityIsTheLogisticOfTheMargin() throws {
        let head = try SafetyHead(
            kind: .person, dimension: 2, weights: [2, -1], bias: 0.5, threshold: 0.5, trainedOn: [])
        // 2·1 − 1·0.5 + 0.5 = 2; 1 / (1 + e⁻²) = 0.880797…
        let probability = try head.probability(text: [1, 0.5], turn: nil)
        #expect(abs(probability - 0.880_797_077_977_882_4) < 1e-9)
        #expect(throws: SafetyError.self) { try head.probability(text: [1], turn: nil) }
        #expect(throws: SafetyError.self) {
            try SafetyHead(kind: .reply, dimension: 2, weights: [1], bias: 0, threshold: 0.5, trainedOn: [])
        }
    }

    @Test func survivesItsFile() throws {
        let head = try SafetyHead(
            kind: .reply, dimension: 1, weights: [1.5, -.pi, 1e-30, 3e38], bias: -0.25, threshold: 0.75,
            trainedOn: ["made up"])
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("head-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: url) }
        try head.write(to: url)
        let read = try SafetyHead(contentsOf: url)
        #expect(read == head)
        try Data("{\"kind\":\"reply\"}".utf8).write(to: url)
        #expect(throws: SafetyError.self) { try SafetyHead(contentsOf: url) }
    }

    @Test func learnsToTellRudeRepliesFromKindOnes() async throws {
        let kind = [
            "what a lovely day", "i like tea", "tell me about your garden", "that is a good idea", "nice to meet you",
        ]
        let rude = [
            "you are a nuisance", "nobody likes a nuisance", "such a nuisance you are", "what a bore", "you bore me",
        ]
        let turns = ["hello", "how are you", "i went for a walk", "my cat is asleep"]
        let examples = turns.flatMap { turn in
            kind.map { SafetyExample(turn: turn, text: $0, isUnsafe: false) }
                + rude.map { SafetyExample(turn: turn, text: $0, isUnsafe: true) }
        }
        let training = SafetyHeadTraining(kind: .reply, encoder: HashingEncoder())
        let head = try await training.train(examples, l2: 0.1, trainedOn: ["made up"])
        #expect(head.weights.count == 4 * 48)
        let unseen = [
            SafetyExample(turn: "i like music", text: "a nuisance and a bore", isUnsafe: true),
            SafetyExample(turn: "i like music", text: "a lovely idea", isUnsafe: false),
            SafetyExample(text: "what a nuisance", isUnsafe: true), SafetyExample(text: "good tea", isUnsafe: false),
        ]
        let figures = try await training.evaluate(head, unseen)
        #expect(figures.auc == 1)
        #expect(figures.f1 == 1)
        let classifier = try EncoderSafetyClassifier(head: head, encoder: HashingEncoder())
        let pairs = unseen.map { example in
            (context: example.turn.map { [Turn(.human, $0), Turn(.bot, "hm")] } ?? [], text: example.text)
        }
        let probabilities = try await classifier.probabilities(of: pairs)
        let scores = try await training.scores(head, unseen)
        #expect(probabilities == scores)
        await #expect(throws: SafetyError.self) {
            try await training.train(examples.filter(\.isUnsafe), trainedOn: [])
        }
    }

    @Test func figuresByHand() throws {
        // At 0.5: hits 2, alarms 1, missed 1, passed 2. AUC: of 9 pairs 7 in order.
        let figures = try SafetyFigures(
            scores: [0.9, 0.8, 0.3, 0.7, 0.2, 0.1], labels: [true, true, true, false, false, false], threshold: 0.5)
        #expect(abs(figures.precision - 2.0 / 3) < 1e-12)
        #expect(abs(figures.recall - 2.0 / 3) < 1e-12)
        #expect(abs(figures.f1 - 2.0 / 3) < 1e-12)
        #expect(abs(figures.macroF1 - 2.0 / 3) < 1e-12)
        #expect(abs(figures.auc - 8.0 / 9) < 1e-12)
    }

    @Test func thresholdKeepsFalseAlarmsDown() throws {
        let scores = (0..<1000).map { Double($0) / 1000 }
        let threshold = try SafetyHeadTraining.threshold(ordinary: scores, falseAlarms: 0.01)
        #expect(scores.count { $0 >= threshold } == 10)
        let low = try SafetyHeadTraining.threshold(ordinary: [0.1, 0.2], falseAlarms: 0.01)
        #expect(low == 0.5)
        #expect(throws: SafetyError.self) { try SafetyHeadTraining.threshold(ordinary: [], falseAlarms: 0.01) }
    }
}
