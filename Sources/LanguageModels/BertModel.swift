import Foundation
import ModelFormats
import Torch

/// The BERT encoder (1810.04805), post-norm: what all-MiniLM-L6-v2 is made of.
public final class BertModel: Module, @unchecked Sendable {
    public let configuration: BertConfiguration
    private let words, positions, types: Parameter
    private let embeddingNorm: Affine
    private let layers: [Layer]

    private struct Affine {
        var weight, bias: Parameter
    }

    private struct Layer {
        var query, key, value, output, outputNorm, up, down, finalNorm: Affine
    }

    /// Loads a Hugging Face folder.
    /// - Throws: `ModelFormatsError` for a broken folder, `LanguageModelError` for a field or tensor that does not fit.
    public init(folder: URL, dtype: DType = .float32, device: Device = .cpu) throws {
        let place = try ModelFolder(folder)
        let type = try place.modelType()
        guard type == "bert" else {
            throw LanguageModelError(
                .configuration,
                "\(folder.path)/config.json: model_type “\(type)” is not supported here; bert is")
        }
        let configuration = try place.configuration(BertConfiguration.self)
        try configuration.validate()
        self.configuration = configuration
        // Heads beside the encoder (a pooler, a language-model head) are left where they are.
        let source = CheckpointSource(
            weights: try place.weights(), folder: folder, prefix: "bert.", dtype: dtype, device: device)
        func make(_ name: String, _ shape: [Int]) throws -> Parameter { try source.parameter("bert." + name, shape) }
        func affine(_ name: String, _ weight: [Int]) throws -> Affine {
            Affine(weight: try make(name + ".weight", weight), bias: try make(name + ".bias", [weight[0]]))
        }
        let (width, wide) = (configuration.hiddenSize, configuration.intermediateSize)
        words = try make("embeddings.word_embeddings.weight", [configuration.vocabularySize, width])
        positions = try make("embeddings.position_embeddings.weight", [configuration.contextLength, width])
        types = try make("embeddings.token_type_embeddings.weight", [configuration.typeCount, width])
        embeddingNorm = try affine("embeddings.LayerNorm", [width])
        layers = try (0..<configuration.layerCount).map { index in
            let at = "encoder.layer.\(index)."
            return Layer(
                query: try affine(at + "attention.self.query", [width, width]),
                key: try affine(at + "attention.self.key", [width, width]),
                value: try affine(at + "attention.self.value", [width, width]),
                output: try affine(at + "attention.output.dense", [width, width]),
                outputNorm: try affine(at + "attention.output.LayerNorm", [width]),
                up: try affine(at + "intermediate.dense", [wide, width]),
                down: try affine(at + "output.dense", [width, wide]),
                finalNorm: try affine(at + "output.LayerNorm", [width]))
        }
    }

    public var namedParameters: [(name: String, parameter: Parameter)] {
        func both(_ name: String, _ affine: Affine) -> [(name: String, parameter: Parameter)] {
            [(name + ".weight", affine.weight), (name + ".bias", affine.bias)]
        }
        var all: [(name: String, parameter: Parameter)] = [
            ("embeddings.word_embeddings.weight", words), ("embeddings.position_embeddings.weight", positions),
            ("embeddings.token_type_embeddings.weight", types),
        ]
        all += both("embeddings.LayerNorm", embeddingNorm)
        for (index, layer) in layers.enumerated() {
            let at = "encoder.layer.\(index)."
            all += both(at + "attention.self.query", layer.query) + both(at + "attention.self.key", layer.key)
            all += both(at + "attention.self.value", layer.value) + both(at + "attention.output.dense", layer.output)
            all += both(at + "attention.output.LayerNorm", layer.outputNorm) + both(at + "intermediate.dense", layer.up)
            all += both(at + "output.dense", layer.down) + both(at + "output.LayerNorm", layer.finalNorm)
        }
        return all
    }

