import Foundation
import LanguageModels
import Statistics
import Testing
import Torch

@testable import Training

/// Values that `Scripts/fixtures/preference_losses.py` took from TRL's own trainers.
private struct PreferenceFixture: Decodable {
    struct Settings: Decodable {
        var beta: Double
        var labelSmoothing: Double?
        var desirableWeight: Double?
        var undesirableWeight: Double?
    }
    struct DPO: Decodable {
        var name: String
        var settings: Settings
        var logps: [Double]
        var reference: [Double]
        var counts: [Int]
        var loss: Double
    }
    struct KTO: Decodable {
        var name: String
        var settings: Settings
        var labels: [Bool]
        var logps: [Double]
        var reference: [Double]
        var counts: [Int]
        var mismatched: [Double]
        var mismatchedReference: [Double]
        var loss: Double
    }
    struct Reward: Decodable {
        var margins: [Double]
        var chosen: [Double]
        var rejected: [Double]
        var centring: Double
        var loss: Double
    }
    var dpo: [DPO]
    var kto: [KTO]
    var reward: [Reward]

    static func load() throws -> PreferenceFixture {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "Fixtures/preference_losses.json")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(PreferenceFixture.self, from: Data(contentsOf: file))
    }
}

@Suite("Losses of whole replies", .serialized)
struct SequenceLossTests {
    private static let vocabulary = TrainerTests.vocabulary

    private func replies(
        _ logps: [Double], counts: [Int], labels: [TokenLabel]? = nil, weights: [Double]? = nil
    ) throws -> ReplyBatch {
        ReplyBatch(
            logProbabilities: try Tensor(logps).requireGradient(true), counts: counts, numbers: Array(logps.indices),
            labels: labels ?? logps.indices.map { $0.isMultiple(of: 2) ? .good : .bad }, weights: weights)
    }

    private func value(_ terms: ReplyTerms) throws -> Double {
        try [terms.positive, terms.negative].reduce(0) { try $0 + ($1?.item() ?? 0) }
    }

    @Test("DPO: every kind agrees with TRL to 1e-6")
    func dpoAgainstTRL() throws {
        let fixture = try PreferenceFixture.load()
        #expect(fixture.dpo.count == 6)
        for one in fixture.dpo {
            let kind: DPOLoss.Kind = DPOLoss.Kind(rawValue: one.name) ?? .sigmoid
            let loss = try DPOLoss(
                reference: ReferenceLogProbabilities(values: one.reference), kind: kind, beta: one.settings.beta,
                labelSmoothing: one.settings.labelSmoothing ?? 0, normalisesLength: one.name == "length-normalised",
                nll: one.name == "with likelihood" ? 0.5 : 0)
            let tokens = stride(from: 0, to: one.counts.count, by: 2).reduce(0) { $0 + one.counts[$1] }
            let plan = DPOLoss.Plan(pairs: Double(one.logps.count / 2), chosenTokens: Double(tokens))
            let terms = try loss.terms(replies(one.logps, counts: one.counts), plan: plan)
            #expect(abs(try value(terms) - one.loss) < 1e-6, "\(one.name)")
        }
    }

    @Test("KTO agrees with TRL to 1e-6, with the point above 0 and clamped at 0")
    func ktoAgainstTRL() throws {
        let fixture = try PreferenceFixture.load()
        var points: [Double] = []
        for one in fixture.kto {
            let documents = try one.logps.map { _ in try TokenizedExample(ids: [4, 5], labels: [.ignored, .good]) }
            let loss = try KTOLoss(
                reference: ReferenceLogProbabilities(values: one.reference), mismatched: documents,
                mismatchedReference: ReferenceLogProbabilities(values: one.mismatchedReference),
                beta: one.settings.beta, desirableWeight: one.settings.desirableWeight ?? 1,
                undesirableWeight: one.settings.undesirableWeight ?? 1)
            let point = KTOLoss.divergence(one.mismatched, one.mismatchedReference)
            points.append(point)
            let terms = try loss.terms(
                replies(one.logps, counts: one.counts, labels: one.labels.map { $0 ? .good : .bad }),
                plan: .init(divergence: point, replies: Double(one.logps.count)))
            #expect(abs(try value(terms) - one.loss) < 1e-6, "\(one.name)")
        }
        #expect(points.contains(0) && points.contains { $0 > 0 })
    }

