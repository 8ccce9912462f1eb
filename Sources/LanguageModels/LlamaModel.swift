import Foundation
import ModelFormats
import Torch

/// The Llama family (arXiv 2302.13971): root-mean-square norms, rotary positions (half-split, as Hugging Face has it), gated SiLU
/// feed-forward, grouped-query attention, tied or separate head.
public final class LlamaModel: Decoder, @unchecked Sendable {
    public let llama: LlamaConfiguration
    private let embedding: Parameter
    private let layers: [Layer]
    private let norm: Parameter
    /// Made of the embedding where the two are tied.
    private let head: Linear
    private let inverseFrequencies: Tensor

    private struct Layer {
        var attentionNorm, feedForwardNorm: Parameter
        var query, key, value, output: Linear
        var gate, up, down: Linear
    }

    public var configuration: DecoderConfiguration {
        DecoderConfiguration(
            vocabularySize: llama.vocabularySize, hiddenSize: llama.hiddenSize, layerCount: llama.layerCount,
            headCount: llama.headCount, keyValueHeadCount: llama.keyValueHeadCount, headDimension: llama.headDimension,
            contextLength: llama.contextLength, padID: llama.padID, endIDs: llama.endIDs)
    }

    // MARK: - Making

    private init(_ llama: LlamaConfiguration, tensor: (_ name: String, _ shape: [Int]) throws -> Tensor) throws {
        try llama.validate()
        self.llama = llama
        let width = llama.hiddenSize
        let (queries, keys) = (llama.headCount * llama.headDimension, llama.keyValueHeadCount * llama.headDimension)
        func make(_ name: String, _ shape: [Int]) throws -> Parameter { Parameter(try tensor(name, shape)) }
        func linear(_ name: String, _ shape: [Int]) throws -> Linear {
            Linear(weight: try make(name + ".weight", shape))
        }
        embedding = try make("model.embed_tokens.weight", [llama.vocabularySize, width])
        layers = try (0..<llama.layerCount).map { index in
            let at = "model.layers.\(index)."
            return Layer(
                attentionNorm: try make(at + "input_layernorm.weight", [width]),
                feedForwardNorm: try make(at + "post_attention_layernorm.weight", [width]),
                query: try linear(at + "self_attn.q_proj", [queries, width]),
                key: try linear(at + "self_attn.k_proj", [keys, width]),
                value: try linear(at + "self_attn.v_proj", [keys, width]),
                output: try linear(at + "self_attn.o_proj", [width, queries]),
                gate: try linear(at + "mlp.gate_proj", [llama.intermediateSize, width]),
                up: try linear(at + "mlp.up_proj", [llama.intermediateSize, width]),
                down: try linear(at + "mlp.down_proj", [width, llama.intermediateSize]))
        }
        norm = try make("model.norm.weight", [width])
        head =
            llama.tiesEmbeddings
            ? Linear(weight: embedding) : try linear("lm_head", [llama.vocabularySize, width])
        let half = llama.headDimension / 2
        inverseFrequencies = try Tensor(
            (0..<half).map { Float(pow(llama.ropeTheta, -Double($0) / Double(half))) }, device: embedding.value.device)
    }

    /// Fresh weights: normal with deviation 0.02, those that write into the residual stream scaled down by the depth
    /// (GPT-2's rule), norms one.
    public convenience init(
        _ llama: LlamaConfiguration, generator: Generator, dtype: DType = .float32, device: Device = .cpu
    ) throws {
        let residual = 0.02 / (2 * Double(llama.layerCount)).squareRoot()
        try self.init(llama) { name, shape in
            if shape.count == 1 { return try Tensor.ones(shape, dtype: dtype, device: device) }
            let deviation = name.hasSuffix("o_proj.weight") || name.hasSuffix("down_proj.weight") ? residual : 0.02
            return try (Tensor.randn(shape, generator: generator) * deviation).to(dtype).to(device)
        }
    }

    /// Loads a Hugging Face folder.
    /// - Throws: `ModelFormatsError` for a broken folder, `LanguageModelError` for a field or tensor that does not fit.
    public convenience init(folder: URL, dtype: DType = .float32, device: Device = .cpu) throws {
        let place = try ModelFolder(folder)
        let type = try place.modelType()
        guard type == "llama" else {
            throw LanguageModelError(
                .configuration,
                "\(folder.path)/config.json: model_type “\(type)” is not supported here; llama is")
        }
        var configuration = try place.configuration(LlamaConfiguration.self)
        let generation = try place.generationConfiguration()
        if !generation.endIDs.isEmpty { configuration.endIDs = generation.endIDs }
        let weights = try place.weights()
        try self.init(configuration) { name, shape in
            try TensorLoading.tensor(name, shape: shape, from: weights, dtype: dtype, device: device, folder: folder)
        }
    }

