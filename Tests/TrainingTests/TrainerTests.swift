import Foundation
import LanguageModels
import ModelFormats
import Statistics
import Testing
import Torch

@testable import Training

@Suite("Trainer", .serialized)
struct TrainerTests {
    static let vocabulary = 32

    /// Made-up documents: a few context tokens, then a reply that ends with token 3.
    static func documents(_ count: Int, seed: UInt64 = 1, label: TokenLabel = .good) throws -> [TokenizedExample] {
        var generator = SeededGenerator(seed: seed)
        return try (0..<count).map { _ in
            let context = 2 + generator.index(below: 4)
            let reply = 2 + generator.index(below: 5)
            let ids = (0..<context + reply).map { _ in Int32(4 + generator.index(below: vocabulary - 4)) } + [3]
            return try TokenizedExample(
                ids: ids,
                labels: [TokenLabel](repeating: .ignored, count: context)
                    + [TokenLabel](repeating: label, count: reply + 1))
        }
    }

    static func options(_ steps: Int, rate: Double = 3e-3) -> TrainingOptions {
        TrainingOptions(steps: steps, learningRate: rate, warmUp: 2, rowsPerMicroBatch: 8, compute: .float32, seed: 7)
    }

    static func folder() -> URL {
        FileManager.default.temporaryDirectory.appending(path: "training-\(UUID().uuidString)")
    }

    static func weights(_ model: any LanguageModels.Decoder) throws -> [String: [Float]] {
        try Dictionary(uniqueKeysWithValues: model.namedParameters.map { ($0.name, try $0.parameter.value.floats()) })
    }

    @Test("a packed document has the logits it has alone")
    func packedEqualsAlone() throws {
        let model = try TinyModel.make(vocabulary: Self.vocabulary)
        let examples = try Self.documents(5)
        let packed = Batch(rows: [Array(examples[0..<3]), Array(examples[3..<5])], padID: 0)
        #expect(!packed.isUnpacked)
        let states = try withoutGradients { try model.states(of: packed, on: .cpu, compute: .float32) }
        var place = 0
        for (row, members) in [[0, 1, 2], [3, 4]].enumerated() {
            place = 0
            for member in members {
                let alone = Batch(rows: [[examples[member]]], padID: 0)
                let expected = try withoutGradients {
                    try model.logits(model.states(of: alone, on: .cpu, compute: .float32))
                }
                let count = examples[member].count
                let got = try withoutGradients {
                    try model.logits(
                        states.narrow(dim: 0, start: row, length: 1).narrow(dim: 1, start: place, length: count))
                }
                let distance = zip(try expected.floats(), try got.floats()).map { abs($0 - $1) }.max() ?? 1
                #expect(distance < 1e-5)
                place += count
            }
        }
    }

