import Foundation
import LanguageModels
import Testing
import Torch

@testable import Training

@Suite("DIRECTOR", .serialized)
struct DirectorTests {
    /// The authors' `DirectorAgent.compute_loss` on three examples of three tokens over a vocabulary of four: unlabelled,
    /// good (its last token is padding), bad.
    private enum Golden {
        static let classes: [Double] = [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            1, 2, -1, 0.5, 0, -3, 0.2, 0.1, 1, 1, 1, 1,
            -1, 0.3, 0.7, -2, 2, 1, 0, -1, 0.4, 0.3, 0.2, 0.1,
        ]
        static let targets = [1, 2, 3, 2, 1, 0, 3, 1, 2]
        static let labels: [Int8] = [-1, -1, -1, 1, 1, -100, 0, 0, 0]
        static let generator = [4.22401178866, 0, 0]
        static let classifier = [0, 4.36184883118, 2.23832845688]
        static let classifierWithNorm = [0, 4.43401479721, 2.33883404732]
        static let total = 2.8715208801609364
        static let totalWithNorm = 2.9063133034092274
    }

    /// A head that gives its input back, so that the golden classifier logits can stand for hidden states.
    private func identity() throws -> DirectorHead {
        let unit = (0..<16).map { $0 % 5 == 0 ? 1.0 : 0.0 }
        return DirectorHead(
            weight: try Tensor(unit, shape: [4, 4]).requireGradient(true),
            bias: try Tensor.zeros([4], dtype: .float64).requireGradient(true))
    }

