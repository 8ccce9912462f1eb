import LanguageModels
import Synchronization
import Testing
import Torch

@testable import Training

/// Notes how long the rows are that go through a model.
private final class RowRecorder: LanguageModels.Decoder {
    private let model: LlamaModel
    private let lengths = Mutex<[Int]>([])

    init(_ model: LlamaModel) { self.model = model }

    var longest: Int { lengths.withLock { $0.max() ?? 0 } }
    var configuration: DecoderConfiguration { model.configuration }
    var namedParameters: [(name: String, parameter: Parameter)] { model.namedParameters }

    func hidden(
        _ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?, compute: DType?
    ) throws -> Tensor {
        let length = ids.shape[1]
        lengths.withLock { $0.append(length) }
        return try model.hidden(ids, positions: positions, mask: mask, cache: cache, compute: compute)
    }

    func logits(_ hidden: Tensor) throws -> Tensor { try model.logits(hidden) }
}

@Suite("Rows of models that read much more than a chat has", .serialized)
struct RowLengthTests {
    private func model() throws -> LlamaModel {
        try LlamaModel(
            LlamaConfiguration(
                vocabularySize: 32, hiddenSize: 16, intermediateSize: 16, layerCount: 1, headCount: 2,
                contextLength: 4096, padID: 0),
            generator: Generator(seed: 1), dtype: .float32, device: .cpu)
    }

    private func document(_ count: Int) throws -> TokenizedExample {
        try TokenizedExample(
            ids: (0..<count).map { Int32($0 % 32) },
            labels: [TokenLabel](repeating: .ignored, count: count - 1) + [.good])
    }

    @Test("replies are scored in rows of 1,024 tokens, or of the longest one")
    func scoring() throws {
        let recorder = RowRecorder(try model())
        let scorer = ReplyScorer(model: recorder, compute: .float32)
        let documents = try (0..<60).map { _ in try document(40) }
        #expect(try scorer.scores(documents).allSatisfy { $0.tokenCount == 1 })
        #expect(recorder.longest == 1000)
        _ = try scorer.scores([document(1200)] + documents)
        #expect(recorder.longest == 1200)
        #expect(throws: TrainingError.self) { try scorer.scores([document(4097)]) }
    }

    @Test("so are the model's own repetitions")
    func repetitions() throws {
        // A prompt of every token there is: whatever the model answers, the prompt holds it.
        let documents = try (0..<40).map { _ in
            try TokenizedExample(
                ids: (0..<32).map { Int32($0) } + [5], labels: [TokenLabel](repeating: .ignored, count: 32) + [.good])
        }
        let loss = try RepetitionUnlikelihoodLoss(CrossEntropyLoss(), n: 1, share: 1, length: 4)
        let begun = try loss.begin(
            LossContext(
                model: model(), batches: [Batch(rows: documents.map { [$0] }, padID: 0)], compute: .float32))
        #expect(begun.batches.reduce(0) { $0 + $1.tokenCount } > 1024)
        #expect(begun.batches.allSatisfy { $0.length <= 1024 })
    }
}
