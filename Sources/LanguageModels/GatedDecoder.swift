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
    let residualDropout = ResidualDropout()
    /// The layers in one computation; `nil` while they are not packed.
    private var stack: StackedPass?

    private struct Layer {
        var attentionNorm, feedForwardNorm: RMSNorm
        /// Queries, keys and values.
        var mix: JoinedLinear
        var output: Linear
        /// Over each head; `nil` in most families.
        var queryNorm, keyNorm: RMSNorm?
        /// Gate and up.
        var gates: JoinedLinear
        var down: Linear
    }

    private static func mixNames(_ layer: Int) -> (parts: [String], together: String) {
        let at = "model.layers.\(layer).self_attn."
        return ([at + "q_proj", at + "k_proj", at + "v_proj"], at + "qkv_proj")
    }

    private static func gateNames(_ layer: Int) -> (parts: [String], together: String) {
        let at = "model.layers.\(layer).mlp."
        return ([at + "gate_proj", at + "up_proj"], at + "gate_up_proj")
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
            let (mix, gates) = (Self.mixNames(index), Self.gateNames(index))
            return Layer(
                attentionNorm: try norm(at + "input_layernorm", width),
                feedForwardNorm: try norm(at + "post_attention_layernorm", width),
                mix: try source.joined(
                    Array(zip(mix.parts, [queries, keys, keys])), together: mix.together, from: width, bias: inner),
                output: try source.linear(attention + "o_proj", from: queries, to: width, bias: outer),
                queryNorm: options.headNorms ? try norm(attention + "q_norm", size) : nil,
                keyNorm: options.headNorms ? try norm(attention + "k_norm", size) : nil,
                gates: try source.joined(
                    gates.parts.map { ($0, wide) }, together: gates.together, from: width, bias: fed),
                down: try source.linear(feed + "down_proj", from: wide, to: width, bias: fed))
        }
        self.norm = try norm("model.norm", width)
        head =
            hasHead
            ? try source.head(embedding, isTied: shape.tiesEmbeddings, from: width, to: shape.vocabularySize) : nil
        rotation = try Rotation(
            shape.rotary, dimension: size, contextLength: shape.contextLength, device: embedding.value.device)
        stack = try stacked()
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
            all += layer.mix.named(Self.mixNames(index).parts) + layer.output.named(attention + "o_proj")
            if let norm = layer.queryNorm { all.append((attention + "q_norm.weight", norm.weight)) }
            if let norm = layer.keyNorm { all.append((attention + "k_norm.weight", norm.weight)) }
            all.append((at + "post_attention_layernorm.weight", layer.feedForwardNorm.weight))
            all += layer.gates.named(Self.gateNames(index).parts) + layer.down.named(feed + "down_proj")
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
            let at = "model.layers.\(index)."
            try layers[index].mix.replace(Self.mixNames(index).parts, change)
            layers[index].output = try change(at + "self_attn.o_proj", layers[index].output)
            try layers[index].gates.replace(Self.gateNames(index).parts, change)
            layers[index].down = try change(at + "mlp.down_proj", layers[index].down)
        }
        head = try head.map { try change("lm_head", $0) }
        stack = try stacked()
    }

    public var matrices: [(name: String, matrix: Linear)] {
        var all: [(name: String, matrix: Linear)] = []
        for (index, layer) in layers.enumerated() {
            let (mix, gates, at) = (Self.mixNames(index), Self.gateNames(index), "model.layers.\(index).")
            all += layer.mix.matrices(mix.parts, together: mix.together)
            all.append((at + "self_attn.o_proj", layer.output))
            all += layer.gates.matrices(gates.parts, together: gates.together)
            all.append((at + "mlp.down_proj", layer.down))
        }
        if let head { all.append(("lm_head", head)) }
        return all
    }

    public func packMatrices(_ bits: PackedWeight.Bits, head headBits: PackedWeight.Bits) throws {
        for index in layers.indices {
            layers[index].mix = try layers[index].mix.packed(bits)
            layers[index].output = try layers[index].output.packed(bits)
            layers[index].gates = try layers[index].gates.packed(bits)
            layers[index].down = try layers[index].down.packed(bits)
        }
        head = try head?.packed(headBits)
        stack = try stacked()
    }

    /// The layers as one computation, once all of their matrices are packed.
    private func stacked() throws -> StackedPass? {
        var all: [LayerStack.Layer] = []
        for (index, layer) in layers.enumerated() {
            guard let mix = layer.mix.joined?.stacked, let output = layer.output.stacked,
                let gates = layer.gates.joined?.stacked, let down = layer.down.stacked
            else { return nil }
            all.append(
                .init(
                    attentionNorm: layer.attentionNorm.stacked, feedForwardNorm: layer.feedForwardNorm.stacked,
                    mix: mix,
                    output: output, up: gates, down: down, queryNorm: layer.queryNorm?.weight.value,
                    keyNorm: layer.keyNorm?.weight.value, scale: 1 / Double(shape.headDimension).squareRoot(),
                    window: options.window?.layers[index] == true ? options.window?.size : nil))
        }
        return try StackedPass(
            .init(
                width: shape.hiddenSize, headCount: shape.headCount, keyValueHeadCount: shape.keyValueHeadCount,
                headSize: shape.headDimension, innerWidth: shape.intermediateSize, isGated: true,
                curve: shape.activation.curve, isCentred: false, epsilon: shape.normEpsilon),
            layers: all, finalNorm: norm.stacked)
    }

    // MARK: - Running

    public func hidden(
        _ ids: Tensor, positions: Tensor, mask: AttentionMask, cache: KVCache?, compute: DType?
    ) throws -> Tensor {
        try checkInputs(ids, positions)
        let type = compute ?? embedding.value.dtype
        if let stack, stack.takes(ids, mask, type) {
            let states = try withoutGradients {
                try stack(
                    ids.embedding(weight: embedding.value), angles: rotation.angles(positions, .float32), cache: cache)
            }
            cache?.advance(by: ids.shape[1])
            return states
        }
        let angles = try rotation.angles(positions, type)
        let narrow = try options.window.map { try mask.narrowed(to: $0.size) }
        var x = try firstLayerInput(
            residualDropout.embedded(ids.embedding(weight: embedding.value).to(type)), cache)
        for (index, layer) in layers.enumerated() {
            let slides = options.window?.layers[index] == true
            x = try self.layer(x, cache) { [self] x in
                let mixed = try attention(
                    layer.attentionNorm(x), layer, index, angles, slides ? narrow ?? mask : mask,
                    slides ? options.window?.size : nil, cache)
                let x = try x + residualDropout.mixed(mixed, layer: index)
                let gates = try layer.gates(layer.feedForwardNorm(x))
                let fed = try layer.down(shape.activation.gating(gates[0], gates[1]))
                return try x + residualDropout.fed(fed, layer: index)
            }
        }
        cache?.advance(by: ids.shape[1])
        return try norm(x)
    }

    public func logits(_ hidden: Tensor) throws -> Tensor { try requireHead(head).wide(hidden) }

    private func attention(
        _ x: Tensor, _ layer: Layer, _ index: Int, _ angles: Rotation.Angles, _ mask: AttentionMask, _ window: Int?,
        _ cache: KVCache?
    ) throws -> Tensor {
        let (batch, length) = (x.shape[0], x.shape[1])
        func heads(_ part: Tensor, _ count: Int, _ norm: RMSNorm?) throws -> Tensor {
            let split = try part.reshape([batch, length, count, shape.headDimension])
            return try (norm?(split) ?? split).transpose(1, 2)
        }
        let parts = try layer.mix(x)
        let mixed = try Attention(window: window)(
            query: rotation(heads(parts[0], shape.headCount, layer.queryNorm), angles),
            key: rotation(heads(parts[1], shape.keyValueHeadCount, layer.keyNorm), angles),
            value: heads(parts[2], shape.keyValueHeadCount, nil), layer: index, mask: mask, cache: cache)
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
