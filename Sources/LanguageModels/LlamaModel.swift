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
    /// `nil` when the head is the embedding.
    private let head: Parameter?
    private let inverseFrequencies: Tensor

    private struct Layer {
        var attentionNorm, query, key, value, output: Parameter
        var feedForwardNorm, gate, up, down: Parameter
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
        embedding = try make("model.embed_tokens.weight", [llama.vocabularySize, width])
        layers = try (0..<llama.layerCount).map { index in
            let at = "model.layers.\(index)."
            return Layer(
                attentionNorm: try make(at + "input_layernorm.weight", [width]),
                query: try make(at + "self_attn.q_proj.weight", [queries, width]),
                key: try make(at + "self_attn.k_proj.weight", [keys, width]),
                value: try make(at + "self_attn.v_proj.weight", [keys, width]),
                output: try make(at + "self_attn.o_proj.weight", [width, queries]),
                feedForwardNorm: try make(at + "post_attention_layernorm.weight", [width]),
                gate: try make(at + "mlp.gate_proj.weight", [llama.intermediateSize, width]),
                up: try make(at + "mlp.up_proj.weight", [llama.intermediateSize, width]),
                down: try make(at + "mlp.down_proj.weight", [width, llama.intermediateSize]))
        }
        norm = try make("model.norm.weight", [width])
        head = llama.tiesEmbeddings ? nil : try make("lm_head.weight", [llama.vocabularySize, width])
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
            all += [
                (at + "input_layernorm.weight", layer.attentionNorm), (at + "self_attn.q_proj.weight", layer.query),
                (at + "self_attn.k_proj.weight", layer.key), (at + "self_attn.v_proj.weight", layer.value),
                (at + "self_attn.o_proj.weight", layer.output),
                (at + "post_attention_layernorm.weight", layer.feedForwardNorm),
                (at + "mlp.gate_proj.weight", layer.gate), (at + "mlp.up_proj.weight", layer.up),
                (at + "mlp.down_proj.weight", layer.down),
            ]
        }
        all.append(("model.norm.weight", norm))
        if let head { all.append(("lm_head.weight", head)) }
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
            let gated = try linear(fed, layer.gate).silu() * linear(fed, layer.up)
            x = try x + linear(gated, layer.down)
        }
        cache?.advance(by: ids.shape[1])
        return try rms(x, norm)
    }

    public func logits(_ hidden: Tensor) throws -> Tensor { try linear(hidden, head ?? embedding) }

    private func linear(_ x: Tensor, _ weight: Parameter) throws -> Tensor {
        try x.linear(weight: weight.value.to(x.dtype))
    }

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
        func heads(_ weight: Parameter, _ count: Int) throws -> Tensor {
            try linear(x, weight).reshape([batch, length, count, llama.headDimension]).transpose(1, 2)
        }
        let query = try rotate(heads(layer.query, llama.headCount), rotation)
        var key = try rotate(heads(layer.key, llama.keyValueHeadCount), rotation)
        var value = try heads(layer.value, llama.keyValueHeadCount)
        let before = cache?.length ?? 0
        if let cache { (key, value) = try cache.extend(layer: index, key: key, value: value) }
        let mixed: Tensor
        switch mask {
        case .explicit(let mask):
            mixed = try query.scaledDotProductAttention(key: key, value: value, mask: mask)
        case .causal where length == 1:
            mixed = try query.scaledDotProductAttention(key: key, value: value)
        case .causal where before == 0:
            mixed = try query.scaledDotProductAttention(key: key, value: value, isCausal: true)
        case .causal:
            // New tokens after a prefix: each sees the prefix and the new ones up to itself.
            let rows = try (Tensor.arange(length, device: x.device) + Double(before)).reshape([1, 1, length, 1])
            let columns = try Tensor.arange(before + length, device: x.device).reshape([1, 1, 1, before + length])
            mixed = try query.scaledDotProductAttention(key: key, value: value, mask: columns.lessOrEqual(to: rows))
        }
        let joined = try mixed.transpose(1, 2).reshape([batch, length, llama.headCount * llama.headDimension])
        return try linear(joined, layer.output)
    }
}
