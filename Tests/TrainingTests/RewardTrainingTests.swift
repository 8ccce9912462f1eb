import Conversations
import Foundation
import LanguageModels
import ModelFormats
import Statistics
import Testing
import Tokenizers
import Torch

@testable import Training

@Suite("Reward models that learn with their body", .serialized)
struct RewardTrainingTests {
    /// A dialogue model's folder with a vocabulary of single bytes and a few words.
    private func base() throws -> (folder: URL, format: ChatFormat) {
        let folder = TrainerTests.folder()
        let format = try ExampleTokenizerTests.format()
        let model = try LlamaModel(
            LlamaConfiguration(
                vocabularySize: format.tokenizer.vocabularySize, hiddenSize: 32, intermediateSize: 64, layerCount: 2,
                headCount: 2, contextLength: 64, padID: format.pad, endIDs: [format.end]),
            generator: Generator(seed: 3), dtype: .float32, device: .cpu)
        try DialogueModelFolder.save(
            model, format: format,
            card: ModelCard(
                name: "tiny", languages: [], datasets: [], tags: [], library: "", task: "", summary: "", facts: []),
            to: folder)
        return (folder, format)
    }

    private func data() -> TrainingData {
        var data = TrainingData()
        for index in 0..<12 {
            let context = [Turn(.human, ["hello there", "how are you today", "good day"][index % 3])]
            let (good, bad) = (
                ["fine thanks", "fine thanks and you"][index % 2], ["today there", "hello hello"][index % 2]
            )
            data.examples += [
                Sourced(Example(context: context, reply: good, label: .good), file: "f", line: 2 * index + 1),
                Sourced(Example(context: context, reply: bad, label: .bad), file: "f", line: 2 * index + 2),
            ]
        }
        data.pairs = data.pairedByContext()
        return data
    }

    @Test("a decoder learns to score, pairwise and binary, and its folder loads with the same scores at the last token")
    func decoder() throws {
        let (base, format) = try base()
        defer { try? FileManager.default.removeItem(at: base) }
        for kind in ScoreLoss.Kind.allCases {
            let folder = TrainerTests.folder()
            defer { try? FileManager.default.removeItem(at: folder) }
            var lines: [StepMetrics] = []
            let made = try DecoderRewardTraining(
                kind: kind, perStep: 6, options: TrainerTests.options(40, rate: 3e-3)
            ).run(data(), base: base, to: folder, today: .distantPast, onStep: { lines.append($0) })
            #expect(try #require(lines.last).loss < 0.5 * #require(lines.first).loss, "\(kind)")
            let replies = ["fine thanks", "today there", " ", String(repeating: "fine ", count: 80)]
            let pairs = replies.map { (context: [Turn(.human, "hello there")], reply: $0) }
            let scores = try made.model.scores(pairs)
            #expect(try #require(scores[0]) > #require(scores[1]), "\(kind)")
            #expect(scores[2] == nil && scores[3] == nil)
            let loaded = try DecoderRewardModel(folder: folder)
            let again = try loaded.scores(pairs)
            #expect(zip(scores, again).allSatisfy { abs(($0 ?? 0) - ($1 ?? 0)) < 1e-5 })
            // Found as transformers finds it: the rightmost token that is not padding.
            let turns = format.encode(turns: [(false, "hello there"), (true, "fine thanks")], addReplyPrompt: false)
            let padded = turns + [format.pad, format.pad]
            let value = try withoutGradients {
                try loaded.scorer.scores(
                    Tensor(padded, shape: [1, padded.count]),
                    positions: Tensor(Array(padded.indices), shape: [1, padded.count]), mask: .causal)
            }.item()
            #expect(abs(value - (again[0] ?? 0)) < 1e-5)
        }
    }

    @Test("a run that was begun from another base is refused, and goes on from its own")
    func otherBase() throws {
        let (base, _) = try base()
        let folder = TrainerTests.folder()
        defer { for place in [base, folder] { try? FileManager.default.removeItem(at: place) } }
        func run(_ origin: String) throws {
            _ = try DecoderRewardTraining(kind: .binary, perStep: 6, options: TrainerTests.options(2)).run(
                data(), base: base, to: folder, today: .distantPast, origin: origin)
        }
        try run("model 1")
        let error = #expect(throws: TrainingError.self) { try run("model 2") }
        #expect(error.map { "\($0)".contains("another model") } == true)
        try run("model 1")
    }