    /// The tokens that texts of one pass are padded to: the longest one's, rounded up to a multiple of eight where the context has room.
    /// oneDNN compiles a product for every number of tokens that a pass may have, and keeps it: fewer numbers take less memory.
    public func paddedLength(of lengths: [Int]) -> Int {
        let longest = lengths.max() ?? 0
        return max(longest, min((longest + 7) / 8 * 8, configuration.contextLength))
    }

    /// Hidden states of the last layer.
    /// - Parameters:
    ///   - ids: int64 [B, T], T at most the context length.
    ///   - attentionMask: bool [B, T], false for padding.
    ///   - compute: The type to compute in; `nil` is the weights' own.
    /// - Returns: [B, T, H] in the compute type; what stands at padding is of no meaning.
    /// - Throws: `LanguageModelError` for shapes that do not fit, `TorchError` for an id outside the vocabulary.
    public func hidden(_ ids: Tensor, attentionMask: Tensor, compute: DType? = nil) throws -> Tensor {
        let last = configuration.layerCount
        return try hidden(ids, attentionMask: attentionMask, layers: [last], compute: compute)[0]
    }

    /// Hidden states of some layers; those after the last of them are not computed.
    /// - Parameter layers: From 1, in rising order.
    /// - Returns: One [B, T, H] per layer; the rest as `hidden(_:attentionMask:compute:)`.
    public func hidden(
        _ ids: Tensor, attentionMask: Tensor, layers wanted: [Int], compute: DType? = nil
    ) throws -> [Tensor] {
        guard let last = wanted.last, wanted == wanted.sorted(), wanted[0] > 0, last <= layers.count else {
            throw LanguageModelError(.input, "layers \(wanted) are not in rising order from 1 to \(layers.count)")
        }
        guard ids.rank == 2, attentionMask.shape == ids.shape, ids.shape[1] <= configuration.contextLength else {
            throw LanguageModelError(
                .input,
                "ids and mask must both be [B, T] with T at most \(configuration.contextLength); "
                    + "they are \(ids.shape) and \(attentionMask.shape)")
        }
        let (batch, length) = (ids.shape[0], ids.shape[1])
        let place = try positions.value.narrow(dim: 0, start: 0, length: length)
        let kind = try types.value.narrow(dim: 0, start: 0, length: 1)
        let embedded = try ids.embedding(weight: words.value) + place + kind
        var x = try norm(compute.map { try embedded.to($0) } ?? embedded, embeddingNorm)
        let mask = try attentionMask.to(.bool).reshape([batch, 1, 1, length]).expand([batch, 1, length, length])
        let size = configuration.hiddenSize / configuration.headCount
        var found: [Tensor] = []
        for (index, layer) in layers.prefix(last).enumerated() {
            func heads(_ affine: Affine) throws -> Tensor {
                try linear(x, affine).reshape([batch, length, configuration.headCount, size]).transpose(1, 2)
            }
            let mixed = try heads(layer.query).scaledDotProductAttention(
                key: heads(layer.key), value: heads(layer.value), mask: mask)
            let joined = try mixed.transpose(1, 2).reshape([batch, length, configuration.hiddenSize])
            x = try norm(linear(joined, layer.output) + x, layer.outputNorm)
            x = try norm(linear(linear(x, layer.up).gelu(), layer.down) + x, layer.finalNorm)
            if wanted.contains(index + 1) { found.append(x) }
        }
        return found
    }

    private func linear(_ x: Tensor, _ affine: Affine) throws -> Tensor {
        try x.linear(weight: affine.weight.value.to(x.dtype), bias: affine.bias.value.to(x.dtype))
    }

    private func norm(_ x: Tensor, _ affine: Affine) throws -> Tensor {
        try x.layerNorm(
            weight: affine.weight.value.to(x.dtype), bias: affine.bias.value.to(x.dtype), eps: configuration.normEpsilon
        )
    }
}
