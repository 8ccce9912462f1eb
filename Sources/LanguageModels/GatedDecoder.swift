import Foundation
import ModelFormats
import Torch

/// The decoder that Llama made common: root-mean-square norms, rotary positions, grouped-query attention, a gated
/// feed-forward, tied or separate head. `Family` says which biases, norms and windows it has.
public final class GatedDecoder<Family: GatedFamily>: CheckpointDecoder, @unchecked Sendable {
    public let family: Family
    /// The family's own, at hand: each step reads them for every layer.
    private let shape: GatedConfiguration
    private let options: GatedOptions
    private let embedding: Parameter
    private var layers: [Layer]
    private let norm: RMSNorm
    /// Made of the embedding where the two are tied; `nil` in a scorer's body.
    private var head: Linear?
    private let rotation: Rotation
    public var recomputesLayers = false

    private struct Layer {
        var attentionNorm, feedForwardNorm: RMSNorm
        var query, key, value, output: Linear
        /// Over each head; `nil` in most families.
        var queryNorm, keyNorm: RMSNorm?
        var gate, up, down: Linear
    }

    public static var modelType: String { Family.modelType }
    public var configuration: DecoderConfiguration { family.decoder }

    static var prefix: String { "model." }
    static var embeddingName: String { "model.embed_tokens.weight" }
    static func isBuffer(_ name: String) -> Bool { name.hasSuffix(".rotary_emb.inv_freq") }

    // MARK: - Making

    init(_ family: Family, hasHead: Bool, source: any WeightSource) throws {
        try family.validate()
        self.family = family
        let (shape, options) = (family.gated, family.options)
        (self.shape, self.options) = (shape, options)
        let (width, wide, size) = (shape.hiddenSize, shape.intermediateSize, shape.headDimension)
        let (queries, keys) = (shape.headCount * size, shape.keyValueHeadCount * size)
        func norm(_ name: String, _ width: Int) throws -> RMSNorm {
            try source.rmsNorm(name, width: width, epsilon: shape.normEpsilon)
        }
        embedding = try source.parameter(Self.embeddingName, [shape.vocabularySize, width])
        layers = try (0..<shape.layerCount).map { index in
            let at = "model.layers.\(index)."
            let (attention, feed) = (at + "self_attn.", at + "mlp.")
            let (inner, outer, fed) = (options.queryKeyValueBias, options.outputBias, options.feedForwardBias)
            return Layer(
                attentionNorm: try norm(at + "input_layernorm", width),
                feedForwardNorm: try norm(at + "post_attention_layernorm", width),
                query: try source.linear(attention + "q_proj", from: width, to: queries, bias: inner),
                key: try source.linear(attention + "k_proj", from: width, to: keys, bias: inner),
                value: try source.linear(attention + "v_proj", from: width, to: keys, bias: inner),
                output: try source.linear(attention + "o_proj", from: queries, to: width, bias: outer),
                queryNorm: options.headNorms ? try norm(attention + "q_norm", size) : nil,
                keyNorm: options.headNorms ? try norm(attention + "k_norm", size) : nil,
                gate: try source.linear(feed + "gate_proj", from: width, to: wide, bias: fed),
                up: try source.linear(feed + "up_proj", from: width, to: wide, bias: fed),
                down: try source.linear(feed + "down_proj", from: wide, to: width, bias: fed))
        }
        self.norm = try norm("model.norm", width)
        if !hasHead {
            head = nil
        } else if shape.tiesEmbeddings {
            head = Linear(weight: embedding)
        } else {
            head = try source.linear("lm_head", from: width, to: shape.vocabularySize)
        }
        rotation = try Rotation(
            shape.rotary, dimension: size, contextLength: shape.contextLength, device: embedding.value.device)
    }

    /// Fresh weights: normal with deviation 0.02, those that write into the residual stream scaled down by the depth
    /// (GPT-2's rule), norms one, biases zero.
    public convenience init(
        _ family: Family, generator: Generator, dtype: DType = .float32, device: Device = .cpu
    ) throws {
        try family.validate()
        try self.init(
            family, hasHead: true,
            source: FreshWeights(
                layerCount: family.gated.layerCount, generator: generator, dtype: dtype, device: device))
    }

    private init(sharing other: GatedDecoder) {
        (family, shape, options) = (other.family, other.shape, other.options)
        (embedding, layers, norm) = (other.embedding, other.layers, other.norm)
        (head, rotation) = (other.head, other.rotation)
    }

    public func sharingWeights() -> GatedDecoder { GatedDecoder(sharing: self) }

    public convenience init(folder: URL, dtype: DType = .float32, device: Device = .cpu) throws {
        try self.init(opening: folder, as: .decoder, dtype: dtype, device: device)
    }

    public func save(to folder: URL, metadata: [String: String] = [:]) throws {
        try write(to: folder, metadata: metadata)
    }

