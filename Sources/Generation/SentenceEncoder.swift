import Conversations
import Foundation
import LanguageModels
import Tokenizers
import Torch

/// Turns texts into unit vectors with a BERT encoder: word pieces, last hidden states, their mean, scaled to length 1.
///
/// This is what all-MiniLM-L6-v2 does in sentence-transformers. May be used from many tasks.
public final class SentenceEncoder: TextEncoder {
    public let dimension: Int
    /// Most tokens of a text that are read, its begin and end included.
    public let maximumLength: Int
    let model: BertModel
    let tokenizer: WordPiece
    let lane: ComputeLane
    let batchTokens: Int

    /// Loads a folder with `config.json`, `model.safetensors` and `tokenizer.json`.
    /// - Parameters:
    ///   - dtype: type of the weights and of computing; bfloat16 is faster and off by about 1e-2 in each vector's angle.
    ///   - batchTokens: most padded tokens of one pass; small passes stay in the processor's caches and are faster
    ///     there, an accelerator wants more.
    public init(
        folder: URL, dtype: DType = .float32, device: Device = .cpu, maximumLength: Int = 256,
        batchTokens: Int = 512, lane: ComputeLane = ComputeLane()
    ) throws {
        try SentencePooling.requireMean(in: folder)
        model = try BertModel(folder: folder, dtype: dtype, device: device)
        tokenizer = try WordPiece(contentsOf: folder.appendingPathComponent("tokenizer.json"))
        guard tokenizer.vocabularySize <= model.configuration.vocabularySize else {
            throw GenerationError(
                .mismatch,
                "\(folder.path): the tokenizer has \(tokenizer.vocabularySize) tokens, "
                    + "the model only \(model.configuration.vocabularySize)")
        }
        dimension = model.configuration.hiddenSize
        self.maximumLength = min(maximumLength, model.configuration.contextLength)
        self.batchTokens = max(1, batchTokens)
        self.lane = lane
    }

    /// Tokens of a whole text, its begin and end included: more than `maximumLength` where the text is too long to be read.
    public func tokenCount(of text: String) -> Int { tokenizer.encode(text, parsing: .ordinary).count + 2 }

    public func encode(_ texts: [String]) async throws -> [[Float]] {
        // People say the same short things again and again: each distinct text is computed once.
        var places: [String: Int] = [:]
        var inputs: [[Int]] = []
        let owners = texts.map { text in
            if let place = places[text] { return place }
            places[text] = inputs.count
            inputs.append(tokenizer.encode(text, maximumLength: maximumLength))
            return inputs.count - 1
        }
        let order = inputs.indices.sorted { (inputs[$1].count, $0) < (inputs[$0].count, $1) }
        var vectors = [[Float]](repeating: [], count: inputs.count)
        var start = 0
        while start < order.count {
            let rows = max(1, batchTokens / max(inputs[order[start]].count, 1))
            let part = Array(order[start..<min(start + rows, order.count)])
            start += part.count
            let batch = part.map { inputs[$0] }
            let values = try await lane.run { try self.vectors(batch) }
            for (row, place) in part.enumerated() {
                vectors[place] = Array(values[(row * dimension)..<((row + 1) * dimension)])
            }
        }
        return owners.map { vectors[$0] }
    }

    private func vectors(_ inputs: [[Int]]) throws -> [Float] {
        let columns = model.paddedLength(of: inputs.map(\.count))
        var ids: [Int] = []
        var isReal: [Bool] = []
        for input in inputs {
            let padding = columns - input.count
            ids += input + repeatElement(tokenizer.pad, count: padding)
            isReal += Array(repeating: true, count: input.count) + repeatElement(false, count: padding)
        }
        return try withoutGradients {
            let device = model.namedParameters.first?.parameter.value.device ?? .cpu
            let shape = [inputs.count, columns]
            let mask = try Tensor(isReal, shape: shape, device: device)
            let hidden = try model.hidden(Tensor(ids, shape: shape, device: device), attentionMask: mask).to(.float32)
            let weights = try mask.to(.float32).unsqueeze(-1)
            // The sum points where the mean does, and only the direction is kept.
            let sum = try (hidden * weights).sum(dim: 1)
            let length = try sum.square().sum(dim: -1, keepDim: true).sqrt().clamp(min: 1e-12)
            return try (sum / length).floats()
        }
    }
}
