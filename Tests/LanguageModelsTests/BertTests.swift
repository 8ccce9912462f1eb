import Foundation
import LanguageModels
import Testing
import Torch

@Suite("BERT")
struct BertTests {
    /// Mean of the real tokens' states, scaled to length 1: what all-MiniLM-L6-v2 calls a sentence's vector.
    private func vectors(_ model: BertModel, _ rows: [[Int]]) throws -> [[Double]] {
        let length = rows.map(\.count).max() ?? 0
        let ids = try Tensor(
            rows.flatMap { $0 + Array(repeating: 0, count: length - $0.count) }, shape: [rows.count, length])
        let real = rows.flatMap { row in (0..<length).map { $0 < row.count } }
        let mask = try Tensor(real, shape: [rows.count, length])
        return try withoutGradients {
            let states = try model.hidden(ids, attentionMask: mask)
            let kept = try states * mask.to(states.dtype).unsqueeze(-1)
            let sum = try kept.to(.float32).sum(dim: 1)
            let unit = try (sum / sum.square().sum(dim: 1, keepDim: true).sqrt()).doubles()
            let width = unit.count / max(rows.count, 1)
            return rows.indices.map { Array(unit[($0 * width)..<(($0 + 1) * width)]) }
        }
    }

    @Test("sentence vectors of all-MiniLM-L6-v2 equal transformers' to 1e-4 on 50 texts, alone and in padded batches")
    func miniLM() throws {
        let model = try BertModel(folder: FixtureFiles.encoder)
        let sentences = try FixtureFiles.sentences()
        #expect(sentences.count == 50 && sentences.contains { $0.text.isEmpty })
        #expect(sentences.map(\.ids.count).max() == 256)
        // Neighbours in length share a batch; its padding must not be seen.
        let sorted = sentences.sorted { $0.ids.count < $1.ids.count }
        for start in stride(from: 0, to: sorted.count, by: 10) {
            let batch = sorted[start..<min(start + 10, sorted.count)]
            for (sentence, vector) in zip(batch, try vectors(model, batch.map(\.ids))) {
                #expect(distance(vector, sentence.vector) < 1e-4, "\(sentence.text.prefix(40))")
            }
        }
        let short = try #require(sentences.first)
        #expect(distance(try vectors(model, [short.ids])[0], short.vector) < 1e-4)
    }

    @Test("bfloat16 is close")
    func bfloat16() throws {
        let model = try BertModel(folder: FixtureFiles.encoder, dtype: .bfloat16)
        let sentence = try #require(try FixtureFiles.sentences().first)
        let vector = try vectors(model, [sentence.ids])[0]
        let cosine = zip(vector, sentence.vector).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(cosine > 0.995 && cosine < 0.9999999)
    }

    @Test("what does not fit is an error")
    func badInput() throws {
        let model = try BertModel(folder: FixtureFiles.encoder)
        #expect(model.namedParameters.count == 5 + 6 * 16)
        #expect([[], [3], [8, 9], [505], [513]].map(model.paddedLength(of:)) == [0, 8, 16, 512, 513])
        let mask = try Tensor.ones([1, 513], dtype: .bool)
        #expect(throws: LanguageModelError.self) {
            try model.hidden(Tensor.zeros([1, 513], dtype: .int64), attentionMask: mask)
        }
        #expect(throws: LanguageModelError.self) {
            try model.hidden(Tensor.zeros([1, 3], dtype: .int64), attentionMask: mask)
        }
        #expect(throws: TorchError.self) {
            try model.hidden(Tensor([30_522], shape: [1, 1]), attentionMask: Tensor.ones([1, 1], dtype: .bool))
        }
        #expect(throws: LanguageModelError.self) { try BertModel(folder: FixtureFiles.llama) }
    }
}