    @Test("attention stays inside a document, looks back only, and padding sees itself")
    func attention() throws {
        let a = try TokenizedExample(ids: [5, 6], labels: [.good, .good])
        let b = try TokenizedExample(ids: [7, 8, 9], labels: [.ignored, .good, .bad], weight: 0.5)
        let batch = Batch(rows: [[a, b], [a]], padID: 1)
        #expect(batch.ids == [5, 6, 7, 8, 9, 5, 6, 1, 1, 1])
        #expect(batch.positions == [0, 1, 0, 1, 2, 0, 1, 0, 0, 0])
        #expect(batch.predictors == [0, 2, 3, 5])
        #expect(batch.targets == [6, 8, 9, 6])
        #expect(batch.labels == [.good, .good, .bad, .good])
        #expect(batch.weights == [1, 0.5, 0.5, 1])
        #expect(batch.owners == [0, 1, 1, 2])
        #expect(batch.tokenCount == 7)
        let mask = try batch.attentionTensor(on: .cpu)
        #expect(mask.shape == [2, 1, 5, 5])
        let rows = try mask.bools().map { $0 ? 1 : 0 }
        #expect(
            rows == [
                1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1,
                1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1,
            ])
    }

    @Test("it overfits eight examples, every weight moves, and the end of turn is learned")
    func overfits() throws {
        let model = try TinyModel.make(vocabulary: Self.vocabulary)
        let before = try Self.weights(model)
        let examples = try Self.documents(8)
        let source = try PackedSource(examples, rowLength: 32, rowsPerStep: 4, seed: 2)
        let trainer = try Trainer(
            model: model, loss: CrossEntropyLoss(), source: source, options: Self.options(60, rate: 1e-2))
        var first: StepMetrics?
        let summary = try trainer.run(onStep: { if first == nil { first = $0 } })
        let last = try #require(summary.last)
        #expect(try #require(first?.pplGood) > 15)
        #expect(try #require(last.pplGood) < 1.5)
        #expect(last.ct == 0 && last.pplBad == nil)
        for (name, values) in try Self.weights(model) { #expect(values != before[name], "\(name) did not move") }
        let scores = try ReplyScorer(model: model, compute: .float32).scores(examples)
        for (score, example) in zip(scores, examples) {
            #expect(score.tokenCount == example.supervisedCount)
            #expect(score.meanLogProbability > -1)
        }
    }

    @Test("bfloat16 compute learns too, over masters that stay float32")
    func bfloat16() throws {
        let model = try TinyModel.make(vocabulary: Self.vocabulary)
        let examples = try Self.documents(8) + Self.documents(8, seed: 5, label: .bad)
        let source = try BalancedSampler(examples, rowLength: 32, goodPerStep: 8, badPerStep: 8, seed: 2)
        var options = Self.options(40, rate: 1e-2)
        options.compute = .bfloat16
        options.lossChunk = 16
        var lines: [StepMetrics] = []
        try Trainer(model: model, loss: CRINGELoss.masked(), source: source, options: options).run(onStep: {
            lines.append($0)
        })
        #expect(model.namedParameters.allSatisfy { $0.parameter.value.dtype == .float32 })
        let (first, last) = (try #require(lines.first), try #require(lines.last))
        #expect(try #require(last.pplGood) < 0.3 * #require(first.pplGood))
        #expect(try #require(last.pplBad) > #require(first.pplBad))
        #expect(lines.allSatisfy { $0.ct > 0 && $0.gradientNorm.isFinite })
    }

    @Test("the result does not depend on how a step is cut into micro-batches and chunks")
    func accumulation() throws {
        let examples = try Self.documents(10) + Self.documents(10, seed: 5, label: .bad)
        func train(rows: Int, chunk: Int, loss: any TokenLoss) throws -> ([String: [Float]], StepMetrics) {
            let model = try TinyModel.make(vocabulary: Self.vocabulary)
            let source = try BalancedSampler(examples, rowLength: 24, goodPerStep: 6, badPerStep: 6, seed: 2)
            var options = Self.options(3)
            options.rowsPerMicroBatch = rows
            options.lossChunk = chunk
            let trainer = try Trainer(model: model, loss: loss, source: source, options: options)
            let summary = try trainer.run()
            return (try Self.weights(model), try #require(summary.last))
        }
        for loss in [try CRINGELoss(k: 3), try CRINGELoss.masked()] as [any TokenLoss] + [try UnlikelihoodLoss()] {
            let (whole, wholeMetrics) = try train(rows: 64, chunk: 4096, loss: loss)
            let (cut, cutMetrics) = try train(rows: 2, chunk: 5, loss: loss)
            #expect(abs(wholeMetrics.loss - cutMetrics.loss) < 1e-5)
            #expect(abs(wholeMetrics.gradientNorm - cutMetrics.gradientNorm) < 1e-4)
            #expect(wholeMetrics.supervised == cutMetrics.supervised)
            for (name, values) in whole {
                let distance = zip(values, try #require(cut[name])).map { abs($0 - $1) }.max() ?? 1
                #expect(distance < 1e-4, "\(name) of \(loss.summary)")
            }
        }
    }

    @Test(
        "steps on a CUDA device are those on the processor",
        .enabled(if: Engine.isCUDAAvailable, "there is no CUDA device here"))
    func cuda() throws {
        let examples = try Self.documents(10) + Self.documents(10, seed: 5, label: .bad)
        func train(_ device: Device) throws -> ([String: [Float]], StepMetrics) {
            let model = try TinyModel.make(vocabulary: Self.vocabulary)
            for (_, parameter) in model.namedParameters { parameter.value = try parameter.value.to(device) }
            let source = try BalancedSampler(examples, rowLength: 24, goodPerStep: 6, badPerStep: 6, seed: 2)
            let trainer = try Trainer(model: model, loss: CRINGELoss(), source: source, options: Self.options(3))
            let summary = try trainer.run()
            return (try Self.weights(model), try #require(summary.last))
        }
        let (here, expected) = try train(.cpu)
        let (there, found) = try train(.cuda(0))
        #expect(abs(expected.loss - found.loss) < 1e-4 && abs(expected.gradientNorm - found.gradientNorm) < 1e-3)
        for (name, values) in here {
            #expect(zip(values, try #require(there[name])).allSatisfy { abs($0 - $1) < 1e-3 }, "\(name)")
        }
    }

    @Test("a run that is cut and resumed gives the same weights, bit for bit, and the same lines")
    func resume() throws {
        let examples = try Self.documents(12) + Self.documents(12, seed: 5, label: .bad)
        func trainer(_ folder: URL) throws -> Trainer {
            let source = try BalancedSampler(examples, rowLength: 24, goodPerStep: 4, badPerStep: 4, seed: 2)
            var options = Self.options(9)
            options.checkpointEvery = 4
            return try Trainer(
                model: TinyModel.make(vocabulary: Self.vocabulary), loss: CRINGELoss(alpha: 0.5, k: 3), source: source,
                options: options, folder: folder)
        }
        let (one, two) = (Self.folder(), Self.folder())
        defer { for folder in [one, two] { try? FileManager.default.removeItem(at: folder) } }
        let uncut = try trainer(one)
        try uncut.run()
        var steps = 0
        let cut = try trainer(two)
        #expect(throws: CancellationError.self) {
            try cut.run(onStep: { _ in steps += 1 }, shouldStop: { steps == 3 })
        }
        // A kill between checkpoints: lines of steps that were not kept, and one cut short.
        let again = try trainer(two)
        #expect(again.step == 3)
        _ = try again.trainStep()
        let handle = try FileHandle(forWritingTo: two.appending(path: "metrics.jsonl"))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"step\":4,\"lo".utf8))
        try handle.close()
        try FileManager.default.createDirectory(
            at: two.appending(path: "checkpoints/step-000006.partial"), withIntermediateDirectories: true)
        let resumed = try trainer(two)
        let summary = try resumed.run()
        #expect(summary.resumedFrom == 3)
        #expect(summary.steps == 9)
        #expect(try Self.weights(resumed.model) == Self.weights(uncut.model))
        func lines(_ folder: URL) throws -> [StepMetrics] {
            try MetricsLog.read(folder.appending(path: "metrics.jsonl")).map {
                var line = $0
                line.wall = .init(seconds: 0, tokensPerSecond: 0)
                return line
            }
        }
        #expect(try lines(one) == lines(two))
        #expect(try lines(two).map(\.step) == Array(1...9))
        let left = try FileManager.default.contentsOfDirectory(atPath: two.appending(path: "checkpoints").path)
        #expect(left.sorted() == ["step-000008", "step-000009"])
        // A third start has nothing left to do.
        #expect(try trainer(two).run().last == nil)
    }

    @Test("a checkpoint of another run is refused, and what differs is named")
    func otherRun() throws {
        let folder = Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let examples = try Self.documents(6)
        func trainer(rate: Double, examples: [TokenizedExample]) throws -> Trainer {
            try Trainer(
                model: TinyModel.make(vocabulary: Self.vocabulary), loss: CrossEntropyLoss(),
                source: PackedSource(examples, rowLength: 24, rowsPerStep: 2, seed: 2),
                options: Self.options(2, rate: rate), folder: folder)
        }
        try trainer(rate: 1e-3, examples: examples).run()
        do {
            _ = try trainer(rate: 2e-3, examples: examples.reversed())
            Issue.record("no error")
        } catch {
            #expect("\(error)".contains("learning_rate, data"))
        }
    }

    @Test("a checkpoint that was begun from another model is refused, its folder named; one that does not say goes on")
    func otherOrigin() throws {
        let (one, two) = (Self.folder(), Self.folder())
        defer { for folder in [one, two] { try? FileManager.default.removeItem(at: folder) } }
        func trainer(_ origin: String?, _ folder: URL) throws -> Trainer {
            try Trainer(
                model: TinyModel.make(vocabulary: Self.vocabulary), loss: CrossEntropyLoss(),
                source: PackedSource(Self.documents(6), rowLength: 24, rowsPerStep: 2, seed: 2),
                options: Self.options(2), folder: folder, origin: origin)
        }
        // As older versions wrote them.
        try trainer(nil, one).run()
        #expect(try trainer("model a", one).step == 2)
        try trainer("model a, alpha 16", two).run()
        #expect(try trainer("model a, alpha 16", two).step == 2)
        #expect(try trainer(nil, two).step == 2)
        do {
            _ = try trainer("model a, alpha 32", two)
            Issue.record("no error")
        } catch {
            #expect("\(error)".contains("was begun from another model"))
            #expect("\(error)".contains("\(two.path)/checkpoints/step-000002"))
        }
    }

    @Test("GPT-2's embeddings have no decay, unless it is asked for", arguments: [false, true])
    func embeddings(areDecayed: Bool) throws {
        let model = try GPT2Model(
            GPT2Configuration(vocabularySize: 32, hiddenSize: 16, layerCount: 1, headCount: 2, contextLength: 64),
            generator: Generator(seed: 1))
        func last() throws -> [Float] {
            let places = try #require(model.namedParameters.first(where: { $0.name.contains("wpe") })?.parameter)
            return try places.value.detach().narrow(dim: 0, start: 63, length: 1).floats()
        }
        let before = try last()
        var options = Self.options(1)
        options.warmUp = 0
        options.weightDecay = 0.5
        options.decaysEmbeddings = areDecayed
        let trainer = try Trainer(
            model: model, loss: CrossEntropyLoss(),
            source: PackedSource(Self.documents(3), rowLength: 24, rowsPerStep: 1, seed: 2), options: options)
        _ = try trainer.trainStep()
        // No document is so long: nothing but decay moves this place.
        let after = try last()
        #expect((after == before) == !areDecayed)
    }

    @Test("a checkpoint that cannot be written leaves the one before intact")
    func failedCheckpoint() throws {
        let folder = Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let checkpoints = try CheckpointFolder(folder)
        let identity = CheckpointIdentity(options: Self.options(9), loss: "l", source: "s", data: "d")
        let tensor = try Tensor([1.5, 2.5] as [Float])
        try checkpoints.write(step: 4, identity: identity, weights: [("a", tensor)], optimizer: ["m": tensor])
        // Two tensors of one name: the writer refuses in the middle, as a full disk would.
        do {
            try checkpoints.write(step: 5, identity: identity, weights: [("a", tensor), ("a", tensor)], optimizer: [:])
            Issue.record("no error")
        } catch {
            #expect("\(error)".contains("checkpoint of step 5 cannot be written"))
            #expect("\(error)".contains("the one of step 4 is intact"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["step-000004"])
        let found = try #require(try checkpoints.latest())
        #expect(found.step == 4)
        let weights = try TensorFile.read(found.folder.appending(path: CheckpointFolder.weightsName), device: .cpu)
        #expect(try #require(weights["a"]).floats() == [1.5, 2.5])
    }

    @Test("a loss that is not a number stops the run, with step and documents named, before the weights change")
    func divergence() throws {
        let model = try TinyModel.make(vocabulary: Self.vocabulary)
        let examples = try Self.documents(3)
        let source = try PackedSource(examples, rowLength: 24, rowsPerStep: 1, seed: 2)
        let trainer = try Trainer(model: model, loss: CrossEntropyLoss(), source: source, options: Self.options(4))
        _ = try trainer.trainStep()
        let parameter = try #require(model.namedParameters.last?.parameter)
        let broken = try Tensor.full(parameter.value.shape, .nan, dtype: .float32)
        try withoutGradients { try parameter.value.copy(from: broken) }
        let before = try #require(model.namedParameters.first?.parameter).value.floats()
        do {
            _ = try trainer.trainStep()
            Issue.record("no error")
        } catch {
            #expect("\(error)".contains("step 2: loss nan"))
            #expect("\(error)".contains("documents "))
        }
        #expect(try #require(model.namedParameters.first?.parameter).value.floats() == before)
        #expect(trainer.step == 1)
    }

    @Test("a model that gets worse than guessing stops the run")
    func limit() throws {
        var options = Self.options(4)
        options.divergenceLimit = 0.1
        let trainer = try Trainer(
            model: TinyModel.make(vocabulary: Self.vocabulary), loss: CrossEntropyLoss(),
            source: PackedSource(Self.documents(3), rowLength: 24, rowsPerStep: 1, seed: 2), options: options)
        #expect(throws: TrainingError.self) { try trainer.trainStep() }
    }

    @Test("a step without a token to learn from is an error")
    func nothingSupervised() throws {
        let trainer = try Trainer(
            model: TinyModel.make(vocabulary: Self.vocabulary), loss: CrossEntropyLoss(),
            source: PackedSource(Self.documents(3, label: .bad), rowLength: 24, rowsPerStep: 1, seed: 2),
            options: Self.options(4))
        do {
            _ = try trainer.trainStep()
            Issue.record("no error")
        } catch {
            #expect("\(error)".contains("step 1 has no token that cross_entropy learns from"))
        }
    }

    @Test("documents that do not fit the model are named")
    func misfits() throws {
        let long = try TokenizedExample(
            ids: [Int32](repeating: 5, count: 200), labels: [TokenLabel](repeating: .good, count: 200))
        let outside = try TokenizedExample(ids: [5, 99], labels: [.good, .good])
        for (example, word) in [(long, "context"), (outside, "vocabulary")] {
            do {
                _ = try Trainer(
                    model: TinyModel.make(vocabulary: Self.vocabulary), loss: CrossEntropyLoss(),
                    source: PackedSource([example], rowLength: 200, rowsPerStep: 1, seed: 2), options: Self.options(4))
                Issue.record("no error")
            } catch {
                #expect("\(error)".contains("document 0") && "\(error)".contains(word))
            }
        }
    }

    @Test("CRINGE and unlikelihood make bad replies less likely against good ones, SFT on good alone does less")
    func margins() throws {
        // The bad replies stand in the contexts of the good ones.
        let good = try Self.documents(8)
        let bad = try good.enumerated().map { index, example in
            let ids = example.ids.enumerated().map { place, id in
                example.labels[place] == .good && id != 3 ? Int32(4 + (Int(id) + 5 * index) % 28) : id
            }
            return try TokenizedExample(ids: ids, labels: example.labels.map { $0 == .good ? .bad : $0 })
        }
        func margin(_ loss: any TokenLoss) throws -> (before: Double, after: Double, badFell: Bool) {
            let model = try TinyModel.make(vocabulary: Self.vocabulary)
            let scorer = ReplyScorer(model: model, compute: .float32)
            func means() throws -> (Double, Double) {
                let (a, b) = (try scorer.crossEntropy(good), try scorer.crossEntropy(bad))
                return (a, b)
            }
            let (goodBefore, badBefore) = try means()
            let source = try BalancedSampler(good + bad, rowLength: 32, goodPerStep: 8, badPerStep: 8, seed: 2)
            try Trainer(model: model, loss: loss, source: source, options: Self.options(15)).run()
            let (goodAfter, badAfter) = try means()
            return (badBefore - goodBefore, badAfter - goodAfter, badAfter > badBefore)
        }
        let plain = try margin(CrossEntropyLoss())
        for loss in [try CRINGELoss(), try CRINGELoss.masked(alpha: 1)] as [any TokenLoss] + [try UnlikelihoodLoss()] {
            let result = try margin(loss)
            #expect(result.after > result.before + 0.5, "\(loss.summary)")
            #expect(result.after > plain.after, "\(loss.summary)")
            #expect(result.badFell, "\(loss.summary)")
        }
    }

    @Test("a benchmark times the steps it is asked for")
    func benchmark() throws {
        let figures = try TrainingBenchmark.run(
            model: TinyModel.make(vocabulary: Self.vocabulary), loss: CRINGELoss(), rows: 4, length: 16, steps: 2,
            warmUp: 1)
        #expect(figures.tokensPerStep == 64)
        #expect(figures.steps == 2)
        #expect(figures.tokensPerSecond > 0)
    }
}
