import Foundation
import LanguageModels
import Statistics
import Testing
import Torch

@testable import Training

/// A decoder of somebody else's, which knows of no dropout.
private final class PlainDecoder: LanguageModels.Decoder {
    private let model: LlamaModel

    init(_ model: LlamaModel) { self.model = model }

    var configuration: DecoderConfiguration { model.configuration }
    var namedParameters: [(name: String, parameter: Parameter)] { model.namedParameters }

    func hidden(
        _ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?, compute: DType?
    ) throws -> Tensor {
        try model.hidden(ids, positions: positions, mask: mask, cache: cache, compute: compute)
    }

    func logits(_ hidden: Tensor) throws -> Tensor { try model.logits(hidden) }
}

/// What a run does beside its steps: evaluating, stopping, going on, logging.
@Suite("Training runs", .serialized)
struct TrainerRunTests {
    private func trainer(
        _ folder: URL?, steps: Int = 8, lora: Bool = false, _ change: (inout TrainingOptions) -> Void = { _ in }
    ) throws -> Trainer {
        let base = try TinyModel.make(vocabulary: TrainerTests.vocabulary)
        let model: any LanguageModels.Decoder =
            lora
            ? try LoRAModel(
                base, adapter: LoRAConfiguration(rank: 2, alpha: 4, dropout: 0.2), generator: Generator(seed: 5)) : base
        var options = TrainerTests.options(steps)
        change(&options)
        return try Trainer(
            model: model, loss: CRINGELoss(alpha: 0.5, k: 3),
            source: BalancedSampler(
                TrainerTests.documents(12) + TrainerTests.documents(12, seed: 5, label: .bad), rowLength: 24,
                goodPerStep: 4, badPerStep: 4, seed: 2), options: options, folder: folder)
    }

    private func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
        let folder = TrainerTests.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    @Test(
        "cut at every step in turn it ends with the same weights, with dropout in the layers and in an adapter too",
        arguments: [false, true], [0, 0.2])
    func everyCut(lora: Bool, dropout: Double) throws {
        let drops: (inout TrainingOptions) -> Void = { $0.dropout = dropout }
        let uncut = try trainer(nil, steps: 6, lora: lora, drops)
        try uncut.run()
        for cut in 1..<6 {
            try withFolder { folder in
                let first = try trainer(folder, steps: 6, lora: lora, drops)
                #expect(throws: CancellationError.self) { try first.run(shouldStop: { first.step == cut }) }
                let second = try trainer(folder, steps: 6, lora: lora, drops)
                #expect(second.step == cut)
                try second.run()
                #expect(try TrainerTests.weights(second.model) == TrainerTests.weights(uncut.model), "cut at \(cut)")
            }
        }
    }

    @Test("dropout changes what is learned, and a decoder that cannot drop says so instead of learning without")
    func dropout() throws {
        let (plain, dropped) = (try trainer(nil), try trainer(nil) { $0.dropout = 0.3 })
        try plain.run()
        try dropped.run()
        #expect(try TrainerTests.weights(plain.model) != TrainerTests.weights(dropped.model))
        func other(_ dropout: Double) throws -> Trainer {
            var options = TrainerTests.options(1)
            options.dropout = dropout
            return try Trainer(
                model: PlainDecoder(TinyModel.make(vocabulary: TrainerTests.vocabulary)),
                loss: CrossEntropyLoss(),
                source: PackedSource(TrainerTests.documents(4), rowLength: 24, rowsPerStep: 2, seed: 2),
                options: options)
        }
        #expect(try other(0).trainStep().loss > 0)
        let error = #expect(throws: TrainingError.self) { try other(0.1) }
        #expect(error?.code == .options && "\(error!)".contains("drops nothing"))
        let range = #expect(throws: TrainingError.self) { try other(1) }
        #expect("\(range!)".contains("dropout must be"))
    }

    @Test("recomputed layers, micro-batches and chunks lead to the same weights")
    func recomputed() throws {
        let (plain, again) = (try trainer(nil), try trainer(nil) { $0.recomputesLayers = true })
        try plain.run()
        try again.run()
        #expect(try TrainerTests.weights(plain.model) == TrainerTests.weights(again.model))
        #expect(!again.model.recomputesLayers)
    }

    @Test("only an adapter's factors are learned, and only they are in the checkpoint")
    func adapter() throws {
        try withFolder { folder in
            let trainer = try trainer(folder, lora: true)
            let before = try TrainerTests.weights(trainer.model)
            try trainer.run()
            let after = try TrainerTests.weights(trainer.model)
            #expect(before.keys == after.keys && after.keys.allSatisfy { $0.contains("lora_") })
            #expect(after.allSatisfy { $0.value != before[$0.key] })
            let saved = try TensorFile.read(
                folder.appending(path: "checkpoints/step-000008/model.safetensors"), device: .cpu)
            #expect(Set(saved.keys) == Set(after.keys))
            #expect(trainer.model.dropoutSeed == nil)
        }
    }