    private func chunk() throws -> TokenChunk {
        TokenChunk(
            logits: try Tensor(Goldens.Unlikelihood.logits, shape: [9, 4]).requireGradient(true),
            targets: try Tensor(Golden.targets),
            labels: try Golden.labels.map { try #require(TokenLabel(rawValue: $0)) },
            hidden: try Tensor(Golden.classes, shape: [9, 4]).requireGradient(true))
    }

    /// The authors' code takes the classifier's loss in float32, so its numbers are good to that; the closed form says the
    /// rest.
    private static let single = 4e-7

    /// Sums over each example's tokens in closed form.
    private func closedForm(norm: Double) -> [Double] {
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        return (0..<3).map { example in
            (0..<3).reduce(0) { sum, place in
                let row = 3 * example + place
                guard Golden.labels[row] == 0 || Golden.labels[row] == 1 else { return sum }
                let d = Golden.classes[(4 * row)..<(4 * row + 4)].map { $0 }
                let own = d[Golden.targets[row]]
                let others = d.reduce(0) { $0 + pow(sigmoid($1) - 0.5, 2) } - pow(sigmoid(own) - 0.5, 2)
                return sum + log1p(exp(Golden.labels[row] == 1 ? -own : own)) + norm * others / 3
            }
        }
    }

    @Test("losses and total of the authors' code, without and with the explicit norm, and in closed form to 1e-12")
    func golden() throws {
        for (norm, expected, total) in [
            (nil, Golden.classifier, Golden.total), (1.0, Golden.classifierWithNorm, Golden.totalWithNorm),
        ] as [(Double?, [Double], Double)] {
            let loss = try DirectorLoss(head: identity(), norm: norm)
            let terms = try loss.terms(chunk())
            func sums(_ tensor: Tensor) throws -> [Double] {
                let values = try tensor.doubles()
                return (0..<3).map { values[(3 * $0)..<(3 * $0 + 3)].reduce(0, +) }
            }
            let generator = try sums(terms.positive)
            let classifier = try sums(#require(terms.negative)).map { $0 / 0.5 }
            for index in 0..<3 {
                #expect(abs(generator[index] - Golden.generator[index]) < 1e-9)
                #expect(abs(classifier[index] - expected[index]) < Self.single)
                #expect(abs(classifier[index] - closedForm(norm: norm ?? 0)[index]) < 1e-12)
            }
            // Each example by its own tokens, and then summed: 3, 2 and 3.
            let whole = zip(zip(generator, classifier), [3.0, 2.0, 3.0]).reduce(0) { sum, one in
                sum + (one.0.0 + 0.5 * one.0.1) / one.1
            }
            #expect(abs(whole - total) < Self.single)
        }
    }

    @Test("by hand: the classifier's gradient is γ (σ(d) − c), and stops at the states when the model is frozen")
    func gradient() throws {
        for freezes in [false, true] {
            let loss = try DirectorLoss(head: identity(), gamma: 2, freezesModel: freezes)
            let chunk = try chunk()
            let terms = try loss.terms(chunk)
            try #require(terms.negative).sum().backward()
            if freezes {
                #expect(chunk.hidden?.gradient == nil)
            } else {
                let gradient = try #require(chunk.hidden?.gradient).doubles()
                // Row 3: target 2, good, d = −1. Row 6: target 3, bad, d = −2.
                #expect(abs(gradient[3 * 4 + 2] - 2 * (1 / (1 + exp(1.0)) - 1)) < 1e-9)
                #expect(abs(gradient[6 * 4 + 3] - 2 / (1 + exp(2.0))) < 1e-9)
                #expect(gradient[0..<12].allSatisfy { $0 == 0 })
            }
            let weight = try #require(loss.namedParameters.first?.parameter.value.gradient)
            #expect(try weight.doubles().contains { $0 != 0 })
        }
    }

    @Test("the trainer's scalar is the sum of the examples' means, however it is cut")
    func perExample() throws {
        let documents =
            try TrainerTests.documents(4) + TrainerTests.documents(4, seed: 5, label: .bad)
            + TrainerTests.documents(4, seed: 9, label: .unlabelled)
        for kind in DirectorHead.Kind.allCases {
            func run(rows: Int, chunk: Int) throws -> (StepMetrics, [Double]) {
                let model = try TinyModel.make(vocabulary: TrainerTests.vocabulary)
                let head = try DirectorHead(kind, for: model.configuration, generator: Generator(seed: 4))
                let source = try BalancedSampler(
                    documents, rowLength: 24, goodPerStep: 4, badPerStep: 4, unlabelledPerStep: 4, seed: 2)
                var options = TrainerTests.options(1)
                options.rowsPerMicroBatch = rows
                options.lossChunk = chunk
                let loss = try DirectorLoss(head: head, norm: 1)
                let metrics = try Trainer(model: model, loss: loss, source: source, options: options).trainStep()
                return (metrics, try head.namedParameters.flatMap { try $0.parameter.value.doubles() })
            }
            let (whole, head) = try run(rows: 64, chunk: 4096)
            let (cut, other) = try run(rows: 1, chunk: 3)
            #expect(abs(whole.loss - cut.loss) < 1e-4)
            #expect(zip(head, other).allSatisfy { abs($0 - $1) < 1e-4 })
            // Untrained, each unlabelled example costs about ln 32 and each labelled one about γ ln 2.
            #expect(abs(whole.ce - 4 * log(32.0)) < 2)
            if kind == .separate { #expect(abs(whole.ct - 8 * 0.5 * log(2.0)) < 0.5) }
        }
    }

    @Test("it learns which tokens are unwanted; every weight moves; the head is saved beside the model")
    func learns() throws {
        let folder = TrainerTests.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let pairs = try SequenceLossTests.pairs(6)
        for kind in DirectorHead.Kind.allCases {
            let model = try TinyModel.make(vocabulary: TrainerTests.vocabulary)
            let head = try DirectorHead(kind, for: model.configuration, guidance: 2.5, generator: Generator(seed: 4))
            let before = try TrainerTests.weights(model)
            let start = try head.namedParameters.map { try $0.parameter.value.floats() }
            let loss = try DirectorLoss(head: head, gamma: 3, learnsPositives: true)
            let source = try BalancedSampler(pairs, rowLength: 32, goodPerStep: 6, badPerStep: 6, seed: 2)
            var lines: [StepMetrics] = []
            try Trainer(model: model, loss: loss, source: source, options: TrainerTests.options(30, rate: 1e-2)).run(
                onStep: { lines.append($0) })
            #expect(try #require(lines.last).ct < 0.7 * #require(lines.first).ct, "\(kind)")
            for (name, values) in try TrainerTests.weights(model) {
                #expect(values != before[name], "\(name), \(kind)")
            }
            for (values, (name, parameter)) in zip(start, head.namedParameters) {
                #expect(try parameter.value.floats() != values, "\(name)")
            }
            let place = folder.appending(path: kind.rawValue)
            #expect(!DirectorHead.isPresent(in: place))
            try head.save(to: place)
            #expect(DirectorHead.isPresent(in: place))
            let loaded = try DirectorHead(folder: place, for: model.configuration)
            #expect(loaded.kind == kind && loaded.guidance == 2.5)
            for (a, b) in zip(head.namedParameters, loaded.namedParameters) {
                #expect(try a.name == b.name && a.parameter.value.floats() == b.parameter.value.floats())
            }
        }
    }

    @Test("frozen, with labels alone, only the head moves; a resumed run has the same head")
    func frozen() throws {
        let folder = TrainerTests.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let pairs = try SequenceLossTests.pairs(6)
        func trainer(_ folder: URL?) throws -> (Trainer, DirectorHead) {
            let model = try TinyModel.make(vocabulary: TrainerTests.vocabulary)
            let head = try DirectorHead(.separate, for: model.configuration, generator: Generator(seed: 4))
            let source = try BalancedSampler(pairs, rowLength: 32, goodPerStep: 6, badPerStep: 6, seed: 2)
            let options = TrainerTests.options(6)
            let loss = try DirectorLoss(head: head, freezesModel: true)
            return (try Trainer(model: model, loss: loss, source: source, options: options, folder: folder), head)
        }
        let (uncut, head) = try trainer(nil)
        let before = try TrainerTests.weights(uncut.model)
        try uncut.run()
        #expect(try TrainerTests.weights(uncut.model) == before)
        var steps = 0
        let (cut, _) = try trainer(folder)
        #expect(throws: CancellationError.self) {
            try cut.run(onStep: { _ in steps += 1 }, shouldStop: { steps == 3 })
        }
        let (resumed, other) = try trainer(folder)
        try resumed.run()
        for (a, b) in zip(head.namedParameters, other.namedParameters) {
            #expect(try a.parameter.value.floats() == b.parameter.value.floats(), "\(a.name)")
        }
    }
}