    @Test("the reward model's loss on pairs agrees with TRL to 1e-6, with and without margins")
    func rewardAgainstTRL() throws {
        for one in try PreferenceFixture.load().reward {
            let document = try TokenizedExample(ids: [4, 5], labels: [.ignored, .good])
            let worse = try TokenizedExample(ids: [4, 5], labels: [.ignored, .bad])
            let batch = Batch(rows: one.chosen.map { _ in [document, worse] }, padID: 0)
            let scores = zip(one.chosen, one.rejected).flatMap { [$0, $1] }
            let loss = try ScoreLoss(
                .pairwise, score: Linear(weight: Parameter(Tensor.zeros([1, 1]))), margins: one.margins,
                centring: one.centring)
            let terms = try loss.terms(scores: Tensor(scores), batch: batch, divisor: Double(one.chosen.count))
            #expect(abs(try terms.loss.item() - one.loss) < 1e-6)
        }
    }

    @Test("DPO by hand: value, weights, and a gradient of β σ(−β h)")
    func dpoByHand() throws {
        // h = (−3 + 4) − (−6 + 5) = 2 and (−2 + 1) − (−1 + 1) = −1.
        let reference = ReferenceLogProbabilities(values: [-4, -5, -1, -1])
        let loss = try DPOLoss(reference: reference, beta: 0.5)
        let batch = try replies([-3, -6, -2, -1], counts: [3, 4, 2, 1], weights: [1, 1, 3, 3])
        let terms = try loss.terms(batch, plan: .init(pairs: 4, chosenTokens: 9))
        let expected = (log(1 + exp(-1.0)) + 3 * log(1 + exp(0.5))) / 4
        #expect(abs(try value(terms) - expected) < 1e-12)
        #expect(terms.margins == [1, -0.5])
        try #require(terms.negative).backward()
        let gradient = try #require(batch.logProbabilities.gradient).doubles()
        let slopes = [0.5 / (1 + exp(1.0)) / 4, 3 * 0.5 / (1 + exp(-0.5)) / 4]
        for (index, slope) in slopes.enumerated() {
            #expect(abs(gradient[2 * index] + slope) < 1e-12)
            #expect(abs(gradient[2 * index + 1] - slope) < 1e-12)
        }
        // Conservative DPO: a share of the pairs is the wrong way round.
        let smooth = try DPOLoss(reference: reference, beta: 0.5, labelSmoothing: 0.25)
        let one = try smooth.terms(
            replies([-3, -6, -1, -1], counts: [1, 1, 1, 1]), plan: .init(pairs: 2, chosenTokens: 2))
        let both = (0.75 * log(1 + exp(-1.0)) + 0.25 * log(1 + exp(1.0)) + log(2.0)) / 2
        #expect(abs(try value(one) - both) < 1e-12)
    }

    @Test("KTO by hand: the sigmoid saturates on both sides of the point, and no gradient passes through it")
    func ktoByHand() throws {
        let document = try TokenizedExample(ids: [4, 5], labels: [.ignored, .good])
        let loss = try KTOLoss(
            reference: .init(values: [-2, -2]), mismatched: [document, document],
            mismatchedReference: .init(values: [0, 0]), beta: 1, desirableWeight: 2)
        let batch = try replies([-1, -4], counts: [1, 1])
        let terms = try loss.terms(batch, plan: .init(divergence: 0.5, replies: 2))
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        #expect(abs(try value(terms) - (2 * (1 - sigmoid(0.5)) + 1 - sigmoid(2.5)) / 2) < 1e-12)
        #expect(terms.margins == [3])
        #expect(KTOLoss.divergence([1, 2], [0, 1]) == 1)
        #expect(KTOLoss.divergence([0, 1], [1, 2]) == 0)
    }