    // MARK: - Weights

    public var namedParameters: [(name: String, parameter: Parameter)] {
        var all: [(name: String, parameter: Parameter)] = [(Self.embeddingName, embedding)]
        for (index, layer) in layers.enumerated() {
            let at = "model.layers.\(index)."
            let (attention, feed) = (at + "self_attn.", at + "mlp.")
            all.append((at + "input_layernorm.weight", layer.attentionNorm.weight))
            all += layer.query.named(attention + "q_proj") + layer.key.named(attention + "k_proj")
            all += layer.value.named(attention + "v_proj") + layer.output.named(attention + "o_proj")
            if let norm = layer.queryNorm { all.append((attention + "q_norm.weight", norm.weight)) }
            if let norm = layer.keyNorm { all.append((attention + "k_norm.weight", norm.weight)) }
            all.append((at + "post_attention_layernorm.weight", layer.feedForwardNorm.weight))
            all += layer.gate.named(feed + "gate_proj") + layer.up.named(feed + "up_proj")
            all += layer.down.named(feed + "down_proj")
        }
        all.append(("model.norm.weight", norm.weight))
        if !shape.tiesEmbeddings, let head { all += head.named("lm_head") }
        return all
    }

    func checkpointTensors() throws -> [(name: String, tensor: Tensor)] {
        namedParameters.map { ($0.name, $0.parameter.value) }
    }

    public func replaceLinears(_ change: (_ name: String, _ linear: Linear) throws -> Linear) throws {
        for index in layers.indices {
            let (attention, feed) = ("model.layers.\(index).self_attn.", "model.layers.\(index).mlp.")
            layers[index].query = try change(attention + "q_proj", layers[index].query)
            layers[index].key = try change(attention + "k_proj", layers[index].key)
            layers[index].value = try change(attention + "v_proj", layers[index].value)
            layers[index].output = try change(attention + "o_proj", layers[index].output)
            layers[index].gate = try change(feed + "gate_proj", layers[index].gate)
            layers[index].up = try change(feed + "up_proj", layers[index].up)
            layers[index].down = try change(feed + "down_proj", layers[index].down)
        }
        head = try head.map { try change("lm_head", $0) }
    }

    // MARK: - Running

    public func hidden(
        _ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?, compute: DType?
    ) throws -> Tensor {
        try checkInputs(ids, positions)
        let type = compute ?? embedding.value.dtype
        let angles = try rotation.angles(positions, type)
        let narrow = try options.window.map { try mask.narrowed(to: $0.size) }
        var x = try firstLayerInput(ids.embedding(weight: embedding.value).to(type), cache)
        for (index, layer) in layers.enumerated() {
            let slides = options.window?.layers[index] == true
            x = try self.layer(x, cache) { [self] x in
                let x =
                    try x
                    + attention(
                        layer.attentionNorm(x), layer, index, angles, slides ? narrow ?? mask : mask,
                        slides ? options.window?.size : nil, cache)
                let fed = try layer.feedForwardNorm(x)
                return try x + layer.down(shape.activation.gating(layer.gate(fed), layer.up(fed)))
            }
        }
        cache?.advance(by: ids.shape[1])
        return try norm(x)
    }

    public func logits(_ hidden: Tensor) throws -> Tensor { try requireHead(head)(hidden) }

    private func attention(
        _ x: Tensor, _ layer: Layer, _ index: Int, _ angles: Rotation.Angles, _ mask: AttentionMask, _ window: Int?,
        _ cache: KVCache?
    ) throws -> Tensor {
        let (batch, length) = (x.shape[0], x.shape[1])
        func heads(_ linear: Linear, _ count: Int, _ norm: RMSNorm?) throws -> Tensor {
            let split = try linear(x).reshape([batch, length, count, shape.headDimension])
            return try (norm?(split) ?? split).transpose(1, 2)
        }
        let mixed = try Attention(window: window)(
            query: rotation(heads(layer.query, shape.headCount, layer.queryNorm), angles),
            key: rotation(heads(layer.key, shape.keyValueHeadCount, layer.keyNorm), angles),
            value: heads(layer.value, shape.keyValueHeadCount, nil), layer: index, mask: mask, cache: cache)
        return try layer.output(mixed)
    }
}

extension Decoder {
    func checkInputs(_ ids: Tensor, _ positions: Tensor) throws {
        guard ids.rank == 2, positions.shape == ids.shape else {
            throw LanguageModelError(
                .input, "ids and positions must both be [B, T]; they are \(ids.shape) and \(positions.shape)")
        }
    }

    func requireHead(_ head: Linear?) throws -> Linear {
        guard let head else {
            throw LanguageModelError(.weights, "this is a scorer's body: it has no head that gives logits")
        }
        return head
    }
}