    @Test("early stopping ends the run and goes back to the best weights, cut or not, with a folder or without")
    func earlyStopping() throws {
        let values = [1: 5.0, 2: 4.0, 3: 4.5, 4: 3.9, 5: 4.1, 6: 4.2, 7: 1, 8: 1]
        let rule: (inout TrainingOptions) -> Void = {
            $0.evaluateEvery = 1
            $0.earlyStopping = EarlyStopping(metric: "eval/held_out", patience: 2, minimumImprovement: 0.05)
        }
        var atFour: [String: [Float]] = [:]
        let memory = try trainer(nil, rule)
        let summary = try memory.run(
            onStep: { step in if step.step == 4 { atFour = try TrainerTests.weights(memory.model) } },
            evaluate: { ["held_out": values[memory.step] ?? 0] })
        #expect(summary.steps == 6 && summary.bestStep == 4)
        #expect(summary.last?.evaluation == ["held_out": 4.2])
        #expect(try TrainerTests.weights(memory.model) == atFour)
        try withFolder { folder in
            for cut in [3, 5] {
                let part = try trainer(folder, rule)
                #expect(throws: CancellationError.self) {
                    try part.run(evaluate: { ["held_out": values[part.step] ?? 0] }, shouldStop: { part.step == cut })
                }
            }
            let last = try trainer(folder, rule)
            let summary = try last.run(evaluate: { ["held_out": values[last.step] ?? 0] })
            #expect(summary.steps == 6 && summary.bestStep == 4 && summary.resumedFrom == 5)
            #expect(try TrainerTests.weights(last.model) == atFour)
            // Asked again it does nothing and still has them.
            let again = try trainer(folder, rule)
            #expect(try again.run(evaluate: { [:] }).last == nil)
            #expect(try TrainerTests.weights(again.model) == atFour)
        }
    }

    @Test("a figure to stop by that is none is named, with those that there are")
    func unknownMetric() throws {
        let trainer = try trainer(nil) {
            $0.evaluateEvery = 1
            $0.earlyStopping = EarlyStopping(metric: "eval/nothing")
        }
        do {
            try trainer.run(evaluate: { ["ppl": 2] })
            Issue.record("no error")
        } catch {
            #expect("\(error)".contains("early_stopping.metric eval/nothing"))
            #expect("\(error)".contains("eval/ppl") && "\(error)".contains("ppl_good"))
        }
        #expect(throws: TrainingError.self) {
            try self.trainer(nil) { $0.earlyStopping = EarlyStopping(metric: "loss") }
        }
    }

    @Test("a run that evaluates nothing can still be stopped by a step's own figures")
    func stoppedByItself() throws {
        let trainer = try trainer(nil) {
            $0.evaluateEvery = 1
            $0.earlyStopping = EarlyStopping(metric: "tokens", patience: 2, minimumImprovement: 1e9)
        }
        let summary = try trainer.run()
        #expect(summary.steps == 3 && summary.bestStep == 1)
    }

    @Test("every step logs its parts, log-probabilities, margin and speed")
    func figures() throws {
        try withFolder { folder in
            let base = try trainer(nil)
            let trainer = try Trainer(
                model: base.model, loss: base.loss,
                source: BalancedSampler(
                    TrainerTests.documents(12) + TrainerTests.documents(12, seed: 5, label: .bad), rowLength: 24,
                    goodPerStep: 4, badPerStep: 4, seed: 2), options: TrainerTests.options(2), folder: folder,
                peak: ComputePeak(operationsPerSecond: 1e9))
            try trainer.run()
            let text = try String(contentsOf: folder.appending(path: "metrics.jsonl"), encoding: .utf8)
            for name in [
                "ce", "ct", "logps/chosen", "logps/rejected", "margin", "ppl_good", "ppl_bad", "grad_norm", "lr",
                "tokens_per_second", "share_of_peak",
            ] { #expect(text.contains("\"\(name)\":"), "\(name)") }
            let events = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
                $0.hasPrefix("events.out.tfevents.")
            }
            #expect(events.count == 1)
            let bytes = try Data(contentsOf: folder.appending(path: try #require(events.first)))
            #expect(bytes.range(of: Data("logps/chosen".utf8)) != nil)
        }
    }

    @Test("the arithmetic of a step is what a count by hand says")
    func arithmetic() throws {
        let model = try TinyModel.make(vocabulary: 32)
        // Width 32, inner 64, 2 layers: 4·32² + 3·32·64 weights each; head 32·32.
        let matrices = 2 * (4 * 32 * 32 + 3 * 32 * 64)
        #expect(model.layerMatrixCount == matrices)
        let found = StepArithmetic(model).operations(lengths: [3, 5], supervised: 6)
        let products = 6.0 * Double(matrices * 8 + 32 * 32 * 6)
        #expect(found == products + 6.0 * Double(32 * 2 * (9 + 25)))
        #expect(try ComputePeak.measure(.float32).operationsPerSecond > 1e8)
    }

    @Test("options that a file does not name keep their defaults")
    func decoding() throws {
        let options = try JSONDecoder().decode(TrainingOptions.self, from: Data(#"{"steps": 3, "clip": 2}"#.utf8))
        var expected = TrainingOptions(steps: 3)
        expected.clip = 2
        #expect(options == expected)
        expected.earlyStopping = EarlyStopping(metric: "loss", goal: .higher, patience: 7)
        expected.recomputesLayers = true
        let again = try JSONDecoder().decode(TrainingOptions.self, from: JSONEncoder().encode(expected))
        #expect(again == expected)
    }
}