    @Test("a reply with a bad token is a bad one, whatever its last token is")
    func mixedReply() throws {
        let documents = try ([8, 9] as [Int32]).map { token in
            try TokenizedExample(ids: [4, 5, token, 3], labels: [.ignored, .ignored, .bad, .good])
        }
        let reference = ReferenceLogProbabilities(values: [-7, -7])
        let loss = try KTOLoss(reference: reference, mismatched: documents, mismatchedReference: reference)
        let metrics = try Trainer(
            model: TinyModel.make(vocabulary: Self.vocabulary), loss: loss,
            source: GroupedSource(documents, rowLength: 8, perStep: 2, seed: 1), options: TrainerTests.options(1)
        ).trainStep()
        #expect(metrics.ce == 0 && metrics.ct > 0)
    }

    @Test("mismatched replies: another's reply behind one's own prompt, from the same step, cut to the context")
    func mismatched() throws {
        let examples = try (0..<5).map { index in
            try TokenizedExample(
                ids: [10, 11, 2, Int32(20 + index), 3].map { Int32($0) },
                labels: [.ignored, .ignored, .ignored, .good, .good])
        }
        let source = try GroupedSource(examples, rowLength: 8, perStep: 2, seed: 3)
        #expect(source.groups.map(\.count) == [2, 3])
        let made = try KTOLoss.mismatch(examples, groups: source.groups, contextLength: 4)
        for group in source.groups {
            for (place, index) in group.enumerated() {
                let donor = group[(place + group.count - 1) % group.count]
                #expect(made[index].ids == [11, 2, Int32(20 + donor), 3])
                #expect(made[index].labels == [.ignored, .ignored, .good, .good])
                #expect(donor != index)
            }
        }
    }

    /// Pairs: a good reply, and the same with its tokens changed.
    static func pairs(_ count: Int, seed: UInt64 = 1) throws -> [TokenizedExample] {
        try TrainerTests.documents(count, seed: seed).enumerated().flatMap { index, good in
            let ids = good.ids.enumerated().map { place, id in
                good.labels[place] == .good && id != 3 ? Int32(4 + (Int(id) + 5 * index + 1) % 28) : id
            }
            return [good, try TokenizedExample(ids: ids, labels: good.labels.map { $0 == .good ? .bad : $0 })]
        }
    }

    private static func losses(
        _ documents: [TokenizedExample], groups: [[Int]], model: LlamaModel
    ) throws -> [(name: String, loss: any TrainingLoss, isPaired: Bool)] {
        let reference = try ReferenceLogProbabilities(of: documents, model: model, compute: .float32)
        let mismatched = try KTOLoss.mismatch(documents, groups: groups, contextLength: 64)
        let other = try ReferenceLogProbabilities(of: mismatched, model: model, compute: .float32)
        return [
            ("dpo", try DPOLoss(reference: reference, nll: 0.5), true),
            ("ipo", try DPOLoss(reference: reference, kind: .ipo), true),
            ("pairwise cringe", try PairwiseCRINGELoss(cringe: CRINGELoss(k: 3)), true),
            (
                "kto",
                try KTOLoss(reference: reference, mismatched: mismatched, mismatchedReference: other), false
            ),
        ]
    }