    @Test("a setting that a method would pass over is named, not passed over")
    func unheard() throws {
        let (base, format) = try base()
        defer { try? FileManager.default.removeItem(at: base) }
        func fault(_ method: Training.Method, _ change: (inout MethodSettings) -> Void) throws -> String {
            var settings = MethodSettings()
            settings.perStep = 4
            change(&settings)
            let error = #expect(throws: TrainingError.self) {
                try MethodPlan(
                    method, settings: settings, data: data(), model: PretrainedDecoder.load(folder: base),
                    format: format, compute: .float32, seed: 1)
            }
            return error.map { "\($0)" } ?? ""
        }
        for method in [Training.Method.dpo, .kto, .pairwiseCringe] {
            let found = try fault(method) { $0.repetition = 0.5 }
            #expect(found.contains("\(method.rawValue) has no use for repetition"))
        }
        let (plain, shared) = (
            try fault(.sft) { $0.unlabelledPerStep = 2 }, try fault(.pairwiseCringe) { $0.overlap = .learned }
        )
        #expect(plain.contains("no use for unlabelled_per_step") && shared.contains("no use for overlap"))
    }

    @Test("a run that was begun with other margins is refused")
    func otherMargins() throws {
        let (base, _) = try base()
        let folder = TrainerTests.folder()
        defer { for place in [base, folder] { try? FileManager.default.removeItem(at: place) } }
        func run(_ margin: Double) throws {
            var data = data()
            for place in data.pairs.indices { data.pairs[place].item.margin = margin }
            _ = try DecoderRewardTraining(kind: .pairwise, perStep: 4, options: TrainerTests.options(2)).run(
                data, base: base, to: folder, today: .distantPast)
        }
        try run(1)
        let error = #expect(throws: TrainingError.self) { try run(2) }
        #expect(error.map { "\($0)".contains("these differ: loss") } == true)
        try run(1)
    }

    @Test("data of one kind is refused")
    func oneKind() throws {
        let (base, _) = try base()
        defer { try? FileManager.default.removeItem(at: base) }
        var data = data()
        data.examples = data.examples.filter { $0.item.label == .good }
        data.pairs = []
        for kind in ScoreLoss.Kind.allCases {
            #expect(throws: TrainingError.self) {
                try DecoderRewardTraining(kind: kind, options: TrainerTests.options(2)).run(
                    data, base: base, to: TrainerTests.folder(), today: .distantPast)
            }
        }
    }

    @Test("every method gets its loss and its batches from the same data, and trains")
    func methods() throws {
        let (base, format) = try base()
        defer { try? FileManager.default.removeItem(at: base) }
        var settings = MethodSettings()
        settings.perStep = 4
        for method in Training.Method.allCases {
            let model = try PretrainedDecoder.load(folder: base)
            let before = try TrainerTests.weights(model)
            let plan = try MethodPlan(
                method, settings: settings, data: data(), model: model, format: format, compute: .float32, seed: 1)
            #expect((plan.director != nil) == (method == .director))
            let trainer = try Trainer(
                model: model, loss: plan.loss, source: plan.source, options: TrainerTests.options(2))
            let summary = try trainer.run()
            #expect(try #require(summary.last).loss.isFinite)
            let after = try TrainerTests.weights(model)
            #expect(after.contains { $0.value != before[$0.key] }, "\(method)")
        }
        var one = data()
        one.examples = one.examples.filter { $0.item.label == .good }
        one.pairs = []
        for method in Training.Method.allCases where method.usesBad {
            #expect(throws: TrainingError.self) {
                try MethodPlan(
                    method, settings: settings, data: one, model: PretrainedDecoder.load(folder: base), format: format,
                    seed: 1)
            }
        }
    }

    @Test("KTO holds replies against the model as it was, or against another one that is named")
    func anchor() throws {
        let (base, format) = try base()
        defer { try? FileManager.default.removeItem(at: base) }
        var settings = MethodSettings()
        settings.perStep = 4
        func firstLoss(anchored: Bool) throws -> Double {
            let model = try PretrainedDecoder.load(folder: base)
            try withoutGradients {
                for (_, parameter) in model.namedParameters {
                    try parameter.value.copy(from: parameter.value * 1.2)
                }
            }
            let plan = try MethodPlan(
                .kto, settings: settings, data: data(), model: model,
                anchor: anchored ? PretrainedDecoder.load(folder: base) : nil, format: format, compute: .float32,
                seed: 1)
            let summary = try Trainer(
                model: model, loss: plan.loss, source: plan.source, options: TrainerTests.options(1)
            ).run()
            return try #require(summary.last).loss
        }
        // A model is as likely as itself: every reply costs 1 − σ(0).
        #expect(abs(try firstLoss(anchored: false) - 0.5) < 1e-4)
        #expect(abs(try firstLoss(anchored: true) - 0.5) > 1e-3)
    }

    // MARK: - The encoder

    private func encoder() throws -> URL { try LetterEncoder.folder() }

    /// The reply itself says little; what the person says next says all.
    private func votes(_ count: Int, seed: UInt64) -> [RewardExample] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { index in
            let isGood = generator.chance(0.5)
            return RewardExample(
                context: [Turn(.human, "tell me")], reply: ["abc def", "ghi jkl"][generator.index(below: 2)],
                isGood: isGood,
                userID: "u\(index % 12)", nextMessage: isGood ? "lovely" : "stop it")
        }
    }

    @Test(
        "the encoder learns end to end with the next message, its weights move, and the saved folder judges the same",
        arguments: [false, true])
    func encoderTraining(usesPrior: Bool) throws {
        let encoder = try encoder()
        let folder = TrainerTests.folder()
        defer { for place in [encoder, folder] { try? FileManager.default.removeItem(at: place) } }
        var training = EncoderRewardTraining()
        training.epochs = 6
        training.learningRate = 3e-3
        training.headLearningRate = 1e-2
        training.compute = .float32
        training.usesPrior = usesPrior
        var shape = EncoderRewardModel.Shape()
        shape.usesNextMessage = true
        var passes: [Double] = []
        let outcome = try training.train(
            votes(120, seed: 1), encoder: encoder, shape: shape, onPass: { _, loss in passes.append(loss) })
        #expect(passes == Array(outcome.losses.dropFirst()) && passes.count == training.epochs)
        let test = votes(60, seed: 2)
        let inputs = test.map(EncoderRewardModel.Input.init)
        let margins = try outcome.model.margins(inputs, compute: .float32)
        #expect(try ROC.auc(scores: margins, labels: test.map(\.isGood)) > 0.95)
        let fresh = try BertModel(folder: encoder)
        // A probe that knows everything leaves nothing to tune.
        for ((name, before), (_, after)) in zip(fresh.namedParameters, outcome.model.encoder.namedParameters)
        where !usesPrior {
            let moved = try before.value.floats() != after.value.floats()
            // The last norm's shift of every state moves too; embeddings stay as they are.
            #expect(moved == !name.hasPrefix("embeddings"), "\(name)")
        }
        let probabilities = try outcome.model.probabilities(inputs)
        let good = zip(probabilities, test).filter { $0.1.isGood }.map(\.0)
        #expect(good.reduce(0, +) / Double(good.count) > 0.7)
        try outcome.model.save(to: folder, like: encoder)
        let loaded = try EncoderRewardModel(folder: folder)
        let again = try loaded.margins(inputs, compute: .float32)
        #expect(zip(margins, again).allSatisfy { abs($0 - $1) < 1e-4 })
        #expect(loaded.shape == outcome.model.shape)
    }

    @Test("a pass takes every vote once, in batches of texts of about one length")
    func batches() {
        var draws = SeededGenerator(seed: 4)
        let lengths = (0..<103).map { 5 + $0 * 37 % 60 }
        let made = EncoderRewardTraining.batches(lengths, 8, &draws)
        #expect(made.joined().sorted() == Array(lengths.indices))
        #expect(made.allSatisfy { $0.count <= 8 })
        let padding = made.reduce(0) { sum, part in
            let longest = part.map { lengths[$0] }.max() ?? 0
            return sum + part.reduce(0) { $0 + longest - lengths[$1] }
        }
        #expect(Double(padding) < 0.2 * Double(lengths.reduce(0, +)))
        #expect(made != EncoderRewardTraining.batches(lengths, 8, &draws))
    }

    @Test("where tuning does not help, the kept model is the probe")
    func probe() throws {
        let encoder = try encoder()
        defer { try? FileManager.default.removeItem(at: encoder) }
        var training = EncoderRewardTraining()
        training.epochs = 1
        training.learningRate = 0.05
        training.headLearningRate = 100
        training.compute = .float32
        // Votes that nothing explains, learned far too fast.
        let outcome = try training.train(votes(120, seed: 1), encoder: encoder)
        #expect(outcome.epochs == 0 && outcome.losses.count == 2)
        let inputs = votes(60, seed: 2).map(EncoderRewardModel.Input.init)
        #expect(try outcome.model.tunedMargins(inputs, compute: .float32).allSatisfy { $0 == 0 })
        #expect(try outcome.model.margins(inputs) == outcome.model.prior?.margins(inputs))
    }

    @Test("a model without a probe does not take up the one that lay in its folder")
    func otherProbe() throws {
        let encoder = try encoder()
        let folder = TrainerTests.folder()
        defer { for place in [encoder, folder] { try? FileManager.default.removeItem(at: place) } }
        for usesPrior in [true, false] {
            var training = EncoderRewardTraining()
            training.epochs = 1
            training.compute = .float32
            training.usesPrior = usesPrior
            let outcome = try training.train(votes(120, seed: 1), encoder: encoder)
            try outcome.model.save(to: folder, like: encoder)
        }
        let inputs = votes(20, seed: 2).map(EncoderRewardModel.Input.init)
        #expect(try EncoderRewardModel(folder: folder).probeMargins(inputs).allSatisfy { $0 == 0 })
    }

    @Test("votes of one class, broken weights and too few people are refused")
    func refusals() {
        var votes = votes(40, seed: 1)
        func fault() -> String {
            do {
                try EncoderRewardTraining.check(votes)
                return "none"
            } catch {
                return "\(error)"
            }
        }
        #expect(fault() == "none")
        votes[3].weight = .nan
        #expect(fault().contains("the weight of vote 3"))
        votes = votes.filter(\.isGood)
        votes.removeAll { !$0.weight.isFinite }
        #expect(fault().contains("votes are good"))
        #expect(throws: TrainingError.self) { try EncoderRewardTraining.check([]) }
    }
}
