import Foundation
import Statistics
import Testing
import Torch

@testable import Training

@Suite("Losses against the reference")
struct LossTests {
    private func tensor(_ values: [Double] = Goldens.logits, rows: Int = 6, dtype: DType = .float64) throws -> Tensor {
        try Tensor(values, shape: [rows, values.count / rows], dtype: dtype).requireGradient(true)
    }

    private func chunk(_ logits: Tensor, uniforms: [Double]? = nil) throws -> TokenChunk {
        TokenChunk(
            logits: logits, targets: try Tensor(Goldens.targets),
            labels: try Goldens.labels.map { try #require(TokenLabel(rawValue: $0)) },
            uniforms: try uniforms.map { try Tensor($0, dtype: logits.dtype) })
    }

    private func perToken(_ terms: TokenTerms) throws -> [Double] {
        let positive = try terms.positive.doubles()
        guard let negative = try terms.negative?.doubles() else { return positive }
        return zip(positive, negative).map(+)
    }

    private func isNear(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-9) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }
    }

    private func gradient(_ loss: CRINGELoss) throws -> [Double] {
        let logits = try tensor()
        let terms = try loss.terms(chunk(logits))
        let negative = try #require(terms.negative)
        try (terms.positive.sum() + negative.sum()).backward()
        return try #require(logits.gradient).doubles()
    }

    @Test("CRINGE k = 1: loss, parts and gradient of the reference to 1e-9")
    func cringe() throws {
        let terms = try CRINGELoss().terms(chunk(tensor()))
        #expect(isNear(try perToken(terms), Goldens.loss))
        #expect(isNear(try terms.positive.doubles(), Goldens.crossEntropy))
        #expect(isNear(try #require(terms.negative).doubles(), Goldens.contrast))
        #expect(isNear(try gradient(CRINGELoss()), Goldens.gradient))
    }

    @Test("the batch's scalar divides both parts by the tokens that carry either")
    func scalar() throws {
        let loss = try CRINGELoss()
        let expected = Goldens.loss.reduce(0, +) / 6
        #expect(abs(try loss.total(chunk(tensor())).item() - expected) < 1e-9)
        #expect(abs(expected - 1.429431) < 1e-6)
        // Separately: three tokens carry cross-entropy, three the contrast.
        let separate = try CRINGELoss(normalisation: .separate)
        let parts = Goldens.crossEntropy.reduce(0, +) / 3 + Goldens.contrast.reduce(0, +) / 3
        #expect(abs(try separate.total(chunk(tensor())).item() - parts) < 1e-9)
    }

    @Test("weights of examples count in the sum and in the divisor")
    func weights() throws {
        let weights: [Float] = [0.5, 0.25, 0.25, 1, 0, 2]
        let sum = zip(Goldens.loss, weights).reduce(0) { $0 + $1.0 * Double($1.1) }
        let value = try CRINGELoss().total(chunk(tensor()), weights: weights).item()
        #expect(abs(value - sum / 4) < 1e-9)
    }

    @Test("CRINGE with alpha 0.2, and with the contrasting token detached")
    func alphaAndDetach() throws {
        let loss = try CRINGELoss(alpha: 0.2)
        #expect(isNear(try perToken(loss.terms(chunk(tensor()))), Goldens.lossAlpha))
        #expect(isNear(try gradient(loss), Goldens.gradientAlpha))
        var expected = Goldens.gradient
        for row in [1, 2, 4] { for column in 0..<6 { expected[row * 6 + column] = 0 } }
        for entry in Goldens.gradientDetached { expected[entry.row * 6 + entry.column] = entry.value }
        #expect(isNear(try gradient(CRINGELoss(detachesPositives: true)), expected))
        #expect(isNear(try perToken(CRINGELoss(detachesPositives: true).terms(chunk(tensor()))), Goldens.loss))
    }

    @Test("the option to contrast good tokens works, unlike the reference's")
    func positives() throws {
        let terms = try CRINGELoss(contrastsPositives: true).terms(chunk(tensor()))
        #expect(isNear(try #require(terms.negative).doubles(), Goldens.contrastOnPositives))
        #expect(isNear(try terms.positive.doubles(), Goldens.crossEntropy))
    }

    @Test("k = 3: the expectation in closed form, and draws that agree with it")
    func expectation() throws {
        let closed = try CRINGELoss(k: 3, choice: .expectation).terms(chunk(tensor()))
        #expect(isNear(try #require(closed.negative).doubles(), Goldens.expectationOfThree))
        // Evenly spread draws hit each candidate in proportion to its probability.
        let loss = try CRINGELoss(k: 3)
        var sums = [Double](repeating: 0, count: 6)
        let count = 2000
        for draw in 0..<count {
            let uniform = (Double(draw) + 0.5) / Double(count)
            let terms = try loss.terms(chunk(tensor(), uniforms: [Double](repeating: uniform, count: 6)))
            for (index, value) in try #require(terms.negative).doubles().enumerated() { sums[index] += value }
        }
        #expect(isNear(sums.map { $0 / Double(count) }, Goldens.expectationOfThree, 1e-3))
        #expect(isNear(Goldens.meanOfDraws, Goldens.expectationOfThree, 2e-3))
    }

    @Test("k beyond the vocabulary takes all other tokens; a draw without draws is an error")
    func largeK() throws {
        let terms = try CRINGELoss(k: 50, choice: .expectation).terms(chunk(tensor()))
        let row = Array(Goldens.logits[6..<12])
        let total = row[0..<5].reduce(0) { $0 + exp($1) }
        let expected = row[0..<5].reduce(0) { $0 + exp($1) / total * log1p(exp(row[5] - $1)) }
        #expect(abs(try #require(terms.negative).doubles()[1] - expected) < 1e-9)
        #expect(throws: TrainingError.self) { try CRINGELoss(k: 2).terms(chunk(tensor())) }
    }

    @Test("equal logits: the lower id is set against the unwanted token")
    func ties() throws {
        for k in [1, 2] {
            let logits = try tensor([1, 1, 1, 1], rows: 1)
            let loss = try CRINGELoss(k: k)
            let terms = try loss.terms(
                TokenChunk(
                    logits: logits, targets: Tensor([0]), labels: [.bad],
                    uniforms: Tensor([0.0], dtype: .float64)))
            try #require(terms.negative).sum().backward()
            #expect(try #require(logits.gradient).doubles() == [0.5, -0.5, 0, 0])
        }
    }

    @Test("finite with finite gradients in bfloat16 and float32, at extreme logits too")
    func lowPrecision() throws {
        for dtype in [DType.bfloat16, .float32] {
            let logits = try tensor([1e4, -1e4, 0, 3e4, -3e4, 0, 2, 1, 0], rows: 3, dtype: dtype)
            let terms = try CRINGELoss(k: 2, choice: .expectation).terms(
                TokenChunk(logits: logits, targets: Tensor([0, 1, 2]), labels: [.bad, .bad, .good]))
            let negative = try #require(terms.negative)
            #expect(try negative.doubles().allSatisfy { $0.isFinite })
            try (terms.positive.sum() + negative.sum()).backward()
            #expect(try #require(logits.gradient).doubles().allSatisfy { $0.isFinite })
        }
    }

    @Test("masked CRINGE contrasts only what the model finds unlikely")
    func masked() throws {
        // Token 4 has p = 0.967, tokens 1 and 2 have 0.22 and 0.11: only token 4 is left alone.
        let loss = try CRINGELoss.masked(alpha: 1, threshold: 0.5)
        #expect(loss.name == "masked_cringe")
        let terms = try loss.terms(chunk(tensor()))
        var expected = Goldens.contrast
        expected[4] = 0
        #expect(isNear(try #require(terms.negative).doubles(), expected))
        let gradient = try gradient(loss)
        #expect(gradient[24..<30].allSatisfy { $0 == 0 })
        #expect(isNear(Array(gradient[0..<24]), Array(Goldens.gradient[0..<24])))
    }

    @Test("unlikelihood: the reference's value to 1e-9")
    func unlikelihood() throws {
        let labels = try Goldens.Unlikelihood.labels.map { try #require(TokenLabel(rawValue: $0)) }
        let logits = try tensor(Goldens.Unlikelihood.logits, rows: 9)
        let chunk = TokenChunk(logits: logits, targets: try Tensor(Goldens.Unlikelihood.targets), labels: labels)
        let value = try UnlikelihoodLoss().total(chunk)
        #expect(abs(try value.item() - Goldens.Unlikelihood.loss) < 1e-9)
        try value.backward()
        // d(−log(1 − p))/dx_y = p, over the two unwanted tokens.
        let gradient = try #require(logits.gradient).doubles()
        let row = Goldens.Unlikelihood.logits[12..<16].map { exp($0) }
        let p = row[2] / row.reduce(0, +)
        #expect(abs(gradient[3 * 4 + 2] - p / 2) < 1e-9)
    }

    @Test("SFT looks at wanted tokens only")
    func crossEntropy() throws {
        let logits = try tensor()
        let loss = CrossEntropyLoss()
        let value = try loss.total(chunk(logits))
        #expect(abs(try value.item() - Goldens.crossEntropy.reduce(0, +) / 3) < 1e-9)
        try value.backward()
        let gradient = try #require(logits.gradient).doubles()
        #expect(gradient[6..<18].allSatisfy { $0 == 0 })
        #expect(abs(gradient[5] - Goldens.gradient[5] / 3) < 1e-9)
    }

    @Test("options outside their range are named")
    func options() {
        #expect(throws: TrainingError(.options, "k 0 must be 1 or more")) { try CRINGELoss(k: 0) }
        #expect(throws: TrainingError.self) { try CRINGELoss(alpha: .nan) }
        #expect(throws: TrainingError.self) { try CRINGELoss(probabilityMask: 0) }
        #expect(throws: TrainingError.self) { try UnlikelihoodLoss(floor: 0) }
    }
}