    @Test("no result depends on how a step is cut; every weight moves and the margin grows")
    func training() throws {
        let documents = try Self.pairs(6)
        let grouped = try GroupedSource(documents, rowLength: 24, perStep: 6, seed: 2)
        let paired = try PairSource(documents, rowLength: 24, pairsPerStep: 3, seed: 2)
        let base = try TinyModel.make(vocabulary: Self.vocabulary)
        for (name, loss, isPaired) in try Self.losses(documents, groups: grouped.groups, model: base) {
            func train(rows: Int, chunk: Int, steps: Int) throws -> ([String: [Float]], [StepMetrics]) {
                let model = try TinyModel.make(vocabulary: Self.vocabulary)
                var options = TrainerTests.options(steps)
                options.rowsPerMicroBatch = rows
                options.lossChunk = chunk
                var lines: [StepMetrics] = []
                let source: any BatchSource = isPaired ? paired : grouped
                try Trainer(model: model, loss: loss, source: source, options: options).run(onStep: { lines.append($0) }
                )
                return (try TrainerTests.weights(model), lines)
            }
            let (whole, one) = try train(rows: 64, chunk: 4096, steps: 2)
            let (cut, other) = try train(rows: 1, chunk: 5, steps: 2)
            for (a, b) in zip(one, other) {
                #expect(abs(a.loss - b.loss) < 1e-5, "\(name)")
                let (first, second) = (a.gradientNorm, b.gradientNorm)
                #expect(abs(first - second) < 1e-4 * max(1, first), "\(name)")
                let margins = (try #require(a.margin), try #require(b.margin))
                #expect(abs(margins.0 - margins.1) < 1e-3, "\(name)")
            }
            for (weight, values) in whole {
                let distance = zip(values, try #require(cut[weight])).map { abs($0 - $1) }.max() ?? 1
                #expect(distance < 1e-3, "\(weight) of \(name)")
            }
            let before = try TrainerTests.weights(base)
            let (after, lines) = try train(rows: 8, chunk: 4096, steps: 20)
            for (weight, values) in after { #expect(values != before[weight], "\(weight) of \(name) did not move") }
            let (first, last) = (try #require(lines.first), try #require(lines.last))
            #expect(try #require(last.margin) > #require(first.margin) + 0.1, "\(name)")
            #expect(
                try #require(last.logpsChosen) - #require(last.logpsRejected)
                    > #require(first.logpsChosen) - #require(first.logpsRejected), "\(name)")
        }
    }

    @Test("pairwise CRINGE: a closed gate gives no gradient, an open one that of CRINGE")
    func gate() throws {
        let loss = try PairwiseCRINGELoss(cringe: CRINGELoss(), margin: 2, temperature: 0.5)
        #expect(loss.gate(chosen: -1, rejected: -3) == 0.5)
        #expect(abs(loss.gate(chosen: 0, rejected: -3) - 1 / (1 + exp(2.0))) < 1e-12)
        let documents = try Self.pairs(4)
        func norm(_ loss: any TrainingLoss) throws -> Double {
            try Trainer(
                model: TinyModel.make(vocabulary: Self.vocabulary), loss: loss,
                source: PairSource(documents, rowLength: 24, pairsPerStep: 2, seed: 2), options: TrainerTests.options(1)
            ).trainStep().gradientNorm
        }
        let plain = try norm(CRINGELoss())
        #expect(abs(try norm(PairwiseCRINGELoss(cringe: CRINGELoss(), margin: 1e6)) - plain) < 1e-5 * plain)
        #expect(try norm(PairwiseCRINGELoss(cringe: CRINGELoss(), margin: -1e6)) < 1e-9)
    }

    @Test("pairwise CRINGE draws for a batch as one process does, whoever runs the batches before it")
    func skipped() throws {
        let documents = try Self.pairs(2)
        let batches = [[0, 1], [2, 3]].map { numbers in
            Batch(rows: [numbers.map { documents[$0] }], padID: 0, numbers: numbers)
        }
        let model = try TinyModel.make(vocabulary: Self.vocabulary)
        for (_, parameter) in model.namedParameters {
            parameter.value = try parameter.value.requireGradient(true)
        }
        func second(skippingTheFirst: Bool) throws -> Double {
            var step = try PairwiseCRINGELoss(cringe: CRINGELoss(k: 20)).begin(
                LossContext(model: model, batches: batches, compute: .float32, draws: SeededGenerator(seed: 3)))
            func run(_ batch: Batch) throws -> Double {
                let hidden = try model.predictorStates(of: batch, on: .cpu, compute: .float32)
                return try step.backward(hidden: hidden, batch: batch).negative
            }
            if skippingTheFirst { step.skip(batches[0]) } else { _ = try run(batches[0]) }
            return try run(batches[1])
        }
        let whole = try second(skippingTheFirst: false)
        #expect(abs(try second(skippingTheFirst: true) - whole) < 1e-6)
    }

    @Test("reference log-probabilities are kept, gone on with after a kill, and begun anew for other weights")
    func reference() throws {
        let folder = TrainerTests.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "reference.jsonl")
        let documents = try Self.pairs(5)
        let model = try TinyModel.make(vocabulary: Self.vocabulary)
        func compute(_ model: LlamaModel, _ steps: inout [Int]) throws -> [Double] {
            var seen: [Int] = []
            let made = try ReferenceLogProbabilities(
                of: documents, model: model, file: file, block: 4, compute: .float32, onProgress: { seen.append($0) })
            steps = seen
            return made.values
        }
        var steps: [Int] = []
        let whole = try compute(model, &steps)
        #expect(steps == [4, 8, 10])
        let direct = try ReplyScorer(model: model, compute: .float32).scores(documents).map(\.logProbability)
        #expect(zip(whole, direct).allSatisfy { abs($0 - $1) < 1e-4 })
        #expect(try compute(model, &steps) == whole)
        #expect(steps.isEmpty)
        // A kill in the middle of a line.
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        try (lines[0...1].joined(separator: "\n") + "\n" + lines[2].prefix(9)).write(
            to: file, atomically: true, encoding: .utf8)
        #expect(try compute(model, &steps) == whole)
        #expect(steps == [8, 10])
        let other = try compute(TinyModel.make(vocabulary: Self.vocabulary, seed: 12), &steps)
        #expect(steps == [4, 8, 10] && other != whole)
    }

    @Test("pairs stay together, and what is no pair is refused")
    func source() throws {
        let documents = try Self.pairs(7)
        var source = try PairSource(documents, rowLength: 10, pairsPerStep: 3, seed: 2)
        var seen: Set<Int> = []
        for step in 0..<7 {
            for row in try source.rows(step: step) {
                #expect(try PairSource.chosenPlaces(row).count * 2 == row.count)
                seen.formUnion(row)
            }
        }
        #expect(seen.count == 14 && source.epochs(after: 7) == 3)
        #expect(throws: TrainingError.self) {
            try PairSource(Array(documents.dropFirst()), rowLength: 10, pairsPerStep: 1, seed: 0)
        }
        #expect(throws: TrainingError.self) {
            try PairSource(Array(documents.dropFirst().dropLast()), rowLength: 10, pairsPerStep: 1, seed: 0)
        }
        #expect(throws: TrainingError.self) { try PairSource.chosenPlaces([1, 2]) }
    }

    @Test("options outside their range are named")
    func options() {
        let reference = ReferenceLogProbabilities(values: [])
        #expect(throws: TrainingError(.options, "beta 0.0 must be above 0")) {
            try DPOLoss(reference: reference, beta: 0)
        }
        #expect(throws: TrainingError.self) { try DPOLoss(reference: reference, labelSmoothing: 0.5) }
        #expect(throws: TrainingError.self) { try DPOLoss(reference: reference, kind: .ipo, labelSmoothing: 0.1) }
        #expect(throws: TrainingError.self) { try PairwiseCRINGELoss(cringe: CRINGELoss(), temperature: 0) }
        #expect(throws: TrainingError.self) { try reference.require([0]) }
    }
}