    public var namedParameters: [(name: String, parameter: Parameter)] {
        var all: [(name: String, parameter: Parameter)] = [("model.embed_tokens.weight", embedding)]
        for (index, layer) in layers.enumerated() {
            let at = "model.layers.\(index)."
            all.append((at + "input_layernorm.weight", layer.attentionNorm))
            all += layer.query.named(at + "self_attn.q_proj") + layer.key.named(at + "self_attn.k_proj")
            all += layer.value.named(at + "self_attn.v_proj") + layer.output.named(at + "self_attn.o_proj")
            all.append((at + "post_attention_layernorm.weight", layer.feedForwardNorm))
            all += layer.gate.named(at + "mlp.gate_proj") + layer.up.named(at + "mlp.up_proj")
            all += layer.down.named(at + "mlp.down_proj")
        }
        all.append(("model.norm.weight", norm))
        if !llama.tiesEmbeddings { all += head.named("lm_head") }
        return all
    }

    /// Writes `config.json` and `model.safetensors` so that transformers loads the folder.
    public func save(to folder: URL, metadata: [String: String] = [:]) throws {
        let place = try ModelFolder.create(at: folder)
        try place.encode(llama, to: "config.json")
        try TensorLoading.write(namedParameters, metadata: metadata, to: place.file("model.safetensors"))
    }

    // MARK: - Running

    public func hidden(
        _ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?, compute: DType?
    ) throws -> Tensor {
        guard ids.rank == 2, positions.shape == ids.shape else {
            throw LanguageModelError(
                .input, "ids and positions must both be [B, T]; they are \(ids.shape) and \(positions.shape)")
        }
        let type = compute ?? embedding.value.dtype
        let rotation = try self.rotation(positions, type)
        var x = try ids.embedding(weight: embedding.value).to(type)
        for (index, layer) in layers.enumerated() {
            let normed = try rms(x, layer.attentionNorm)
            x = try x + attention(normed, layer, index, rotation, mask, cache)
            let fed = try rms(x, layer.feedForwardNorm)
            x = try x + layer.down(layer.gate(fed).silu() * layer.up(fed))
        }
        cache?.advance(by: ids.shape[1])
        return try rms(x, norm)
    }

    public func logits(_ hidden: Tensor) throws -> Tensor { try head(hidden) }

    /// Statistics in float32 whatever the compute type, as the original has it.
    private func rms(_ x: Tensor, _ weight: Parameter) throws -> Tensor {
        guard x.dtype == .bfloat16 || x.dtype == .float16 else {
            return try x.rmsNorm(weight: weight.value.to(x.dtype), eps: llama.normEpsilon)
        }
        return try x.to(.float32).rmsNorm(weight: weight.value.to(.float32), eps: llama.normEpsilon).to(x.dtype)
    }

    /// Cosine and sine of each position's angles, [B, 1, T, D].
    private func rotation(_ positions: Tensor, _ type: DType) throws -> (cosine: Tensor, sine: Tensor) {
        let wide: DType = type == .float64 ? .float64 : .float32
        let angles = try positions.to(wide).unsqueeze(-1) * inverseFrequencies.to(wide)
        let both = try Tensor.cat([angles, angles], dim: -1).unsqueeze(1)
        return (try both.cos().to(type), try both.sin().to(type))
    }

    private func rotate(_ x: Tensor, _ rotation: (cosine: Tensor, sine: Tensor)) throws -> Tensor {
        let half = llama.headDimension / 2
        let turned = try Tensor.cat(
            [-x.narrow(dim: -1, start: half, length: half), x.narrow(dim: -1, start: 0, length: half)], dim: -1)
        return try x * rotation.cosine + turned * rotation.sine
    }

    private func attention(
        _ x: Tensor, _ layer: Layer, _ index: Int, _ rotation: (cosine: Tensor, sine: Tensor), _ mask: AttentionMask,
        _ cache: KVCache?
    ) throws -> Tensor {
        let (batch, length) = (x.shape[0], x.shape[1])
        func heads(_ linear: Linear, _ count: Int) throws -> Tensor {
            try linear(x).reshape([batch, length, count, llama.headDimension]).transpose(1, 2)
        }
        let mixed = try Attention()(
            query: rotate(heads(layer.query, llama.headCount), rotation),
            key: rotate(heads(layer.key, llama.keyValueHeadCount), rotation),
            value: heads(layer.value, llama.keyValueHeadCount), layer: index, mask: mask, cache: cache)
        return try layer.output(mixed)
    }
}
